/** The windows of a pooling, one by one. */

/** A pooling in three dimensions; two-dimensional ones have depth 1. All lengths in elements. */
export interface PoolGeometry {
  readonly batch: number;
  readonly channels: number;
  readonly input: Extent;
  readonly output: Extent;
  readonly window: Extent;
  readonly stride: Extent;
  /** Negative where the first elements are left out, as 'same' does in three dimensions. */
  readonly padBefore: Extent;
}

export interface Extent {
  readonly depth: number;
  readonly height: number;
  readonly width: number;
}

/** Where a window begins and ends along one axis, cut to the input. */
function cut(index: number, stride: number, pad: number, window: number, length: number): [number, number] {
  const start = index * stride - pad;
  return [Math.max(0, start), Math.min(length, start + window)];
}

type Visit = (output: number, pixels: Int32Array, count: number) => void;

/**
 * Calls `visit` for each window with the offset of its output pixel and the offsets of its input pixels, both of
 * channel 0.
 */
export function forEachWindow(pool: PoolGeometry, visit: Visit): void {
  const { input, output, window, stride, padBefore, channels } = pool;
  const pixels = new Int32Array(window.depth * window.height * window.width);
  let out = 0;
  for (let n = 0; n < pool.batch; n += 1) {
    for (let d = 0; d < output.depth; d += 1) {
      const [d0, d1] = cut(d, stride.depth, padBefore.depth, window.depth, input.depth);
      for (let h = 0; h < output.height; h += 1) {
        const [h0, h1] = cut(h, stride.height, padBefore.height, window.height, input.height);
        for (let w = 0; w < output.width; w += 1) {
          const [w0, w1] = cut(w, stride.width, padBefore.width, window.width, input.width);
          let count = 0;
          for (let z = d0; z < d1; z += 1) {
            for (let y = h0; y < h1; y += 1) {
              const row = ((n * input.depth + z) * input.height + y) * input.width;
              for (let x = w0; x < w1; x += 1) {
                pixels[count] = (row + x) * channels;
                count += 1;
              }
            }
          }
          visit(out, pixels, count);
          out += channels;
        }
      }
    }
  }
}
