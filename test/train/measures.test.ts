import { beforeAll, describe, expect, it } from 'vitest';
import { chooseMetrics } from '../../src/core/metrics';
import { findEngine } from '../../src/engine/registry';
import * as tf from '../../src/engine/tf';
import type { OutputHead } from '../../src/train/head';
import { metricsOfSums, metricSums } from '../../src/train/measures';

beforeAll(() => findEngine('cpu').load());

const Y = [1, 0, 1, 1, 0, 0, 1, 0];
const LOGITS = [2, 1, -1, 0.5, -2, 3, 0.1, -0.2];

function headOf(loss: 'meanSquaredError' | 'binaryCrossentropy', fromLogits: boolean): OutputHead {
  const classifies = loss !== 'meanSquaredError';
  return { name: 'out', loss, fromLogits, width: 1, classifies, metrics: [] };
}

/** Over two batches, of which the second is filled up with rows that do not count. */
function measure(head: OutputHead, y: number[], out: number[]): Readonly<Record<string, number>> {
  const batch = (from: number): number[] => {
    const pad = (values: number[]): number[] => [...values.slice(from, from + 5), 9, 9, 9, 9, 9].slice(0, 5);
    const real = pad(y.map(() => 1)).map((value) => (value === 9 ? 0 : 1));
    const column = (values: number[]): tf.Tensor => tf.tensor2d(pad(values), [5, 1]);
    return metricSums(head, column(y), column(out), tf.tensor1d(real)).map((sum) => sum.dataSync()[0] ?? 0);
  };
  const [first, second] = [batch(0), batch(5)];
  return metricsOfSums(
    head,
    first.map((sum, i) => sum + (second[i] ?? 0)),
    y.length,
  );
}

describe('metrics of the source', () => {
  it('are those of TensorFlow.js for values', () => {
    const metrics = ['meanAbsoluteError', 'meanSquaredError', 'rootMeanSquaredError'] as const;
    const found = measure({ ...headOf('meanSquaredError', false), metrics }, Y, LOGITS);
    const [y, out] = [tf.tensor2d(Y, [8, 1]), tf.tensor2d(LOGITS, [8, 1])];
    const mean = (values: tf.Tensor): number => tf.mean(values).dataSync()[0] ?? 0;
    const square = mean(tf.metrics.meanSquaredError(y, out));
    expect(found['meanAbsoluteError']).toBeCloseTo(mean(tf.metrics.meanAbsoluteError(y, out)), 6);
    expect(found['meanSquaredError']).toBeCloseTo(square, 6);
    expect(found['rootMeanSquaredError']).toBeCloseTo(Math.sqrt(square), 6);
  });

  it.each([true, false])('are those of TensorFlow.js for two classes; logits: %s', (fromLogits) => {
    const given = fromLogits ? LOGITS : LOGITS.map((z) => 1 / (1 + Math.exp(-z)));
    const metrics = ['precision', 'recall'] as const;
    const found = measure({ ...headOf('binaryCrossentropy', fromLogits), metrics }, Y, given);
    const said = LOGITS.map((z) => (z > 0 ? 1 : 0));
    const [y, out] = [tf.tensor2d(Y, [8, 1]), tf.tensor2d(said, [8, 1])];
    expect(found['precision']).toBeCloseTo(tf.metrics.precision(y, out).dataSync()[0] ?? 0, 6);
    expect(found['recall']).toBeCloseTo(tf.metrics.recall(y, out).dataSync()[0] ?? 0, 6);
  });

  it('are measured where they mean something, and the others named', () => {
    expect(chooseMetrics(['acc', 'Precision', 'AUC', 'mae'], 'two')).toEqual({
      measured: ['precision'],
      others: ['AUC', 'mae'],
    });
    expect(chooseMetrics(['mean_absolute_error', 'RootMeanSquaredError', 'accuracy'], 'values')).toEqual({
      measured: ['meanAbsoluteError', 'rootMeanSquaredError'],
      others: ['accuracy'],
    });
    expect(chooseMetrics(['accuracy', 'top_k_categorical_accuracy'], 'several')).toEqual({
      measured: [],
      others: ['top_k_categorical_accuracy'],
    });
  });
});
