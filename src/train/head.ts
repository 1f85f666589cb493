import * as tf from '../engine/tf';
import { badInput } from '../core/errors';
import type { Graph, GraphLayer, TensorRef } from '../core/graph';
import { activationName } from '../core/rules/activation';
import type { MetricName } from '../core/metrics';
import type { Labels } from '../data/dataset';

/**
 * The end of a model: what it predicts and how far off that is. A softmax or sigmoid in front of its cross-entropy is
 * taken off, so that both are computed together without overflow; predictions from logits are the same.
 */

export type LossName =
  'categoricalCrossentropy' | 'sparseCategoricalCrossentropy' | 'binaryCrossentropy' | 'meanSquaredError';

/** One output of a model. */
export interface OutputHead {
  /** Name of the layer that makes it in the source. */
  readonly name: string;
  readonly loss: LossName;
  /** Whether the network that is trained ends in logits instead of probabilities. */
  readonly fromLogits: boolean;
  /** Numbers a row of labels has. */
  readonly width: number;
  /** Whether rows can be right or wrong. */
  readonly classifies: boolean;
  /** What is measured besides loss and accuracy. */
  readonly metrics: readonly MetricName[];
}

export interface Head {
  /** The graph to train. */
  readonly graph: Graph;
  /** At least one. The loss is the sum of theirs, the accuracy the mean of those that classify. */
  readonly outputs: readonly OutputHead[];
}

const EPSILON = 1e-7;

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
 * @throws ShrinkError `loss-…` when model, loss and labels do not go together
 */
export function chooseHead(
  graph: Graph,
  outputShapes: readonly (readonly (number | null)[])[],
  labels: readonly Labels[],
  wanted: readonly (string | undefined)[] = [],
  names: readonly string[] = graph.outputs.map(({ layer }) => layer),
): Head {
  const chosen = graph.outputs.map((output, i) => {
    const [shape, given] = [outputShapes[i], labels[i]];
    if (shape === undefined || given === undefined) throw new RangeError(`output ${i} has no labels`);
    const name = names[i] ?? output.layer;
    const which = graph.outputs.length > 1 ? ` of ${name}` : '';
    return chooseOutput(graph, output, { name, which }, shape, given, wanted[i]);
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
): { head: OutputHead; output: TensorRef; strips: TensorRef | undefined } {
  const last = graph.layers.find((layer) => layer.name === output.layer);
  const activation = last === undefined ? 'linear' : lastActivation(last);
  const width = outputShape.at(-1) ?? 1;
  const loss = lossFor(wanted, activation, width, labels);
  checkLabels(loss, width, outputShape, labels, which);
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
    classifies: loss !== 'meanSquaredError',
    metrics: [],
  };
  return { head, output, strips };
}

function lastActivation(layer: GraphLayer): string {
  if (layer.className === 'Softmax') return 'softmax';
  return layer.className === 'Activation' ? activationName(layer.config['activation']) : 'linear';
}

/** What the last layer of an output reads; undefined where others read the layer too, so that it has to stay. */
function readByLast(graph: Graph, last: GraphLayer, output: TensorRef): TensorRef | undefined {
  const isLast = (ref: TensorRef): boolean => ref.layer === last.name;
  const usedElsewhere = graph.layers.some((layer) => layer.calls.some((inputs) => inputs.some(isLast)));
  if (usedElsewhere || last.calls.length > 1 || graph.outputs.filter(isLast).length > 1) return undefined;
  return last.calls[output.call]?.[0];
}

/** Spellings that sources use, by the name used here. */
const SPELLINGS: Readonly<Record<string, LossName>> = {
  categoricalCrossentropy: 'categoricalCrossentropy',
  softmaxCrossEntropy: 'categoricalCrossentropy',
  sparseCategoricalCrossentropy: 'sparseCategoricalCrossentropy',
  binaryCrossentropy: 'binaryCrossentropy',
  sigmoidCrossEntropy: 'binaryCrossentropy',
  meanSquaredError: 'meanSquaredError',
  mse: 'meanSquaredError',
  MSE: 'meanSquaredError',
};

function lossFor(wanted: string | undefined, activation: string, width: number, labels: Labels): LossName {
  if (wanted !== undefined) {
    const loss = SPELLINGS[wanted];
    if (loss !== undefined) return loss;
    throw badInput(
      'loss-unknown',
      `The loss ${wanted} is not one ShrinkNets trains with; set loss= to categoricalCrossentropy, sparseCategoricalCrossentropy, binaryCrossentropy or meanSquaredError.`,
    );
  }
  if (activation === 'softmax') return 'categoricalCrossentropy';
  if (activation === 'sigmoid') return 'binaryCrossentropy';
  return labels.kind === 'classes' && width > 1 ? 'categoricalCrossentropy' : 'meanSquaredError';
}

function checkLabels(
  loss: LossName,
  width: number,
  outputShape: readonly (number | null)[],
  labels: Labels,
  which: string,
): void {
  if (labels.kind === 'values') {
    const given = labels.features.shape;
    const wanted = outputShape.map((length) => length ?? -1);
    const same =
      given.length === wanted.length && given.every((length, i) => wanted[i] === -1 || wanted[i] === length);
    const single = given.length === 0 && wanted.length === 1 && wanted[0] === 1;
    if (!same && !single)
      throw badInput(
        'loss-labels',
        `The labels${which} have shape [${given.join(', ')}] a row, but the model's output has [${outputShape.map((d) => d ?? '?').join(', ')}]; change the last layer or the labels.`,
      );
    return;
  }
  if (loss === 'meanSquaredError' && width > 1)
    throw badInput(
      'loss-labels',
      `The labels${which} are class numbers, but the loss is meanSquaredError over ${width} outputs; give values or another loss.`,
    );
  const classes = width === 1 ? 2 : width;
  const present = new Set(labels.ids).size;
  if (labels.classes > classes)
    throw badInput(
      'loss-labels',
      `The labels${which} go up to ${labels.classes - 1}, but the model has ${width} outputs (0..${classes - 1}); widen the last layer to ${labels.classes}.`,
    );
  if (width > 1 && present < width)
    throw badInput(
      'loss-labels',
      `The labels${which} hold ${present} classes, fewer than the model's ${width} outputs; narrow the last layer to ${present} or add rows of the missing classes.`,
    );
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

/** Loss of each row, [batch]. */
export function rowLoss(head: OutputHead, y: tf.Tensor, out: tf.Tensor): tf.Tensor1D {
  const perRow = (values: tf.Tensor): tf.Tensor1D =>
    values.rank > 1 ? tf.mean(values, range(1, values.rank)) : (values as tf.Tensor1D);
  switch (head.loss) {
    case 'meanSquaredError':
      return perRow(tf.squaredDifference(tf.reshape(y, out.shape), out));
    case 'binaryCrossentropy': {
      const target = tf.reshape(y, out.shape);
      if (head.fromLogits)
        // max(z, 0) - z y + log(1 + exp(-|z|)): the cross-entropy of sigmoid(z) without overflow.
        return perRow(
          tf.add(tf.sub(tf.relu(out), tf.mul(out, target)), tf.log(tf.add(tf.exp(tf.neg(tf.abs(out))), 1))),
        );
      const p = tf.clipByValue(out, EPSILON, 1 - EPSILON);
      const one = tf.sub(1, target);
      return perRow(tf.neg(tf.add(tf.mul(target, tf.log(p)), tf.mul(one, tf.log(tf.sub(1, p))))));
    }
    case 'categoricalCrossentropy':
    case 'sparseCategoricalCrossentropy': {
      const logs = head.fromLogits ? tf.logSoftmax(out) : tf.log(tf.clipByValue(out, EPSILON, 1));
      return perRow(tf.neg(tf.sum(tf.mul(y, logs), -1)));
    }
  }
}

/** Share of each row that is right, [batch]; all 0 for regressions. */
export function rowAccuracy(head: OutputHead, y: tf.Tensor, out: tf.Tensor): tf.Tensor1D {
  const perRow = (values: tf.Tensor): tf.Tensor1D =>
    values.rank > 1 ? tf.mean(values, range(1, values.rank)) : (values as tf.Tensor1D);
  switch (head.loss) {
    case 'meanSquaredError':
      return tf.zeros<tf.Rank.R1>([out.shape[0]]);
    case 'binaryCrossentropy': {
      const threshold = head.fromLogits ? 0 : 0.5;
      const said = tf.cast(tf.greater(out, threshold), 'float32');
      const meant = tf.cast(tf.greater(tf.reshape(y, out.shape), 0.5), 'float32');
      return perRow(tf.cast(tf.equal(said, meant), 'float32'));
    }
    case 'categoricalCrossentropy':
    case 'sparseCategoricalCrossentropy':
      return perRow(tf.cast(tf.equal(tf.argMax(out, -1), tf.argMax(y, -1)), 'float32'));
  }
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, i) => from + i);
}
