import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { normalSamples, seededRandom } from '../../src/core/random';
import type { Rows } from '../../src/data/dataset';
import type { CompiledStep } from '../../src/engine/engine';
import { findEngine } from '../../src/engine/registry';
import * as tf from '../../src/engine/tf';
import { Batches, batchesPerEpoch } from '../../src/train/batches';
import { BatchSteps } from '../../src/train/batchSteps';

/** Rows of one number, their own; and a label from it. */
function numbered(count: number): Rows {
  const data = Float32Array.from({ length: count }, (_, i) => i);
  return {
    count,
    x: { data, scale: 1, shape: [1] },
    y: { kind: 'values', features: { data: data.map((v) => v / 2), scale: 1, shape: [1] } },
  };
}

describe('batches', () => {
  it('hold every row once an epoch, the last one what is left', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 80 }), (rows, batchSize) => {
        const batches = new Batches(numbered(rows), batchSize, [[1]], 3);
        for (let epoch = 0; epoch < 3; epoch += 1) {
          const seen: number[] = [];
          for (let i = 0; i < batches.perEpoch; i += 1) {
            const step = epoch * batches.perEpoch + i;
            const [x, y] = batches.at(step);
            if (x === undefined || y === undefined) throw new RangeError('no batch');
            expect(x.length).toBe(batches.rowsAt(step));
            expect(x.length).toBe(
              i < batches.perEpoch - 1 ? batches.batchSize : rows - i * batches.batchSize,
            );
            expect(x.length).toBeGreaterThan(0);
            expect([...y]).toEqual([...x].map((v) => v / 2));
            seen.push(...x);
          }
          expect(seen.toSorted((a, b) => a - b)).toEqual(Array.from({ length: rows }, (_, i) => i));
        }
        expect(batches.perEpoch).toBe(batchesPerEpoch(rows, batchSize));
      }),
    );
  });

  it('come in an order that seed and step alone decide', () => {
    const make = (seed: number) => new Batches(numbered(50), 8, [[1]], seed);
    const there = make(3);
    there.at(40);
    const again = [...(there.at(9)[0] ?? [])];
    expect(again).toEqual([...(make(3).at(9)[0] ?? [])]);
    expect(again).not.toEqual([...(make(4).at(9)[0] ?? [])]);
    expect([...(make(3).at(2)[0] ?? [])]).not.toEqual(again);
  });
});

const hasOnnx = (await findEngine('onnxruntime').probe()).available;

const INPUTS = 6;
const ROWS = 21;

/** Two epochs over 21 rows in batches of 8: losses of all steps and the weights afterwards. */
async function train(name: string): Promise<{ losses: number[]; weights: number[]; compiled: number[] }> {
  const engine = await findEngine(name).load();
  const random = seededRandom(5);
  const rows: Rows = {
    count: ROWS,
    x: { data: normalSamples(ROWS * INPUTS, random), scale: 1, shape: [INPUTS] },
    y: { kind: 'values', features: { data: normalSamples(ROWS, random), scale: 1, shape: [1] } },
  };
  const model = tf.sequential();
  model.add(tf.layers.dense({ inputShape: [INPUTS], units: 4, useBias: false }));
  // Its statistics are those of the batch: rows to fill up the last one would show.
  model.add(tf.layers.batchNormalization());
  model.add(tf.layers.dense({ units: 1 }));
  tf.tidy(() => {
    for (const layer of model.layers)
      layer.setWeights(
        layer.getWeights().map((w) => tf.tensor(normalSamples(w.size, random), w.shape).abs()),
      );
  });
  const optimizer = tf.train.sgd(0.05);
  const batches = new Batches(rows, 8, [[1]], 1);
  const compiled: number[] = [];
  const steps = new BatchSteps(batches, (batch): Promise<CompiledStep> => {
    compiled.push(batch[0]?.shape[0] ?? 0);
    return engine.compile(
      ([x, y]) => {
        if (x === undefined || y === undefined) throw new RangeError('no batch');
        const loss = optimizer.minimize(
          () => tf.losses.meanSquaredError(y, model.apply(x, { training: true }) as tf.Tensor),
          true,
        );
        return loss === null ? [] : [loss];
      },
      [],
      batch,
      [],
    );
  });
  const losses: number[] = [];
  for (let step = 0; step < 2 * batches.perEpoch; step += 1)
    losses.push((await steps.run(step, {}))[0]?.[0] ?? NaN);
  await steps.pull();
  const weights = (await Promise.all(model.getWeights().map((w) => w.data()))).flatMap((w) => [...w]);
  steps.dispose();
  model.dispose();
  optimizer.dispose();
  return { losses, weights, compiled };
}

describe('a batch that was prepared', () => {
  it('is the one of its step, and leaves the one before as it was', () => {
    const plain = new Batches(numbered(20), 8, [[1]], 1);
    const batches = new Batches(numbered(20), 8, [[1]], 1);
    for (let step = 0; step < 7; step += 1) {
      const expected = plain.at(step).map((values) => [...values]);
      const found = batches.at(step);
      batches.prepare(step + 1);
      expect(found.map((values) => [...values])).toEqual(expected);
    }
  });

  it('is not prepared where that fails, and says why when it is asked for', () => {
    const rows = numbered(4);
    let whole = true;
    const batches = new Batches(
      {
        ...rows,
        x: {
          shape: [1],
          fill: () => {
            if (!whole) throw new Error('rows.bin became shorter');
          },
          ordered: () => new Uint32Array(4),
        },
      },
      2,
      [[1]],
      1,
    );
    batches.at(0);
    whole = false;
    expect(() => batches.prepare(1)).not.toThrow();
    expect(() => batches.at(1)).toThrow('became shorter');
  });
});

describe('a step over batches', () => {
  it.each([['wasm'], ...(hasOnnx ? [['onnxruntime']] : [])])(
    'trains the last, smaller batch on %s as on the reference, from the same state',
    async (name) => {
      const reference = await train('cpu');
      const found = await train(name);
      expect(found.compiled).toEqual([8, 5]);
      expect(found.losses).toHaveLength(6);
      const values = [...reference.losses, ...reference.weights];
      [...found.losses, ...found.weights].forEach((value, i) =>
        expect(value).toBeCloseTo(values[i] ?? NaN, 4),
      );
    },
  );
});
