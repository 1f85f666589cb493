/**
 * Gradients of pooling on plain arrays, channels last. Used by every engine whose own are wrong: `wasm` takes the
 * wrong maximum, `cpu` too in three dimensions, `wasm` and `cpu` divide an average at a padded border by the whole window
 * although the forward pass divides by the part inside.
 */
import { forEachWindow, type PoolGeometry } from './poolWindows';

/**
 * The gradient of a maximum goes to the first of the largest elements, as in TensorFlow.
 *
 * @param x input, `[batch, (depth,) height, width, channels]`
 * @param dy gradient of the output
 * @param dx receives the gradient of the input; must be zeros
 */
export function addMaxPoolGradient(
  x: Float32Array,
  dy: Float32Array,
  dx: Float32Array,
  pool: PoolGeometry,
): void {
  const { channels } = pool;
  forEachWindow(pool, (out, pixels, count) => {
    for (let c = 0; c < channels; c += 1) {
      let at = (pixels[0] ?? 0) + c;
      let largest = x[at] ?? 0;
      for (let i = 1; i < count; i += 1) {
        const candidate = (pixels[i] ?? 0) + c;
        const value = x[candidate] ?? 0;
        if (value > largest) {
          largest = value;
          at = candidate;
        }
      }
      dx[at] = (dx[at] ?? 0) + (dy[out + c] ?? 0);
    }
  });
}

/**
 * The gradient of an average is shared by the elements that were averaged: those of the window inside the input.
 *
 * @param dy gradient of the output
 * @param dx receives the gradient of the input; must be zeros
 */
export function addAveragePoolGradient(dy: Float32Array, dx: Float32Array, pool: PoolGeometry): void {
  const { channels } = pool;
  forEachWindow(pool, (out, pixels, count) => {
    const share = 1 / count;
    for (let i = 0; i < count; i += 1) {
      const pixel = pixels[i] ?? 0;
      for (let c = 0; c < channels; c += 1) dx[pixel + c] = (dx[pixel + c] ?? 0) + (dy[out + c] ?? 0) * share;
    }
  });
}
