/** Tile, and the sum over segments that is the gradient of a lookup (Embedding, gather). */
import { util } from '@tensorflow/tfjs-core';
import type { TensorInfo, TileAttrs, UnsortedSegmentSumAttrs } from '@tensorflow/tfjs-core';
import { floats, integers, replaceKernel, runStock, zeros, type KernelCall } from './heap';

/** Writes the tiling of one block and all axes inside it; returns how many elements it wrote. */
function writeTiles(
  from: Float32Array,
  to: Float32Array,
  shape: readonly number[],
  reps: readonly number[],
  axis: number,
  source: number,
  target: number,
): number {
  const length = shape[axis] ?? 1;
  const inner = util.sizeFromShape(shape.slice(axis + 1));
  let written = 0;
  if (reps.slice(axis + 1).every((count) => count === 1)) {
    written = length * inner;
    to.set(from.subarray(source, source + written), target);
  } else {
    for (let i = 0; i < length; i += 1)
      written += writeTiles(from, to, shape, reps, axis + 1, source + i * inner, target + written);
  }
  const total = written * (reps[axis] ?? 1);
  // Copying what is there doubles it each time: log2(reps) copies instead of reps.
  while (written < total) {
    const more = Math.min(written, total - written);
    to.copyWithin(target + written, target, target + more);
    written += more;
  }
  return total;
}

/** @param inputs x `[d0, d1, …]`; returns `[d0 * reps[0], d1 * reps[1], …]` */
export function tile({ inputs, attrs, backend }: KernelCall<'x', TileAttrs>): TensorInfo {
  const { x } = inputs;
  if (x.dtype !== 'float32' || x.shape.length === 0) return runStock('Tile', backend, inputs, attrs);
  const outShape = x.shape.map((length, axis) => length * (attrs.reps[axis] ?? 1));
  const out = backend.makeOutput(outShape, 'float32');
  if (util.sizeFromShape(outShape) > 0)
    writeTiles(floats(backend, x), floats(backend, out), x.shape, attrs.reps, 0, 0, 0);
  return out;
}

/**
 * `out[segmentIds[i]] += x[i]`; ids outside `0..numSegments-1` are dropped.
 *
 * @returns `[numSegments, ...x.shape without the axes of segmentIds]`
 */
function unsortedSegmentSum({
  inputs,
  attrs,
  backend,
}: KernelCall<'x' | 'segmentIds', UnsortedSegmentSumAttrs>): TensorInfo {
  const { x, segmentIds } = inputs;
  const rows = util.sizeFromShape(segmentIds.shape);
  const rowShape = x.shape.slice(segmentIds.shape.length);
  const rowLength = util.sizeFromShape(rowShape);
  const out = zeros(backend, [attrs.numSegments, ...rowShape], x.dtype);
  const read = x.dtype === 'int32' ? integers : floats;
  const from = read(backend, x);
  const to = read(backend, out);
  const ids = integers(backend, segmentIds);
  for (let row = 0; row < rows; row += 1) {
    const id = ids[row] ?? -1;
    if (id < 0 || id >= attrs.numSegments) continue;
    const target = id * rowLength;
    const source = row * rowLength;
    for (let i = 0; i < rowLength; i += 1) to[target + i] = (to[target + i] ?? 0) + (from[source + i] ?? 0);
  }
  return out;
}

export function installRepetition(): void {
  replaceKernel('Tile', tile);
  replaceKernel('UnsortedSegmentSum', unsortedSegmentSum);
}
