import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { sizeOf } from '../../src/core/tensor';
import { findEngine } from '../../src/engine/registry';
import * as tf from '../../src/engine/tf';
import { noise } from './support';

/** Sums over axes, and rows with tensors, on `wasm`. */

beforeAll(async () => {
  await findEngine('wasm').load();
});

const UNIT = 2 ** -24;
const shapes = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 4 });

describe('sums and means', () => {
  const check = (shape: readonly number[], axes: readonly number[], keepDims: boolean): void => {
    const values = noise(sizeOf(shape), sizeOf(shape));
    const kept = shape.map((length, axis) => (axes.includes(axis) ? 1 : length));
    const exact = new Float64Array(sizeOf(kept));
    const magnitude = new Float64Array(exact.length);
    values.forEach((value, i) => {
      let [rest, at, step] = [i, 0, 1];
      for (let axis = shape.length - 1; axis >= 0; axis -= 1) {
        const index = rest % (shape[axis] ?? 1);
        rest = Math.floor(rest / (shape[axis] ?? 1));
        if (axes.includes(axis)) continue;
        at += index * step;
        step *= shape[axis] ?? 1;
      }
      exact[at] = (exact[at] ?? NaN) + value;
      magnitude[at] = (magnitude[at] ?? NaN) + Math.abs(value);
    });
    const count = values.length / exact.length;
    tf.tidy(() => {
      const x = tf.tensor(values, [...shape]);
      const sum = tf.sum(x, [...axes], keepDims);
      expect(sum.shape).toEqual(keepDims ? kept : shape.filter((_, axis) => !axes.includes(axis)));
      const sums = sum.dataSync();
      const means = tf.mean(x, [...axes], keepDims).dataSync();
      exact.forEach((value, i) => {
        const most = count * UNIT * (magnitude[i] ?? NaN);
        expect(Math.abs((sums[i] ?? NaN) - value)).toBeLessThanOrEqual(most);
        expect(Math.abs((means[i] ?? NaN) - value / count)).toBeLessThanOrEqual((most + UNIT) / count + UNIT);
      });
    });
  };

  it('are those of the axes, whichever they are', () => {
    fc.assert(
      fc.property(
        shapes.chain((shape) =>
          fc.tuple(fc.constant(shape), fc.subarray(shape.map((_, axis) => axis)), fc.boolean()),
        ),
        ([shape, axes, keepDims]) => {
          if (axes.length > 0) check(shape, axes, keepDims);
        },
      ),
      { numRuns: 300 },
    );
  });

  it.each([
    [[255, 37], [0]],
    [[256, 16], [0]],
    [[1000, 3], [0]],
    [
      [2, 30, 11, 21],
      [1, 2],
    ],
  ])('are those of many rows: %j over %j', (shape, axes) => {
    check(shape, axes, false);
  });

  it('of many equal numbers lose nothing that a float can hold', () => {
    const sum = tf.tidy(() => tf.sum(tf.fill([100_000, 2], 0.1), 0).dataSync());
    // One after the other in single precision they would be 9998.557 each.
    expect(Array.from(sum, (value) => Math.abs(value - 10_000) < 0.01)).toEqual([true, true]);
  });

  it('of no rows are zeros', () => {
    expect(tf.tidy(() => tf.sum(tf.zeros([0, 3]), 0).dataSync())).toEqual(new Float32Array(3));
  });
});

describe('a row with a tensor', () => {
  const operations = {
    add: (a: number, b: number) => a + b,
    sub: (a: number, b: number) => a - b,
    mul: (a: number, b: number) => a * b,
    div: (a: number, b: number) => a / b,
  } as const;

  it.each(Object.keys(operations) as (keyof typeof operations)[])('%s is exact for every element', (name) => {
    fc.assert(
      fc.property(
        shapes.chain((shape) =>
          fc.tuple(fc.constant(shape), fc.nat(shape.length - 1), fc.nat(2), fc.boolean()),
        ),
        ([shape, from, ones, turned]) => {
          const inner = shape.slice(from);
          // Ones before it, as batch normalisation has them; at most as many as there are axes.
          const rowShape = [...Array<number>(Math.min(ones, from)).fill(1), ...inner];
          const [x, row] = [noise(sizeOf(shape), 1), noise(sizeOf(inner), 2)];
          const out = tf.tidy(() => {
            const [a, b] = [tf.tensor(x, shape), tf.tensor(row, rowShape)];
            return (turned ? tf[name](b, a) : tf[name](a, b)).dataSync();
          });
          const expected = x.map((value, i) => {
            const other = row[i % row.length] ?? NaN;
            return turned ? operations[name](other, value) : operations[name](value, other);
          });
          expect(out).toEqual(expected);
        },
      ),
      { numRuns: 200 },
    );
  });
});
