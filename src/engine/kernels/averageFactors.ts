import type { Extent, PoolGeometry } from './poolWindows';

/** How many elements of the input the windows along one axis cover. */
function covered(axis: keyof Extent, { input, output, window, stride, padBefore }: PoolGeometry): number[] {
  return Array.from({ length: output[axis] }, (_, index) => {
    const start = index * stride[axis] - padBefore[axis];
    return Math.min(input[axis], start + window[axis]) - Math.max(0, start);
  });
}

/**
 * What the gradient of an average must be multiplied by before a kernel that divides by the whole window: more than 1
 * where a window hangs over a padded border. Null where none does.
 *
 * @returns one factor per output position, `[depth, height, width]` row by row
 */
export function averageFactors(pool: PoolGeometry): Float32Array | null {
  const whole = pool.window.depth * pool.window.height * pool.window.width;
  const factors = covered('depth', pool).flatMap((d) =>
    covered('height', pool).flatMap((h) => covered('width', pool).map((w) => whole / (d * h * w))),
  );
  return factors.every((factor) => factor === 1) ? null : Float32Array.from(factors);
}
