import type { LossName } from '../core/losses';
import type { MetricName } from '../core/metrics';
import * as tf from '../engine/tf';
import { measureRows, sameLargest, sameSide, saidBy } from './lossFunctions';
import type { OutputHead } from './outputHead';

/** The metrics of a source as sums over rows, so that batches add up, and back. */

/** What is summed for a metric; several share what they are made of. */
type SumName = LossName | 'binaryAccuracy' | 'categoricalAccuracy' | 'positives' | 'spread';

/** What a metric is made of. */
function partsOf(metric: MetricName): readonly SumName[] {
  switch (metric) {
    case 'rootMeanSquaredError':
      return ['meanSquaredError'];
    case 'cosineSimilarity':
      return ['cosineProximity'];
    case 'r2Score':
      return ['meanSquaredError', 'spread'];
    case 'precision':
    case 'recall':
      return ['positives'];
    default:
      return [metric];
  }
}

/** Sums that a head's metrics need, each once, in the order in which they are made and read. */
function sumsOf({ metrics }: OutputHead): readonly SumName[] {
  return [...new Set(metrics.flatMap(partsOf))];
}

const COUNTS: Readonly<Partial<Record<SumName, number>>> = { positives: 3, spread: 2 };

/** Sums over the rows of a batch, each a scalar. @param real [batch], 1 for rows that count */
export function metricSums(head: OutputHead, y: tf.Tensor, out: tf.Tensor, real: tf.Tensor): tf.Tensor[] {
  const names = sumsOf(head);
  if (names.length === 0) return [];
  const said = saidBy(head, out);
  const total = (rows: tf.Tensor): tf.Tensor => tf.sum(tf.mul(rows, real));
  return names.flatMap((name) => rowsFor(name, head, y, said).map(total));
}

/** @param said what the model says, probabilities where it ends in logits; @returns each [batch] */
function rowsFor(name: SumName, { labelMean = 0 }: OutputHead, y: tf.Tensor, said: tf.Tensor): tf.Tensor[] {
  const mean = (values: tf.Tensor): tf.Tensor => tf.mean(tf.reshape(values, [values.shape[0], -1]), 1);
  switch (name) {
    case 'binaryAccuracy':
      return [sameSide(y, 0.5, said, 0.5)];
    case 'categoricalAccuracy':
      return [sameLargest(y, said)];
    case 'positives': {
      const positive = (values: tf.Tensor): tf.Tensor => tf.cast(tf.greater(values, 0.5), 'float32');
      const [yes, meant] = [positive(said), positive(tf.reshape(y, said.shape))];
      return [mean(tf.mul(yes, meant)), mean(yes), mean(meant)];
    }
    case 'spread': {
      // From a point near the mean: squares of large numbers would round their spread away.
      const off = tf.sub(y, labelMean);
      return [mean(off), mean(tf.square(off))];
    }
    default:
      return [measureRows(name, y, said)];
  }
}

/** How many sums {@link metricSums} gives. */
export function metricCount(head: OutputHead): number {
  return sumsOf(head).reduce((count, name) => count + (COUNTS[name] ?? 1), 0);
}

/** @param sums in the order of {@link metricSums}, over all rows */
export function metricsOfSums(
  head: OutputHead,
  sums: readonly number[],
  rows: number,
): Readonly<Record<string, number>> {
  const means = new Map<SumName, readonly number[]>();
  let at = 0;
  for (const name of sumsOf(head)) {
    const count = COUNTS[name] ?? 1;
    means.set(
      name,
      sums.slice(at, at + count).map((sum) => sum / rows),
    );
    at += count;
  }
  const meanOf = (name: SumName, i = 0): number => means.get(name)?.[i] ?? Number.NaN;
  // As Keras has it: 0 where nothing was said, or nothing was to be found.
  const share = (of: number): number => (of === 0 ? 0 : meanOf('positives') / of);
  const valueOf = (metric: MetricName): number => {
    switch (metric) {
      case 'rootMeanSquaredError':
        return Math.sqrt(meanOf('meanSquaredError'));
      case 'cosineSimilarity':
        return -meanOf('cosineProximity');
      case 'r2Score':
        return 1 - meanOf('meanSquaredError') / (meanOf('spread', 1) - meanOf('spread') ** 2);
      case 'precision':
        return share(meanOf('positives', 1));
      case 'recall':
        return share(meanOf('positives', 2));
      default:
        return meanOf(metric);
    }
  };
  return Object.fromEntries(head.metrics.map((metric) => [metric, valueOf(metric)]));
}
