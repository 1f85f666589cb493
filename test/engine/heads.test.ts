import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Engine } from '../../src/engine/engine';
import { findEngine } from '../../src/engine/registry';
import * as tf from '../../src/engine/tf';
import {
  meanLoss,
  rowAccuracy,
  rowLoss,
  type Head,
  type LossName,
  type OutputHead,
} from '../../src/train/head';
import { metricSums } from '../../src/train/measures';
import { noise, worstError } from './support';

/** Every loss and every metric, with what reaches the network from it, on every engine that is here. */

const ROWS = 7;

interface Case {
  readonly title: string;
  readonly head: OutputHead;
  /** Of one row of outputs; labels have the same. */
  readonly shape: readonly number[];
}

const METRICS: Readonly<Record<LossName, OutputHead['metrics']>> = {
  meanSquaredError: ['meanAbsoluteError', 'meanSquaredError', 'rootMeanSquaredError'],
  binaryCrossentropy: ['precision', 'recall'],
  categoricalCrossentropy: [],
  sparseCategoricalCrossentropy: [],
};

const cases: readonly Case[] = (
  [
    'meanSquaredError',
    'binaryCrossentropy',
    'categoricalCrossentropy',
    'sparseCategoricalCrossentropy',
  ] as const
).flatMap((loss) => {
  const isSoftmax = loss.endsWith('ategoricalCrossentropy');
  // One number a row, several, and several of each of some places (a sequence, an image).
  const shapes = isSoftmax ? [[4], [3, 4]] : [[1], [4], [3, 4]];
  const forms = loss === 'meanSquaredError' ? [false] : [false, true];
  return shapes.flatMap((shape) =>
    forms.map((fromLogits) => ({
      title: `${loss} of ${fromLogits ? 'logits' : 'outputs'} [${shape.join(', ')}]`,
      head: {
        name: 'out',
        loss,
        fromLogits,
        width: shape.at(-1) ?? 1,
        classifies: loss !== 'meanSquaredError',
        metrics: METRICS[loss],
      },
      shape,
    })),
  );
});

/** Outputs as the head takes them: numbers, logits or what the last activation makes of them. */
function activate({ head }: Case, z: tf.Tensor): tf.Tensor {
  if (head.fromLogits || head.loss === 'meanSquaredError') return z;
  return head.loss === 'binaryCrossentropy' ? tf.sigmoid(z) : tf.softmax(z);
}

function labelsOf({ head, shape }: Case): Float32Array {
  const size = ROWS * shape.reduce((product, side) => product * side, 1);
  if (head.loss === 'meanSquaredError') return noise(size, 5);
  if (head.loss === 'binaryCrossentropy') return noise(size, 5).map((value) => (value > 0 ? 1 : 0));
  const width = head.width;
  return Float32Array.from({ length: size }, (_, i) => (((i / width) | 0) % width === i % width ? 1 : 0));
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
    expect(found.length).toBe(4 + metricSumsOf(given));
    expect(found.length).toBe(expected.length);
    expect(worstError(found, expected)).toBeLessThan(1e-4);
  });
});

/** How many sums its metrics take: squares are shared, and so are the counts of precision and recall. */
function metricSumsOf({ head }: Case): number {
  return head.loss === 'meanSquaredError' ? 2 : head.loss === 'binaryCrossentropy' ? 3 : 0;
}

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
      expect(gradient?.[i]).toBeCloseTo((at(1e-2) - at(-1e-2)) / 2e-2, 3);
    }
  },
);
