/**
 * Pooling: the stock gradient of a maximum is wrong without an error, that of an average wrong at padded borders, and so is
 * the maximum itself in three dimensions where all of a window is negative.
 */
import type { AvgPoolGradAttrs, MaxPool3DAttrs, MaxPoolGradAttrs, TensorInfo } from '@tensorflow/tfjs-core';
import { takeMaxima } from '../kernels/maxPool';
import { pool2DGeometry, pool3DGeometry } from '../kernels/poolGeometry';
import { addAveragePoolGradient, addMaxPoolGradient } from '../kernels/poolGradient';
import type { PoolGeometry } from '../kernels/poolWindows';
import { floats, replaceKernel, zeros, type KernelCall } from './heap';

type Geometry = typeof pool2DGeometry | typeof pool3DGeometry;

/** Whether the pooling is the usual one, two by two without overlap or padding. */
function isTwoByTwo({ window, stride, padBefore, input, output }: PoolGeometry): boolean {
  return (
    input.depth === 1 &&
    [window.height, window.width, stride.height, stride.width].every((length) => length === 2) &&
    padBefore.height === 0 &&
    padBefore.width === 0 &&
    output.height * 2 <= input.height &&
    output.width * 2 <= input.width
  );
}

/** {@link addMaxPoolGradient} for {@link isTwoByTwo}: three comparisons, no inner loop. */
function addTwoByTwoGradient(x: Float32Array, dy: Float32Array, dx: Float32Array, pool: PoolGeometry): void {
  const { channels, input, output } = pool;
  const row = input.width * channels;
  let from = 0;
  for (let line = 0; line < pool.batch * output.height; line += 1) {
    const image = Math.floor(line / output.height);
    let corner = (image * input.height + (line % output.height) * 2) * row;
    for (let column = 0; column < output.width; column += 1) {
      for (let c = 0; c < channels; c += 1) {
        let largest = x[corner] ?? 0;
        let at = corner;
        const right = x[corner + channels] ?? 0;
        if (right > largest) {
          largest = right;
          at = corner + channels;
        }
        const below = x[corner + row] ?? 0;
        if (below > largest) {
          largest = below;
          at = corner + row;
        }
        if ((x[corner + row + channels] ?? 0) > largest) at = corner + row + channels;
        dx[at] = dy[from] ?? 0;
        from += 1;
        corner += 1;
      }
      corner += channels;
    }
  }
}

function maxPoolGradient(geometryOf: Geometry) {
  return ({ inputs, attrs, backend }: KernelCall<'dy' | 'input', MaxPoolGradAttrs>): TensorInfo => {
    const { dy, input } = inputs;
    const pool = geometryOf(input.shape, attrs);
    const dx = zeros(backend, input.shape);
    const add = isTwoByTwo(pool) ? addTwoByTwoGradient : addMaxPoolGradient;
    add(floats(backend, input), floats(backend, dy), floats(backend, dx), pool);
    return dx;
  };
}

function averagePoolGradient(geometryOf: Geometry) {
  return ({ inputs, attrs, backend }: KernelCall<'dy' | 'input', AvgPoolGradAttrs>): TensorInfo => {
    const { dy, input } = inputs;
    const dx = zeros(backend, input.shape);
    addAveragePoolGradient(floats(backend, dy), floats(backend, dx), geometryOf(input.shape, attrs));
    return dx;
  };
}

/** @returns `[batch, outDepth, outHeight, outWidth, channels]` */
function maxPool3D({ inputs, attrs, backend }: KernelCall<'x', MaxPool3DAttrs>): TensorInfo {
  const { x } = inputs;
  const pool = pool3DGeometry(x.shape, attrs);
  const { depth, height, width } = pool.output;
  const out = backend.makeOutput([pool.batch, depth, height, width, pool.channels], 'float32');
  takeMaxima(floats(backend, x), floats(backend, out), pool);
  return out;
}

export function installPooling(): void {
  replaceKernel('MaxPool3D', maxPool3D);
  replaceKernel('MaxPoolGrad', maxPoolGradient(pool2DGeometry));
  replaceKernel('MaxPool3DGrad', maxPoolGradient(pool3DGeometry));
  replaceKernel('AvgPoolGrad', averagePoolGradient(pool2DGeometry));
  replaceKernel('AvgPool3DGrad', averagePoolGradient(pool3DGeometry));
}
