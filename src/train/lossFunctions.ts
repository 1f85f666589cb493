import type { LossName } from '../core/losses';
import * as tf from '../engine/tf';
import type { OutputHead } from './outputHead';

/** Losses and accuracies as TensorFlow.js defines them, row by row, so that rows that only fill a batch can be left out. */

/** What TensorFlow.js keeps quotients and logarithms away from 0 by. */
const EPSILON = 1e-7;
/** The error at which Huber's loss turns from a square into a line: the default of Keras, PyTorch and TensorFlow.js. */
const HUBER_DELTA = 1;

/** @param y labels, @param p outputs, both [..., width]; @returns [...] */
type Measure = (y: tf.Tensor, p: tf.Tensor) => tf.Tensor;

/** `log p` of outputs that are scaled to sum up to 1, with p between ε and 1 - ε. */
function logShares(p: tf.Tensor): tf.Tensor {
  return tf.log(tf.clipByValue(tf.div(p, tf.sum(p, -1, true)), EPSILON, 1 - EPSILON));
}

/** At unit length over the last axis; shorter than √ε stays short. */
function normalized(x: tf.Tensor): tf.Tensor {
  return tf.div(x, tf.sqrt(tf.maximum(tf.sum(tf.square(x), -1, true), EPSILON)));
}

const atLeastEpsilon = (x: tf.Tensor): tf.Tensor => tf.maximum(x, EPSILON);
const share = (x: tf.Tensor): tf.Tensor => tf.clipByValue(x, EPSILON, 1);
const lastMean = (x: tf.Tensor): tf.Tensor => tf.mean(x, -1);
const lastSum = (x: tf.Tensor): tf.Tensor => tf.sum(x, -1);
/** By how much a sign is missed by less than 1. */
const margin = (y: tf.Tensor, p: tf.Tensor): tf.Tensor => tf.relu(tf.sub(1, tf.mul(y, p)));

const MEASURES: Readonly<Record<LossName, Measure>> = {
  categoricalCrossentropy: (y, p) => tf.neg(lastSum(tf.mul(y, logShares(p)))),
  sparseCategoricalCrossentropy: (y, p) =>
    tf.neg(lastSum(tf.mul(y, logShares(tf.clipByValue(p, EPSILON, 1 - EPSILON))))),
  binaryCrossentropy: (y, out) => {
    const p = tf.clipByValue(out, EPSILON, 1 - EPSILON);
    const no = tf.mul(tf.sub(1, y), tf.log(tf.sub(1, p)));
    return tf.neg(lastMean(tf.add(tf.mul(y, tf.log(p)), no)));
  },
  kullbackLeiblerDivergence: (y, p) => lastSum(tf.mul(y, tf.log(tf.div(share(y), share(p))))),
  categoricalHinge: (y, p) => {
    const right = lastSum(tf.mul(y, p));
    const wrong = tf.max(tf.mul(tf.sub(1, y), p), -1);
    return tf.relu(tf.add(1, tf.sub(wrong, right)));
  },
  hinge: (y, p) => lastMean(margin(y, p)),
  squaredHinge: (y, p) => lastMean(tf.square(margin(y, p))),
  meanSquaredError: (y, p) => lastMean(tf.squaredDifference(y, p)),
  meanAbsoluteError: (y, p) => lastMean(tf.abs(tf.sub(p, y))),
  meanAbsolutePercentageError: (y, p) =>
    tf.mul(100, lastMean(tf.abs(tf.div(tf.sub(y, p), atLeastEpsilon(tf.abs(y)))))),
  meanSquaredLogarithmicError: (y, p) => {
    const log = (x: tf.Tensor): tf.Tensor => tf.log(tf.add(1, atLeastEpsilon(x)));
    return lastMean(tf.squaredDifference(log(p), log(y)));
  },
  huber: (y, p) => {
    const error = tf.abs(tf.sub(p, y));
    const square = tf.minimum(error, HUBER_DELTA);
    return lastMean(tf.add(tf.mul(0.5, tf.square(square)), tf.mul(HUBER_DELTA, tf.sub(error, square))));
  },
  logcosh: (y, p) => {
    const error = tf.sub(p, y);
    return lastMean(tf.sub(tf.add(error, tf.softplus(tf.mul(-2, error))), Math.LN2));
  },
  poisson: (y, p) => lastMean(tf.sub(p, tf.mul(y, tf.log(tf.add(EPSILON, p))))),
  cosineProximity: (y, p) => tf.neg(lastSum(tf.mul(normalized(y), normalized(p)))),
};

/** Loss of each row by name, the mean over its places. @param y, p [batch, ...] of one shape */
export function measureRows(loss: LossName, y: tf.Tensor, p: tf.Tensor): tf.Tensor1D {
  return perRow(MEASURES[loss](tf.reshape(y, p.shape), p));
}

/** Loss of each row, [batch]. @param y, out [batch, ...] */
export function rowLoss({ loss, fromLogits }: OutputHead, y: tf.Tensor, out: tf.Tensor): tf.Tensor1D {
  if (!fromLogits) return measureRows(loss, y, out);
  const target = tf.reshape(y, out.shape);
  if (loss !== 'binaryCrossentropy') return perRow(tf.neg(lastSum(tf.mul(target, tf.logSoftmax(out)))));
  // max(z, 0) - z y + log(1 + exp(-|z|)): the cross-entropy of sigmoid(z) without overflow.
  return perRow(
    tf.add(tf.sub(tf.relu(out), tf.mul(out, target)), tf.log(tf.add(tf.exp(tf.neg(tf.abs(out))), 1))),
  );
}

/** Share of each row that is right, [batch]; all 0 where rows are neither right nor wrong. */
export function rowAccuracy(head: OutputHead, y: tf.Tensor, out: tf.Tensor): tf.Tensor1D {
  if (!head.classifies) return tf.zeros<tf.Rank.R1>([out.shape[0]]);
  switch (head.loss) {
    case 'binaryCrossentropy':
      return sameSide(y, 0.5, out, head.fromLogits ? 0 : 0.5);
    case 'hinge':
    case 'squaredHinge':
      return sameSide(y, 0, out, 0);
    default:
      return sameLargest(y, out);
  }
}

/** Whether labels and outputs lie on the same sides of their thresholds: a share of each row, [batch]. */
export function sameSide(y: tf.Tensor, meant: number, out: tf.Tensor, said: number): tf.Tensor1D {
  const over = (x: tf.Tensor, threshold: number): tf.Tensor => tf.cast(tf.greater(x, threshold), 'float32');
  return perRow(tf.cast(tf.equal(over(out, said), over(tf.reshape(y, out.shape), meant)), 'float32'));
}

/** Whether the largest output is that of the largest label: a share of each row, [batch]. */
export function sameLargest(y: tf.Tensor, out: tf.Tensor): tf.Tensor1D {
  return perRow(tf.cast(tf.equal(tf.argMax(out, -1), tf.argMax(y, -1)), 'float32'));
}

/** What the model says where the network that is trained ends in logits. */
export function saidBy({ loss, fromLogits }: OutputHead, out: tf.Tensor): tf.Tensor {
  if (!fromLogits) return out;
  return loss === 'binaryCrossentropy' ? tf.sigmoid(out) : tf.softmax(out);
}

function perRow(values: tf.Tensor): tf.Tensor1D {
  return values.rank > 1
    ? tf.mean(
        values,
        Array.from({ length: values.rank - 1 }, (_, i) => i + 1),
      )
    : (values as tf.Tensor1D);
}
