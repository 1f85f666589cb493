import { backend } from '@tensorflow/tfjs-core';
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { sizeOf } from '../../src/core/tensor';
import { findEngine } from '../../src/engine/registry';
import * as tf from '../../src/engine/tf';
import { denseMatrix, multiply } from '../../src/engine/wasmKernels/product/product';
import { noise } from './support';

/** Products and convolutions of `wasm` against sums in double precision. */

beforeAll(async () => {
  await findEngine('wasm').load();
});

/** Half of the distance from 1 to the next float. */
const UNIT = 2 ** -24;

/** Expects a sum of `terms` products in single precision: its error is at most their number times that of one. */
function expectSum(actual: number, exact: number, magnitude: number, terms: number): void {
  expect(Math.abs(actual - exact)).toBeLessThanOrEqual((terms + 2) * UNIT * magnitude);
}

/** Sizes around those of tiles (4, 8), of a block's depth (256) and its rows and columns (128, 1024). */
const small = fc.integer({ min: 1, max: 40 });
const sizes = fc.oneof(
  { weight: 8, arbitrary: fc.tuple(small, small, small) },
  { weight: 1, arbitrary: fc.tuple(small, fc.constantFrom(255, 256, 257, 511, 513), small) },
  { weight: 1, arbitrary: fc.tuple(fc.constantFrom(127, 129, 257, 1023, 1025), small, small) },
  { weight: 1, arbitrary: fc.tuple(small, small, fc.constantFrom(1023, 1024, 1025, 2049)) },
);

describe('a matrix product', () => {
  it('is the sum that it says, whatever is transposed', () => {
    fc.assert(
      fc.property(sizes, fc.boolean(), fc.boolean(), ([m, k, n], transposeA, transposeB) => {
        const [a, b] = [noise(m * k, m + k), noise(k * n, k + n + 1)];
        const product = tf.tidy(() =>
          tf
            .matMul(
              tf.tensor2d(a, transposeA ? [k, m] : [m, k]),
              tf.tensor2d(b, transposeB ? [n, k] : [k, n]),
              transposeA,
              transposeB,
            )
            .dataSync(),
        );
        expect(product).toHaveLength(m * n);
        for (let i = 0; i < m; i += 1)
          for (let j = 0; j < n; j += 1) {
            let [sum, magnitude] = [0, 0];
            for (let s = 0; s < k; s += 1) {
              const term =
                (a[transposeA ? s * m + i : i * k + s] ?? NaN) *
                (b[transposeB ? j * k + s : s * n + j] ?? NaN);
              sum += term;
              magnitude += Math.abs(term);
            }
            expectSum(product[i * n + j] ?? NaN, sum, magnitude, k);
          }
      }),
      { numRuns: 60 },
    );
  });

  it('has rows that do not depend on what other rows there are', () => {
    const [k, n] = [300, 19];
    const [a, b] = [noise(150 * k, 1), noise(k * n, 2)];
    const rowsOf = (first: number, rows: number): Float32Array =>
      tf.tidy(() =>
        tf
          .matMul(tf.tensor2d(a.slice(first * k, (first + rows) * k), [rows, k]), tf.tensor2d(b, [k, n]))
          .dataSync(),
      ) as Float32Array;
    const all = rowsOf(0, 150);
    for (const [first, rows] of [
      [0, 1],
      [3, 5],
      [127, 2],
      [148, 2],
    ] as const)
      expect(rowsOf(first, rows)).toEqual(all.slice(first * n, (first + rows) * n));
  });

  it.each([
    [1, 1],
    [5, 9],
    [7, 15],
    [130, 1030],
  ] as const)('of %i rows and %i columns writes nothing beside its place', (m, n) => {
    tf.tidy(() => {
      const wasm = backend() as unknown as BackendWasm;
      const margin = 20;
      const place = tf.fill([m * n + 2 * margin], 9);
      const factors = [tf.ones([m, 3]), tf.ones([3, n])];
      const [left = 0, right = 0] = factors.map(({ dataId }) => wasm.getMemoryOffset(dataId));
      multiply(wasm, {
        left: denseMatrix(left, m, 3),
        right: denseMatrix(right, 3, n),
        transposeLeft: false,
        transposeRight: false,
        out: wasm.getMemoryOffset(place.dataId) + margin * 4,
        adds: false,
      });
      const expected = new Float32Array(place.size).fill(9);
      expect(place.dataSync()).toEqual(expected.fill(3, margin, margin + m * n));
    });
  });

  it('broadcasts its outer axes', () => {
    tf.tidy(() => {
      const [a, b] = [
        tf.tensor4d(noise(2 * 4 * 3, 5), [2, 1, 4, 3]),
        tf.tensor3d(noise(3 * 3 * 5, 6), [3, 3, 5]),
      ];
      const product = tf.matMul(a, b);
      expect(product.shape).toEqual([2, 3, 4, 5]);
      for (let i = 0; i < 2; i += 1)
        for (let j = 0; j < 3; j += 1) {
          const left = tf.reshape(tf.slice(a, [i, 0, 0, 0], [1, 1, 4, 3]), [4, 3]);
          const right = tf.reshape(tf.slice(b, [j, 0, 0], [1, 3, 5]), [3, 5]);
          const part = tf.slice(product, [i, j, 0, 0], [1, 1, 4, 5]);
          expect(part.dataSync()).toEqual(tf.matMul(left, right).dataSync());
        }
    });
  });

  it('of nothing is zeros', () => {
    tf.tidy(() => {
      expect(tf.matMul(tf.zeros([3, 0]), tf.zeros([0, 2])).dataSync()).toEqual(new Float32Array(6));
      expect(tf.matMul(tf.zeros([0, 4]), tf.zeros([4, 2])).shape).toEqual([0, 2]);
    });
  });

  it('keeps what is not a number, and only there', () => {
    const a = Float32Array.of(1, NaN, 2, 3);
    const product = tf.tidy(() =>
      tf.matMul(tf.tensor2d(a, [2, 2]), tf.tensor2d([1, 2, 3, 4], [2, 2])).dataSync(),
    );
    expect(Array.from(product)).toEqual([NaN, NaN, 11, 16]);
  });

  it.each(['linear', 'relu', 'relu6', 'elu', 'sigmoid', 'leakyrelu', 'prelu'] as const)(
    'with a bias and %s is the same as one after the other',
    (activation) => {
      tf.tidy(() => {
        const [a, b] = [tf.tensor2d(noise(5 * 9, 1), [5, 9]), tf.tensor2d(noise(9 * 6, 2), [9, 6])];
        const [bias, alpha] = [tf.tensor1d(noise(6, 3)), tf.tensor1d(noise(6, 4))];
        const fused = tf.fused.matMul({
          a,
          b,
          bias,
          activation,
          leakyreluAlpha: 0.3,
          ...(activation === 'prelu' ? { preluActivationWeights: alpha } : {}),
        });
        const sums = tf.add(tf.matMul(a, b), bias);
        const apart = {
          linear: () => sums,
          relu: () => tf.relu(sums),
          relu6: () => tf.relu6(sums),
          elu: () => tf.elu(sums),
          sigmoid: () => tf.sigmoid(sums),
          leakyrelu: () => tf.leakyRelu(sums, 0.3),
          prelu: () => tf.prelu(sums, alpha),
        }[activation]();
        const expected = apart.dataSync();
        fused.dataSync().forEach((value, i) => expect(value).toBeCloseTo(expected[i] ?? NaN, 5));
      });
    },
  );
});

interface Convolution {
  readonly batch: number;
  readonly image: readonly [number, number];
  readonly filter: readonly [number, number];
  readonly channels: readonly [number, number];
  readonly strides: readonly [number, number];
  readonly dilations: readonly [number, number];
  readonly pad: 'same' | 'valid' | readonly [number, number, number, number];
}

const side = fc.integer({ min: 1, max: 3 });
const pair = (arbitrary: fc.Arbitrary<number>) => fc.tuple(arbitrary, arbitrary);
const border = fc.integer({ min: 0, max: 4 });
const convolutions: fc.Arbitrary<Convolution> = fc
  .record({
    batch: side,
    image: pair(fc.integer({ min: 1, max: 11 })),
    filter: pair(fc.integer({ min: 1, max: 4 })),
    channels: pair(fc.integer({ min: 1, max: 9 })),
    strides: pair(side),
    dilations: fc.oneof(fc.constant([1, 1] as [number, number]), pair(fc.constantFrom(1, 2, 3))),
    pad: fc.oneof(
      fc.constantFrom<'same' | 'valid'>('same', 'valid'),
      fc.tuple(border, border, border, border),
    ),
  })
  // TensorFlow.js refuses both at once, and a window must fit.
  .map((c) => (c.dilations.some((d) => d > 1) ? { ...c, strides: [1, 1] as [number, number] } : c))
  .filter((c) => outSides(c).every((length) => length > 0));

function padding({ image, filter, strides, dilations, pad }: Convolution, axis: 0 | 1): [number, number] {
  if (typeof pad !== 'string') return axis === 0 ? [pad[0], pad[1]] : [pad[2], pad[3]];
  if (pad === 'valid') return [0, 0];
  const reach = (filter[axis] - 1) * dilations[axis] + 1;
  const missing = Math.max(
    0,
    (Math.ceil(image[axis] / strides[axis]) - 1) * strides[axis] + reach - image[axis],
  );
  return [missing >> 1, missing - (missing >> 1)];
}

function outSides(c: Convolution): [number, number] {
  const length = (axis: 0 | 1): number => {
    const [before, behind] = padding(c, axis);
    const reach = (c.filter[axis] - 1) * c.dilations[axis] + 1;
    return Math.floor((c.image[axis] + before + behind - reach) / c.strides[axis]) + 1;
  };
  return [length(0), length(1)];
}

/** Visits every product of the convolution: indices of x, of the filter and of the output. */
function eachTerm(c: Convolution, visit: (x: number, filter: number, out: number) => void): void {
  const [tall, wide] = outSides(c);
  const [top] = padding(c, 0);
  const [left] = padding(c, 1);
  const [inChannels, outChannels] = c.channels;
  for (let n = 0; n < c.batch; n += 1)
    for (let oy = 0; oy < tall; oy += 1)
      for (let ox = 0; ox < wide; ox += 1)
        for (let fy = 0; fy < c.filter[0]; fy += 1)
          for (let fx = 0; fx < c.filter[1]; fx += 1) {
            const y = oy * c.strides[0] - top + fy * c.dilations[0];
            const x = ox * c.strides[1] - left + fx * c.dilations[1];
            if (y < 0 || x < 0 || y >= c.image[0] || x >= c.image[1]) continue;
            for (let i = 0; i < inChannels; i += 1)
              for (let o = 0; o < outChannels; o += 1)
                visit(
                  ((n * c.image[0] + y) * c.image[1] + x) * inChannels + i,
                  ((fy * c.filter[1] + fx) * inChannels + i) * outChannels + o,
                  ((n * tall + oy) * wide + ox) * outChannels + o,
                );
          }
}

describe('a convolution', () => {
  it('and its two gradients are the sums that they say', () => {
    fc.assert(
      fc.property(convolutions, (c) => {
        const [tall, wide] = outSides(c);
        const shapes = {
          x: [c.batch, ...c.image, c.channels[0]],
          filter: [...c.filter, ...c.channels],
          dy: [c.batch, tall, wide, c.channels[1]],
        };
        const values = {
          x: noise(sizeOf(shapes.x), 1),
          filter: noise(sizeOf(shapes.filter), 2),
          dy: noise(sizeOf(shapes.dy), 3),
        };
        const attrs = {
          strides: [...c.strides],
          dilations: [...c.dilations],
          dataFormat: 'NHWC',
          pad: typeof c.pad === 'string' ? c.pad : [[0, 0], c.pad.slice(0, 2), c.pad.slice(2), [0, 0]],
        };
        const run = (name: string, inputs: (keyof typeof shapes)[], more: object): Float32Array =>
          tf.tidy(() => {
            const tensors = Object.fromEntries(
              inputs.map((key) => [key, tf.tensor(values[key], shapes[key])]),
            );
            const out = tf.engine().runKernel<tf.Tensor>(name, tensors, { ...attrs, ...more });
            return out.dataSync() as Float32Array;
          });
        const actual = {
          out: run('Conv2D', ['x', 'filter'], {}),
          filter: run('Conv2DBackpropFilter', ['x', 'dy'], { filterShape: shapes.filter }),
          x: run('Conv2DBackpropInput', ['dy', 'filter'], { inputShape: shapes.x }),
        };
        const sums = Object.fromEntries(
          Object.entries(actual).map(([key, { length }]) => [
            key,
            {
              sum: new Float64Array(length),
              magnitude: new Float64Array(length),
              terms: new Uint32Array(length),
            },
          ]),
        );
        const count = (key: string, at: number, term: number): void => {
          const of = sums[key];
          if (of === undefined) return;
          of.sum[at] = (of.sum[at] ?? NaN) + term;
          of.magnitude[at] = (of.magnitude[at] ?? NaN) + Math.abs(term);
          of.terms[at] = (of.terms[at] ?? NaN) + 1;
        };
        eachTerm(c, (x, filter, out) => {
          const [ofX = NaN, ofFilter = NaN, ofDy = NaN] = [
            values.x[x],
            values.filter[filter],
            values.dy[out],
          ];
          count('out', out, ofX * ofFilter);
          count('filter', filter, ofX * ofDy);
          count('x', x, ofFilter * ofDy);
        });
        for (const [key, numbers] of Object.entries(actual)) {
          const { sum, magnitude, terms } = sums[key] ?? {};
          numbers.forEach((value, i) => {
            expectSum(value, sum?.[i] ?? NaN, magnitude?.[i] ?? NaN, terms?.[i] ?? NaN);
          });
        }
      }),
      { numRuns: 150 },
    );
  });
});

describe('a depthwise convolution', () => {
  it('has the two gradients that its own sums have, with any multiplier', () => {
    fc.assert(
      fc.property(convolutions, fc.integer({ min: 1, max: 3 }), (c, multiplier) => {
        const [tall, wide] = outSides(c);
        const inChannels = c.channels[0];
        const outChannels = inChannels * multiplier;
        const shapes = {
          x: [c.batch, ...c.image, inChannels],
          filter: [...c.filter, inChannels, multiplier],
          dy: [c.batch, tall, wide, outChannels],
        };
        const values = {
          x: noise(sizeOf(shapes.x), 4),
          filter: noise(sizeOf(shapes.filter), 5),
          dy: noise(sizeOf(shapes.dy), 6),
        };
        const attrs = {
          strides: [...c.strides],
          dilations: [...c.dilations],
          pad: typeof c.pad === 'string' ? c.pad : [[0, 0], c.pad.slice(0, 2), c.pad.slice(2), [0, 0]],
        };
        const run = (name: string, inputs: (keyof typeof shapes)[], more: object): Float32Array =>
          tf.tidy(() => {
            const tensors = Object.fromEntries(
              inputs.map((key) => [key, tf.tensor(values[key], shapes[key])]),
            );
            return tf
              .engine()
              .runKernel<tf.Tensor>(name, tensors, { ...attrs, ...more })
              .dataSync() as Float32Array;
          });
        const dFilter = run('DepthwiseConv2dNativeBackpropFilter', ['x', 'dy'], {
          filterShape: shapes.filter,
        });
        const dx = run('DepthwiseConv2dNativeBackpropInput', ['dy', 'filter'], { inputShape: shapes.x });
        const exact = { x: new Float64Array(dx.length), filter: new Float64Array(dFilter.length) };
        const one = { ...c, channels: [1, 1] as const };
        // Every product of a convolution of single channels, once for each channel and multiple of it.
        eachTerm(one, (x, filter, out) => {
          for (let i = 0; i < inChannels; i += 1)
            for (let m = 0; m < multiplier; m += 1) {
              const channel = i * multiplier + m;
              const [atX, atFilter] = [x * inChannels + i, filter * outChannels + channel];
              const dy = values.dy[out * outChannels + channel] ?? NaN;
              exact.x[atX] = (exact.x[atX] ?? NaN) + (values.filter[atFilter] ?? NaN) * dy;
              exact.filter[atFilter] = (exact.filter[atFilter] ?? NaN) + (values.x[atX] ?? NaN) * dy;
            }
        });
        dx.forEach((value, i) => expect(Math.abs(value - (exact.x[i] ?? NaN))).toBeLessThan(1e-4));
        dFilter.forEach((value, i) => expect(Math.abs(value - (exact.filter[i] ?? NaN))).toBeLessThan(1e-4));
      }),
      { numRuns: 150 },
    );
  });
});
