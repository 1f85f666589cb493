import { beforeAll, describe, expect, it } from 'vitest';
import { findEngine } from '../../src/engine/registry';
import * as tf from '../../src/engine/tf';
import { noise } from './support';

/** What tfjs-node computes in another way than TensorFlow.js asks for, where `SHRINKNETS_ENGINES` names a folder that has it. */
const provider = findEngine('tfjs-node');
const { available } = await provider.probe();

describe.skipIf(!available)('tfjs-node', () => {
  beforeAll(async () => {
    await provider.load();
  });

  const sizes = [
    { a: [5, 7], b: [7, 3], out: [5, 3] },
    { a: [1, 5, 7], b: [1, 7, 3], out: [1, 5, 3] },
    { a: [1, 1, 5, 7], b: [7, 3], out: [1, 1, 5, 3] },
    { a: [2, 5, 7], b: [1, 7, 3], out: [2, 5, 3] },
    // More steps than those up to which a transposed right factor goes the other way.
    { a: [4, 300], b: [300, 6], out: [4, 6] },
  ];
  const ways = [
    [false, false],
    [true, false],
    [false, true],
    [true, true],
  ] as const;

  it.each(sizes.flatMap((size) => ways.map(([left, right]) => ({ ...size, left, right }))))(
    'multiplies $a by $b (transposed: $left, $right) and keeps no tensor',
    ({ a, b, out, left, right }) => {
      const size = (shape: readonly number[]): number => shape.reduce((product, n) => product * n, 1);
      const turned = (shape: readonly number[], is: boolean): number[] =>
        is ? [...shape.slice(0, -2), shape.at(-1) ?? 0, shape.at(-2) ?? 0] : [...shape];
      const [x, y] = [noise(size(a), 1), noise(size(b), 2)];
      const [rows = 0, steps = 0, columns = 0] = [a.at(-2), a.at(-1), b.at(-1)];
      const before = tf.memory().numTensors;
      tf.tidy(() => {
        const product = tf.matMul(tf.tensor(x, turned(a, left)), tf.tensor(y, turned(b, right)), left, right);
        // The result and its factors: what is made in between is let go of.
        expect(tf.memory().numTensors - before).toBe(3);
        expect(product.shape).toEqual(out);
        product.dataSync().forEach((value, i) => {
          const [batch, row, column] = [
            Math.floor(i / (rows * columns)),
            Math.floor(i / columns) % rows,
            i % columns,
          ];
          const fromX = (batch * rows * steps) % x.length;
          let sum = 0;
          for (let s = 0; s < steps; s += 1) {
            const ofX = x[fromX + (left ? s * rows + row : row * steps + s)] ?? NaN;
            sum += ofX * (y[right ? column * steps + s : s * columns + column] ?? NaN);
          }
          expect(value).toBeCloseTo(sum, 4);
        });
      });
      expect(tf.memory().numTensors).toBe(before);
    },
  );

  it('steps are 0 or 1, and what is no number stays none', () => {
    tf.tidy(() => {
      const x = tf.tensor1d([NaN, -Infinity, -2, -0, 0, 1e-37, 3, Infinity]);
      expect(Array.from(tf.step(x).dataSync())).toEqual([NaN, 0, 0, 0, 0, 1, 1, 1]);
      expect(Array.from(tf.step(x, 0.5).dataSync())).toEqual([NaN, 0.5, 0.5, 0.5, 0.5, 1, 1, 1]);
    });
  });
});
