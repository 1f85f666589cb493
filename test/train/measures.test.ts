import { beforeAll, describe, expect, it } from 'vitest';
import { labelsFor, type LossName } from '../../src/core/losses';
import { chooseMetrics, type Measured } from '../../src/core/metrics';
import type { Labels } from '../../src/data/dataset';
import { findEngine } from '../../src/engine/registry';
import * as tf from '../../src/engine/tf';
import { withMetrics } from '../../src/train/chooseMeasures';
import type { Head } from '../../src/train/head';
import type { OutputHead } from '../../src/train/outputHead';
import { metricsOfSums, metricSums } from '../../src/train/measures';

beforeAll(() => findEngine('cpu').load());

const Y = [1, 0, 1, 1, 0, 0, 1, 0];
const LOGITS = [2, 1, -1, 0.5, -2, 3, 0.1, -0.2];

function headOf(loss: LossName, fromLogits: boolean): OutputHead {
  const classifies = labelsFor(loss) !== 'numbers';
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

  it('are TensorFlow.js’s of all values together, over batches', () => {
    const metrics = ['r2Score', 'meanAbsolutePercentageError', 'cosineSimilarity'] as const;
    // Far from 0: squares of such numbers round their spread away.
    const values = Y.map((value) => 1000 + value);
    const found = measure(
      { ...headOf('meanSquaredError', false), metrics, labelMean: 1000.4 },
      values,
      LOGITS.map((value) => 1000 + value / 10),
    );
    const [y, out] = [
      tf.tensor2d(values, [8, 1]),
      tf.tensor2d(
        LOGITS.map((v) => 1000 + v / 10),
        [8, 1],
      ),
    ];
    const mean = (rows: tf.Tensor): number => tf.mean(rows).dataSync()[0] ?? 0;
    expect(found['r2Score']).toBeCloseTo(mean(tf.metrics.r2Score(y, out)), 3);
    expect(found['meanAbsolutePercentageError']).toBeCloseTo(
      mean(tf.metrics.meanAbsolutePercentageError(y, out)),
      5,
    );
    expect(found['cosineSimilarity']).toBeCloseTo(-mean(tf.metrics.cosineProximity(y, out)), 6);
  });

  it('compare probabilities where the network ends in logits', () => {
    const metrics = ['meanAbsoluteError', 'categoricalAccuracy'] as const;
    const head = { ...headOf('categoricalCrossentropy', true), width: 2, metrics };
    const out = tf.tensor2d([2, 1, -1, 0], [2, 2]);
    const y = tf.tensor2d([1, 0, 1, 0], [2, 2]);
    const sums = metricSums(head, y, out, tf.tensor1d([1, 1])).map((sum) => sum.dataSync()[0] ?? 0);
    const found = metricsOfSums(head, sums, 2);
    const theirs = tf.mean(tf.metrics.meanAbsoluteError(y, tf.softmax(out))).dataSync()[0] ?? 0;
    expect(found['meanAbsoluteError']).toBeCloseTo(theirs, 6);
    expect(found['categoricalAccuracy']).toBe(0.5);
  });

  const output = (loss: LossName, width: number, labels = labelsFor(loss)): Measured => ({
    loss,
    classifies: labelsFor(loss) !== 'numbers',
    width,
    labels,
  });
  it.each([
    [
      'yes and no',
      ['acc', 'Precision', 'AUC', 'mae'],
      output('binaryCrossentropy', 1),
      'precision mae',
      'AUC',
    ],
    [
      'numbers',
      ['mean_absolute_error', 'RootMeanSquaredError', 'accuracy', 'R2Score', 'kld'],
      output('meanSquaredError', 1),
      'mae rmse r2Score',
      'accuracy kld',
    ],
    [
      '0 and 1 as numbers',
      ['accuracy', 'ce'],
      output('meanSquaredError', 1, 'shares'),
      'binaryAccuracy bce',
      '',
    ],
    [
      'one-hot rows',
      ['accuracy', 'binary_accuracy', 'mse', 'top_k_categorical_accuracy'],
      output('categoricalCrossentropy', 3),
      'binaryAccuracy mse',
      'top_k_categorical_accuracy',
    ],
    [
      'class numbers',
      ['acc', 'precision', 'mse', 'sparseCategoricalAccuracy', 'sparse_categorical_crossentropy'],
      output('sparseCategoricalCrossentropy', 3),
      '',
      'precision mse',
    ],
    [
      'signs',
      ['accuracy', 'hinge', 'squared_hinge', 'precision'],
      output('hinge', 1),
      'squaredHinge',
      'precision',
    ],
    [
      'several numbers',
      ['cosine', 'cosine_similarity', 'r2Score', 'R2Score'],
      output('huber', 3),
      'cosineProximity cosineSimilarity r2Score',
      'R2Score',
    ],
  ] as const)(
    'are measured where they mean something, and the others named: %s',
    (_, names, known, measured, others) => {
      const found = chooseMetrics(names, known);
      const long: Record<string, string> = {
        mae: 'meanAbsoluteError',
        mse: 'meanSquaredError',
        rmse: 'rootMeanSquaredError',
        bce: 'binaryCrossentropy',
      };
      const split = (text: string): string[] => text.split(' ').filter((name) => name !== '');
      expect(found.measured).toEqual(split(measured).map((name) => long[name] ?? name));
      expect(found.others).toEqual(split(others));
    },
  );
});

describe('metrics of several outputs', () => {
  const shares: Labels = { kind: 'classes', ids: Int32Array.of(0, 1), classes: 2 };
  const numbers: Labels = { kind: 'values', features: { shape: [], data: Float32Array.of(2, 5), scale: 1 } };
  const head = {
    outputs: [
      { ...headOf('binaryCrossentropy', true), name: 'sold' },
      { ...headOf('meanAbsoluteError', false), name: 'price' },
    ],
  } as unknown as Head;

  it.each([
    [
      ['mse', 'acc', 'auc'],
      ['meanSquaredError'],
      ['meanSquaredError'],
      'mse, acc, auc; not measured here: auc',
    ],
    [{ byName: { price: ['mse', 'r2Score'] } }, [], ['meanSquaredError', 'r2Score'], 'mse, r2Score'],
    [{ byPlace: [['recall'], ['acc']] }, ['recall'], [], 'recall, acc; not measured here: acc'],
  ] as const)('are those of each: %j', (given, sold, price, said) => {
    const notes: string[] = [];
    const { outputs } = withMetrics(head, [shares, numbers], given, notes);
    expect(outputs.map(({ metrics }) => metrics)).toEqual([sold, price]);
    expect(notes).toEqual([`metrics of the source: ${said}`]);
    if (price.some((metric) => metric === 'r2Score')) expect(outputs[1]?.labelMean).toBe(3.5);
  });
});
