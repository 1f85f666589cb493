import { forEachWindow, type PoolGeometry } from './poolWindows';

/**
 * The largest element of each window. `wasm`'s own in three dimensions never goes below the smallest positive number.
 *
 * @param x input, `[batch, (depth,) height, width, channels]`
 * @param out receives the maxima, `[batch, (outDepth,) outHeight, outWidth, channels]`
 */
export function takeMaxima(x: Float32Array, out: Float32Array, pool: PoolGeometry): void {
  const { channels } = pool;
  forEachWindow(pool, (target, pixels, count) => {
    for (let c = 0; c < channels; c += 1) {
      let largest = x[(pixels[0] ?? 0) + c] ?? 0;
      for (let i = 1; i < count; i += 1) {
        const value = x[(pixels[i] ?? 0) + c] ?? 0;
        if (value > largest) largest = value;
      }
      out[target + c] = largest;
    }
  });
}
