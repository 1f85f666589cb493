import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { comparesOutputs, labelsFor, LOSS_NAMES, type LossName } from '../../src/core/losses';
import type { MetricName } from '../../src/core/metrics';
import type { Engine } from '../../src/engine/engine';
import { findEngine } from '../../src/engine/registry';
import * as tf from '../../src/engine/tf';
import { meanLoss, type Head } from '../../src/train/head';
import { rowAccuracy, rowLoss } from '../../src/train/lossFunctions';
import { metricCount, metricSums } from '../../src/train/measures';
import type { OutputHead } from '../../src/train/outputHead';
import { noise, worstError } from './support';

/** Every loss and every metric, with what reaches the network from it, on every engine that is here. */

const ROWS = 7;

interface Case {
  readonly title: string;
  readonly head: OutputHead;
  /** Of one row of outputs; labels have the same. */
  readonly shape: readonly number[];
}

/** Every metric that there is. */
const METRICS: readonly MetricName[] = [
  ...LOSS_NAMES,
  'rootMeanSquaredError',
  'cosineSimilarity',
  'r2Score',
  'precision',
  'recall',
  'binaryAccuracy',
  'categoricalAccuracy',
];

const cases: readonly Case[] = LOSS_NAMES.flatMap((loss) => {
  // One number a row, several, and several of each of some places (a sequence, an image).
  const shapes = comparesOutputs(loss) ? [[4], [3, 4]] : [[1], [4], [3, 4]];
  const forms = loss.endsWith('rossentropy') ? [false, true] : [false];
  return shapes.flatMap((shape) =>
    forms.map((fromLogits) => ({
      title: `${loss} of ${fromLogits ? 'logits' : 'outputs'} [${shape.join(', ')}]`,
      head: {
        name: 'out',
        loss,
        fromLogits,
        width: shape.at(-1) ?? 1,
        classifies: labelsFor(loss) !== 'numbers',
        metrics: METRICS.filter((metric) => meansSomething(metric, loss, shape)),
        labelMean: 0.1,
      },
      shape,
    })),
  );
});

/** The logarithm of what may be below 0 is no number anywhere, and one output alone has no share. */
function meansSomething(metric: MetricName, loss: LossName, shape: readonly number[]): boolean {
  if (metric === 'poisson') return staysPositive(loss);
  return (
    shape.at(-1) !== 1 ||
    metric === 'kullbackLeiblerDivergence' ||
    (!metric.startsWith('categorical') && !metric.startsWith('sparse'))
  );
}

function staysPositive(loss: LossName): boolean {
  if (loss === 'poisson' || loss === 'meanSquaredLogarithmicError') return true;
  return labelsFor(loss) === 'shares' && loss !== 'categoricalHinge';
}

/** Outputs as the head takes them: numbers, logits or what the last activation makes of them. */
function activate({ head }: Case, z: tf.Tensor): tf.Tensor {
  if (head.fromLogits) return z;
  if (head.loss === 'binaryCrossentropy') return tf.sigmoid(z);
  if (!staysPositive(head.loss)) return z;
  return labelsFor(head.loss) === 'shares' ? tf.softmax(z) : tf.softplus(z);
}

function labelsOf({ head, shape }: Case): Float32Array {
  const size = ROWS * shape.reduce((product, side) => product * side, 1);
  const { loss, width } = head;
  const random = noise(size, 5);
  if (loss === 'binaryCrossentropy') return random.map((value) => (value > 0 ? 1 : 0));
  if (comparesOutputs(loss)) return random.map((_, i) => (((i / width) | 0) % width === i % width ? 1 : 0));
  if (labelsFor(loss) === 'signs') return random.map((value) => (value > 0 ? 1 : -1));
  if (loss === 'poisson' || loss === 'meanSquaredLogarithmicError')
    return random.map((value) => Math.round(Math.abs(value) * 5));
  // Far enough from 0 for a percentage of it.
  if (loss === 'meanAbsolutePercentageError') return random.map((value) => value + Math.sign(value));
  return random;
}

/** The mean loss, its gradient by z, then losses, accuracies and sums of metrics over the rows. */
async function measure(engine: Engine, given: Case): Promise<Float32Array[]> {
  const size = ROWS * given.shape.reduce((product, side) => product * side, 1);
  const shape = [ROWS, ...given.shape];
  const values = noise(size, 3).map((value) => value * 4);
  const z = tf.tidy(() => tf.variable(tf.tensor(values, shape)));
  const { head } = given;
  const whole = { outputs: [head] } as unknown as Head;
  const compiled = await engine.compile(
    ([y]) => {
      if (y === undefined) throw new TypeError('no labels');
      const { value, grads } = tf.variableGrads(() => meanLoss(whole, [y], [activate(given, z)]), [z]);
      const out = activate(given, z);
      const real = tf.tensor1d([1, 1, 1, 1, 1, 0, 0]);
      return [
        value,
        grads[z.name] ?? tf.scalar(Number.NaN),
        rowLoss(head, y, out),
        rowAccuracy(head, y, out),
        ...metricSums(head, y, out, real),
      ];
    },
    [z],
    [{ shape, dtype: 'float32' }],
    [],
  );
  try {
    return await compiled.run([labelsOf(given)], {});
  } finally {
    compiled.dispose();
    z.dispose();
  }
}

let cpu: Engine;
beforeAll(async () => {
  cpu = await findEngine('cpu').load();
});
afterAll(() => tf.setBackend('cpu'));

describe.each(['onnxruntime', 'wasm', 'tfjs-node', 'webgpu'])('%s', (name) => {
  it.each(cases.map((given) => ({ title: given.title, given })))('$title', async ({ given }) => {
    const status = await findEngine(name).probe();
    // Engines of a user's project are here where SHRINKNETS_ENGINES names them (foreign.test.ts).
    if (!status.available && !['onnxruntime', 'wasm'].includes(name)) return;
    await tf.setBackend('cpu');
    const expected = await measure(cpu, given);
    const found = await measure(await findEngine(name).load(), given);
    await tf.setBackend('cpu');
    expect(found.length).toBe(4 + metricCount(given.head));
    expect(found.length).toBe(expected.length);
    expect(worstError(found, expected)).toBeLessThan(1e-4);
  });
});

describe('TensorFlow.js', () => {
  /** The function that a model is trained with: TensorFlow.js does not export most of them. */
  function lossOf(loss: LossName): (y: tf.Tensor, p: tf.Tensor) => tf.Tensor {
    const inputs = tf.input({ shape: [1] });
    const model = tf.model({
      inputs,
      outputs: tf.layers.dense({ units: 1 }).apply(inputs) as tf.SymbolicTensor,
    });
    model.compile({ optimizer: 'sgd', loss });
    const [measureIt] = (model as unknown as { lossFunctions: ReturnType<typeof lossOf>[] }).lossFunctions;
    model.dispose();
    if (measureIt === undefined) throw new TypeError(`no loss ${loss}`);
    return measureIt;
  }

  const plain = cases.filter(({ head }) => !head.fromLogits);
  it.each(plain.map((given) => ({ title: given.title, given })))('has the same $title', async ({ given }) => {
    await tf.setBackend('cpu');
    const { loss } = given.head;
    const shape = [ROWS, ...given.shape];
    const size = shape.reduce((product, side) => product * side, 1);
    const values = noise(size, 3).map((value) => value * 4);
    tf.tidy(() => {
      const y = tf.tensor(labelsOf(given), shape);
      const sparse = loss === 'sparseCategoricalCrossentropy' ? tf.cast(tf.argMax(y, -1), 'float32') : y;
      const theirs = (labels: tf.Tensor, p: tf.Tensor): tf.Scalar =>
        loss === 'huber' ? tf.losses.huberLoss(labels, p) : tf.mean(lossOf(loss)(labels, p));
      const ours = { outputs: [given.head] } as unknown as Head;
      const both = [
        (z: tf.Tensor) => meanLoss(ours, [y], [activate(given, z)]),
        (z: tf.Tensor) => theirs(sparse, activate(given, z)),
      ].map((f) => tf.valueAndGrad(f)(tf.tensor(values, shape)));
      const [found, expected] = both.map(({ value, grad }) => [
        value.dataSync() as Float32Array,
        grad.dataSync() as Float32Array,
      ]);
      expect(found?.[1]?.some((slope) => slope !== 0)).toBe(true);
      expect(worstError(found ?? [], expected ?? [])).toBeLessThan(1e-5);
    });
  });
});

it.each(cases.map((given) => ({ title: given.title, given })))(
  'the gradient is that of differences: $title',
  async ({ given }) => {
    await tf.setBackend('cpu');
    const [, gradient] = await measure(cpu, given);
    const size = gradient?.length ?? 0;
    const values = noise(size, 3).map((value) => value * 4);
    const lossAt = (moved: Float32Array): number =>
      tf.tidy(() => {
        const z = tf.tensor(moved, [ROWS, ...given.shape]);
        const y = tf.tensor(labelsOf(given), [ROWS, ...given.shape]);
        const rows = rowLoss(given.head, y, activate(given, z)).dataSync();
        return Array.from(rows).reduce((sum, value) => sum + value, 0) / ROWS;
      });
    for (let i = 0; i < size; i += 5) {
      const at = (by: number): number => lossAt(values.map((value, j) => (j === i ? value + by : value)));
      const [below, here, above] = [at(-1e-2), at(0), at(1e-2)];
      // A loss with corners has no difference to compare with where one lies in between.
      const bend = Math.abs(above - 2 * here + below) / 1e-2;
      const slope = (above - below) / 2e-2;
      if (bend > 0.2 * Math.abs(slope) + 1e-2) continue;
      const scale = Math.max(1, Math.abs(slope));
      expect((gradient?.[i] ?? Number.NaN) / scale).toBeCloseTo(slope / scale, 3);
    }
  },
);
