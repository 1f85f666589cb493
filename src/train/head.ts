import * as tf from '../engine/tf';
import { badInput } from '../core/errors';
import type { Graph, GraphLayer, TensorRef } from '../core/graph';
import { labelsFor, lossNamed, LOSS_NAMES, type LossName } from '../core/losses';
import type { Labels } from '../data/dataset';
import { endActivation } from './endActivation';
import { checkLabels } from './labels';
import { rowAccuracy, rowLoss } from './lossFunctions';
import type { OutputHead } from './outputHead';

/**
 * The end of a model: what it predicts and how far off that is. A softmax or sigmoid in front of its cross-entropy is
 * taken off, so that both are computed together without overflow; predictions from logits are the same.
 */

export interface Head {
  /** The graph to train. */
  readonly graph: Graph;
  /** At least one. The loss is the sum of theirs, the accuracy the mean of those that classify. */
  readonly outputs: readonly OutputHead[];
}

/** Whether rows can be right or wrong in any output. */
export function classifies({ outputs }: Head): boolean {
  return outputs.some((output) => output.classifies);
}

/**
 * Decides how a model is trained.
 *
 * @param graph with activations split off
 * @param outputShapes of one row, output by output
 * @param labels likewise
 * @param wanted losses from options or the source, likewise; undefined to fit the last layer
 * @param names of the outputs in the source
 * @param classNames what a table calls the classes of the only output
 * @throws ShrinkError `loss-…` when model, loss and labels do not go together
 */
export function chooseHead(
  graph: Graph,
  outputShapes: readonly (readonly (number | null)[])[],
  labels: readonly Labels[],
  wanted: readonly (string | undefined)[] = [],
  names: readonly string[] = graph.outputs.map(({ layer }) => layer),
  classNames?: readonly string[],
): Head {
  const chosen = graph.outputs.map((output, i) => {
    const [shape, given] = [outputShapes[i], labels[i]];
    if (shape === undefined || given === undefined) throw new RangeError(`output ${i} has no labels`);
    const name = names[i] ?? output.layer;
    const which = graph.outputs.length > 1 ? ` of ${name}` : '';
    return chooseOutput(graph, output, { name, which }, shape, given, wanted[i], classNames);
  });
  const inputs = new Map(
    chosen.flatMap(({ strips, output }) => (strips === undefined ? [] : [[output, strips] as const])),
  );
  const gone = new Set([...inputs.keys()].map(({ layer }) => layer));
  return {
    graph: {
      ...graph,
      layers: graph.layers.filter(({ name }) => !gone.has(name)),
      outputs: graph.outputs.map((output) => inputs.get(output) ?? output),
    },
    outputs: chosen.map(({ head }) => head),
  };
}

/** @returns how an output is trained, and what its last layer reads, if that is taken off */
function chooseOutput(
  graph: Graph,
  output: TensorRef,
  { name, which }: { readonly name: string; readonly which: string },
  outputShape: readonly (number | null)[],
  labels: Labels,
  wanted: string | undefined,
  classNames: readonly string[] | undefined,
): { head: OutputHead; output: TensorRef; strips: TensorRef | undefined } {
  const last = graph.layers.find((layer) => layer.name === output.layer);
  const activation = endActivation(graph, output.layer);
  const width = outputShape.at(-1) ?? 1;
  const loss = lossFor(wanted, activation, width, labels);
  checkLabels(labels, {
    loss,
    isWanted: wanted !== undefined,
    width,
    shape: outputShape,
    which,
    ...(classNames === undefined ? {} : { classNames }),
  });
  const softmax = loss === 'categoricalCrossentropy' || loss === 'sparseCategoricalCrossentropy';
  const matches =
    (softmax && activation === 'softmax') || (loss === 'binaryCrossentropy' && activation === 'sigmoid');
  const strips = matches && last !== undefined ? readByLast(graph, last, output) : undefined;
  // Without an activation to take off, labelled linear outputs are logits; anything else is taken as probabilities.
  const fromLogits =
    strips !== undefined || ((softmax || loss === 'binaryCrossentropy') && activation === 'linear');
  const head = {
    name,
    loss,
    fromLogits,
    width,
    classifies: isRightOrWrong(loss, labels),
    metrics: [],
  };
  return { head, output, strips };
}

/** Whether a row's answer can be right: one of classes, or a yes or no. */
function isRightOrWrong(loss: LossName, labels: Labels): boolean {
  // Divergences are of distributions, unless the labels name one class each.
  if (loss === 'kullbackLeiblerDivergence') return labels.kind === 'classes';
  return labelsFor(loss) !== 'numbers';
}

/** What the last layer of an output reads; undefined where others read the layer too, so that it has to stay. */
function readByLast(graph: Graph, last: GraphLayer, output: TensorRef): TensorRef | undefined {
  const isLast = (ref: TensorRef): boolean => ref.layer === last.name;
  const usedElsewhere = graph.layers.some((layer) => layer.calls.some((inputs) => inputs.some(isLast)));
  if (usedElsewhere || last.calls.length > 1 || graph.outputs.filter(isLast).length > 1) return undefined;
  return last.calls[output.call]?.[0];
}

function lossFor(wanted: string | undefined, activation: string, width: number, labels: Labels): LossName {
  if (wanted !== undefined) {
    const loss = lossNamed(wanted);
    if (loss !== undefined) return loss;
    throw badInput(
      'loss-unknown',
      `The loss ${wanted} is not one ShrinkNets trains with; set loss= to ${LOSS_NAMES.slice(0, -1).join(', ')} or ${LOSS_NAMES.at(-1) ?? ''}.`,
    );
  }
  if (activation === 'softmax') return 'categoricalCrossentropy';
  if (activation === 'sigmoid') return 'binaryCrossentropy';
  return labels.kind === 'classes' && width > 1 ? 'categoricalCrossentropy' : 'meanSquaredError';
}

/** Mean loss of a batch, summed over outputs: a scalar that gradients flow through. @param ys, outs [batch, ...] each */
export function meanLoss(head: Head, ys: readonly tf.Tensor[], outs: readonly tf.Tensor[]): tf.Scalar {
  const losses = zipOutputs(head, ys, outs, (output, y, out) => {
    if (output.fromLogits && output.loss !== 'binaryCrossentropy')
      return tf.losses.softmaxCrossEntropy<tf.Tensor, tf.Scalar>(y, out);
    if (output.fromLogits) return tf.losses.sigmoidCrossEntropy<tf.Tensor, tf.Scalar>(y, out);
    return tf.mean<tf.Scalar>(rowLoss(output, y, out));
  });
  return losses.reduce((sum, loss): tf.Scalar => tf.add(sum, loss));
}

/** Mean accuracy of each row over the outputs that classify, [batch]; all 0 where none does. */
export function meanAccuracy(head: Head, ys: readonly tf.Tensor[], outs: readonly tf.Tensor[]): tf.Tensor1D {
  const all = zipOutputs(head, ys, outs, (output, y, out) =>
    output.classifies ? [rowAccuracy(output, y, out)] : [],
  ).flat();
  const [first] = all;
  if (first === undefined) return tf.zeros<tf.Rank.R1>([outs[0]?.shape[0] ?? 0]);
  return all.length === 1 ? first : tf.div(tf.addN(all), all.length);
}

/** What is said of each output with its labels. */
export function zipOutputs<T>(
  { outputs }: Head,
  ys: readonly tf.Tensor[],
  outs: readonly tf.Tensor[],
  say: (output: OutputHead, y: tf.Tensor, out: tf.Tensor, at: number) => T,
): T[] {
  return outputs.map((output, i) => {
    const [y, out] = [ys[i], outs[i]];
    if (y === undefined || out === undefined) throw new RangeError(`output ${i} has no labels`);
    return say(output, y, out, i);
  });
}
