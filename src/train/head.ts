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

export interface Head {
  readonly loss: LossName;
  /** Whether the network that is trained ends in logits instead of probabilities. */
  readonly fromLogits: boolean;
  /** The graph to train. */
  readonly graph: Graph;
  /** Numbers a row of labels has. */
  readonly width: number;
  /** Whether rows can be right or wrong. */
  readonly classifies: boolean;
  /** What is measured besides loss and accuracy. */
  readonly metrics: readonly MetricName[];
}

const EPSILON = 1e-7;

/**
 * Decides how a model is trained.
 *
 * @param graph with activations split off
 * @param outputShape of one row
 * @param wanted from options or the source; undefined to fit the last layer
 * @throws ShrinkError `loss-…` when model, loss and labels do not go together
 */
export function chooseHead(
  graph: Graph,
  outputShape: readonly (number | null)[],
  labels: Labels,
  wanted: string | undefined,
): Head {
  const [output] = graph.outputs;
  if (output === undefined || graph.outputs.length > 1)
    throw badInput(
      'several-outputs',
      `The model has ${graph.outputs.length} outputs; ShrinkNets trains models with one.`,
    );
  const last = graph.layers.find((layer) => layer.name === output.layer);
  const activation = last === undefined ? 'linear' : lastActivation(last);
  const width = outputShape.at(-1) ?? 1;
  const loss = lossFor(wanted, activation, width, labels);
  checkLabels(loss, width, outputShape, labels);
  const softmax = loss === 'categoricalCrossentropy' || loss === 'sparseCategoricalCrossentropy';
  const strips =
    (softmax && activation === 'softmax') || (loss === 'binaryCrossentropy' && activation === 'sigmoid');
  // Without an activation to take off, labelled linear outputs are logits; anything else is taken as probabilities.
  const fromLogits = strips || ((softmax || loss === 'binaryCrossentropy') && activation === 'linear');
  return {
    loss,
    fromLogits,
    graph: strips && last !== undefined ? withoutLast(graph, last, output) : graph,
    width,
    classifies: loss !== 'meanSquaredError',
    metrics: [],
  };
}

function lastActivation(layer: GraphLayer): string {
  if (layer.className === 'Softmax') return 'softmax';
  return layer.className === 'Activation' ? activationName(layer.config['activation']) : 'linear';
}

function withoutLast(graph: Graph, last: GraphLayer, output: TensorRef): Graph {
  const input = last.calls[output.call]?.[0];
  const usedElsewhere = graph.layers.some((layer) =>
    layer.calls.some((inputs) => inputs.some((ref) => ref.layer === last.name)),
  );
  if (input === undefined || usedElsewhere || last.calls.length > 1) return graph;
  return { ...graph, layers: graph.layers.filter((layer) => layer !== last), outputs: [input] };
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
        `The labels have shape [${given.join(', ')}] a row, but the model's output has [${outputShape.map((d) => d ?? '?').join(', ')}]; change the last layer or the labels.`,
      );
    return;
  }
  if (loss === 'meanSquaredError' && width > 1)
    throw badInput(
      'loss-labels',
      `The labels are class numbers, but the loss is meanSquaredError over ${width} outputs; give values or another loss.`,
    );
  const classes = width === 1 ? 2 : width;
  const present = new Set(labels.ids).size;
  if (labels.classes > classes)
    throw badInput(
      'loss-labels',
      `The labels go up to ${labels.classes - 1}, but the model has ${width} outputs (0..${classes - 1}); widen the last layer to ${labels.classes}.`,
    );
  if (width > 1 && present < width)
    throw badInput(
      'loss-labels',
      `The labels hold ${present} classes, fewer than the model's ${width} outputs; narrow the last layer to ${present} or add rows of the missing classes.`,
    );
}

/** Mean loss of a batch, a scalar that gradients flow through. @param y [batch, ...] @param out like y */
export function meanLoss(head: Head, y: tf.Tensor, out: tf.Tensor): tf.Scalar {
  if (head.fromLogits && head.loss !== 'binaryCrossentropy') return tf.losses.softmaxCrossEntropy(y, out);
  if (head.fromLogits) return tf.losses.sigmoidCrossEntropy(y, out);
  return tf.mean(rowLoss(head, y, out));
}

/** Loss of each row, [batch]. */
export function rowLoss(head: Head, y: tf.Tensor, out: tf.Tensor): tf.Tensor1D {
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
export function rowAccuracy(head: Head, y: tf.Tensor, out: tf.Tensor): tf.Tensor1D {
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
