import fc from 'fast-check';
import { beforeAll, expect, it } from 'vitest';
import { findEngine } from '../../src/engine/registry';
import * as tf from '../../src/engine/tf';

/** Comparisons and truths on `wasm`, of every number of elements around that of a run of the loops (16). */

beforeAll(async () => {
  await findEngine('wasm').load();
});

/** Numbers of which many are equal, some are none and some have no size. */
const number = fc.constantFrom(0, -0, 1, -1, 2, 0.1, NaN, Infinity, -Infinity, 1e-40);
const arrays = fc
  .integer({ min: 1, max: 50 })
  .chain((length) =>
    fc.tuple(
      ...[0, 1].map(() =>
        fc.array(number, { minLength: length, maxLength: length }).map((values) => Float32Array.from(values)),
      ),
      fc.array(fc.boolean(), { minLength: length, maxLength: length }),
      fc.array(fc.boolean(), { minLength: length, maxLength: length }),
    ),
  ) as unknown as fc.Arbitrary<[Float32Array, Float32Array, boolean[], boolean[]]>;

const comparisons = {
  equal: (a: number, b: number) => a === b,
  notEqual: (a: number, b: number) => a !== b,
  less: (a: number, b: number) => a < b,
  lessEqual: (a: number, b: number) => a <= b,
  greater: (a: number, b: number) => a > b,
  greaterEqual: (a: number, b: number) => a >= b,
} as const;

const bits = (values: Iterable<boolean>): number[] => Array.from(values, Number);

it.each(Object.keys(comparisons) as (keyof typeof comparisons)[])('%s', (name) => {
  fc.assert(
    fc.property(arrays, ([a, b]) => {
      tf.tidy(() => {
        const both = tf[name](tf.tensor1d(a), tf.tensor1d(b));
        expect(both.dtype).toBe('bool');
        const expected = Array.from(a, (value, i) => comparisons[name](value, b[i] ?? 0));
        expect(Array.from(both.dataSync())).toEqual(bits(expected));
        const scalar = tf[name](tf.tensor1d(a), tf.scalar(b[0] ?? 0)).dataSync();
        expect(Array.from(scalar)).toEqual(
          bits(Array.from(a, (value) => comparisons[name](value, b[0] ?? 0))),
        );
      });
    }),
  );
});

it('logicalAnd, logicalOr and where', () => {
  fc.assert(
    fc.property(arrays, ([a, b, p, q]) => {
      tf.tidy(() => {
        const [x, y] = [tf.tensor1d(p, 'bool'), tf.tensor1d(q, 'bool')];
        expect(Array.from(tf.logicalAnd(x, y).dataSync())).toEqual(bits(p.map((v, i) => v && q[i] === true)));
        expect(Array.from(tf.logicalOr(x, y).dataSync())).toEqual(bits(p.map((v, i) => v || q[i] === true)));
        const chosen = tf.where(x, tf.tensor1d(a), tf.tensor1d(b)).dataSync();
        expect(chosen).toEqual(Float32Array.from(p, (v, i) => (v ? a : b)[i] ?? 0));
      });
    }),
  );
});

it('compares what is broadcast', () => {
  tf.tidy(() => {
    const x = tf.tensor4d(
      Float32Array.from({ length: 2 * 3 * 4 * 5 }, (_, i) => (i * 7) % 11),
      [2, 3, 4, 5],
    );
    const largest = tf.max(x, [1, 2], true);
    const [values, top] = [x.dataSync(), largest.dataSync()];
    const expected = Array.from(values, (value, i) => value === top[Math.floor(i / 60) * 5 + (i % 5)]);
    expect(Array.from(tf.equal(x, largest).dataSync())).toEqual(bits(expected));
    expect(Array.from(tf.equal(largest, x).dataSync())).toEqual(bits(expected));
    const column = tf.tensor2d([1, 2, 3], [3, 1]);
    expect(Array.from(tf.less(column, tf.tensor1d([2, 3])).dataSync())).toEqual([1, 1, 0, 1, 0, 0]);
  });
});
