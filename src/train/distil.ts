import * as tf from '../engine/tf';
import type { OutputHead } from './outputHead';
import type { Network } from './network';

/** A finished network that another one is finished beside, and how much of its loss that makes up. */
export interface Distillation {
  readonly teacher: Network;
  /** w of (1 − w)·L + w·T²·KL, 0..1. */
  readonly weight: number;
  /** T, above 0. */
  readonly temperature: number;
}

const EPSILON = 1e-7;

type Ends = readonly Pick<OutputHead, 'loss' | 'fromLogits'>[];

/**
 * (1 − w)·L + w·T²·KL(teacher ‖ student), both softened by the temperature. T² keeps the gradient's size the same at
 * every temperature. Outputs of a regression or a margin are no distribution to soften: their KL is half the squared
 * difference, which is that of two normal distributions of variance T², times T². Outputs are added up, as their losses are.
 *
 * @param loss of the labels
 * @param outs the student's outputs, [batch, ...], as the heads have them
 * @param teacher likewise
 */
export function distilledLoss(
  heads: Ends,
  loss: tf.Scalar,
  outs: readonly tf.Tensor[],
  teacher: readonly tf.Tensor[],
  { weight, temperature }: Pick<Distillation, 'weight' | 'temperature'>,
): tf.Scalar {
  const squared = temperature * temperature;
  const differences = heads.map((head, i) => {
    const [out, taught] = [outs[i], teacher[i]];
    if (out === undefined || taught === undefined) throw new RangeError(`output ${i} is missing`);
    return divergence(head, out, taught, temperature);
  });
  const difference = differences.reduce((sum, next) => tf.add(sum, next));
  return tf.add(tf.mul(loss, 1 - weight), tf.mul(difference, weight * squared));
}

/** Mean KL(teacher ‖ student) over rows and positions. */
function divergence(head: Ends[number], out: tf.Tensor, teacher: tf.Tensor, temperature: number): tf.Tensor {
  switch (head.loss) {
    case 'binaryCrossentropy': {
      const soft = (x: tf.Tensor): tf.Tensor =>
        tf.clipByValue(tf.sigmoid(tf.div(logitsOf(head, x), temperature)), EPSILON, 1 - EPSILON);
      const [p, q] = [soft(teacher), soft(out)];
      const part = (a: tf.Tensor, b: tf.Tensor): tf.Tensor => tf.mul(a, tf.sub(tf.log(a), tf.log(b)));
      return tf.mean(tf.add(part(p, q), part(tf.sub(1, p), tf.sub(1, q))));
    }
    case 'categoricalCrossentropy':
    case 'sparseCategoricalCrossentropy':
    case 'kullbackLeiblerDivergence': {
      const logs = (x: tf.Tensor): tf.Tensor => tf.logSoftmax(tf.div(logitsOf(head, x), temperature));
      const [p, q] = [logs(teacher), logs(out)];
      return tf.mean(tf.sum(tf.mul(tf.exp(p), tf.sub(p, q)), -1));
    }
    default:
      return tf.div(tf.mean(tf.squaredDifference(teacher, out)), 2 * temperature * temperature);
  }
}

function logitsOf(head: Ends[number], x: tf.Tensor): tf.Tensor {
  if (head.fromLogits) return x;
  const p = tf.clipByValue(x, EPSILON, 1 - EPSILON);
  return head.loss === 'binaryCrossentropy' ? tf.log(tf.div(p, tf.sub(1, p))) : tf.log(p);
}
