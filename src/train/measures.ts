import type { MetricName } from '../core/metrics';
import * as tf from '../engine/tf';
import type { OutputHead } from './head';

/** The metrics of a source as sums over rows, so that batches add up, and back. */

/** Sums over the rows of a batch, each a scalar. @param real [batch], 1 for rows that count */
export function metricSums(head: OutputHead, y: tf.Tensor, out: tf.Tensor, real: tf.Tensor): tf.Tensor[] {
  const rows = out.shape[0];
  const [given, target] = [tf.reshape(out, [rows, -1]), tf.reshape(y, [rows, -1])];
  const total = (values: tf.Tensor): tf.Tensor => tf.sum(tf.mul(tf.mean(values, 1), real));
  const positive = (values: tf.Tensor, threshold: number): tf.Tensor =>
    tf.cast(tf.greater(values, threshold), 'float32');
  const sums: tf.Tensor[] = [];
  if (has(head, 'meanAbsoluteError')) sums.push(total(tf.abs(tf.sub(given, target))));
  if (has(head, 'meanSquaredError') || has(head, 'rootMeanSquaredError'))
    sums.push(total(tf.squaredDifference(given, target)));
  if (has(head, 'precision') || has(head, 'recall')) {
    const said = positive(given, head.fromLogits ? 0 : 0.5);
    const meant = positive(target, 0.5);
    sums.push(total(tf.mul(said, meant)), total(said), total(meant));
  }
  return sums;
}

/** How many sums {@link metricSums} gives. */
export function metricCount(head: OutputHead): number {
  const squares = has(head, 'meanSquaredError') || has(head, 'rootMeanSquaredError');
  const counts = has(head, 'precision') || has(head, 'recall');
  return (has(head, 'meanAbsoluteError') ? 1 : 0) + (squares ? 1 : 0) + (counts ? 3 : 0);
}

/** @param sums in the order of {@link metricSums}, over all rows */
export function metricsOfSums(
  head: OutputHead,
  sums: readonly number[],
  rows: number,
): Readonly<Record<string, number>> {
  const left = [...sums];
  const next = (): number => left.shift() ?? Number.NaN;
  const found = new Map<MetricName, number>();
  if (has(head, 'meanAbsoluteError')) found.set('meanAbsoluteError', next() / rows);
  if (has(head, 'meanSquaredError') || has(head, 'rootMeanSquaredError')) {
    const square = next() / rows;
    found.set('meanSquaredError', square).set('rootMeanSquaredError', Math.sqrt(square));
  }
  if (has(head, 'precision') || has(head, 'recall')) {
    const [both, said, meant] = [next(), next(), next()];
    // As Keras has it: 0 where nothing was said, or nothing was to be found.
    found.set('precision', said === 0 ? 0 : both / said).set('recall', meant === 0 ? 0 : both / meant);
  }
  return Object.fromEntries(head.metrics.map((name) => [name, found.get(name) ?? Number.NaN]));
}

function has({ metrics }: OutputHead, name: MetricName): boolean {
  return metrics.includes(name);
}
