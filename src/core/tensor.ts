/** Tensors on the host, in row-major order, independent of any engine. */

export interface HostTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** Weights by layer, in the order of `layer.getWeights()` (trainable and not, as TensorFlow.js lists them). */
export type LayerWeights = Record<string, HostTensor[]>;

/** Number of elements of a shape; 1 for a scalar. */
export function sizeOf(shape: readonly number[]): number {
  let size = 1;
  for (const dimension of shape) size *= dimension;
  return size;
}

/** Elements of a piece under which it is copied one by one. */
const SHORT = 32;

/**
 * Gathers along one axis: `out[..., i, ...] = tensor[..., keep[i], ...]`.
 *
 * @param keep indices into `axis`, in the order wanted
 */
export function gatherAxis(tensor: HostTensor, axis: number, keep: ArrayLike<number>): HostTensor {
  const outer = sizeOf(tensor.shape.slice(0, axis));
  const length = tensor.shape[axis];
  if (length === undefined) throw new RangeError(`axis ${axis} of a tensor of rank ${tensor.shape.length}`);
  const inner = sizeOf(tensor.shape.slice(axis + 1));
  const kept = keep.length;
  const source = tensor.data;
  const data = new Float32Array(outer * kept * inner);
  const places = Int32Array.from(keep, (index) => index * inner);
  let to = 0;
  for (let o = 0; o < outer; o += 1) {
    const start = o * length * inner;
    // Short pieces, one number each on the last axis, are copied faster than a view of them is made, and by a plain loop
    // faster than by an iterator.
    if (inner === 1)
      for (let i = 0; i < kept; i += 1) {
        data[to] = source[start + (places[i] ?? 0)] ?? 0;
        to += 1;
      }
    else
      for (const place of places) {
        const from = start + place;
        if (inner < SHORT) for (let j = 0; j < inner; j += 1) data[to + j] = source[from + j] ?? 0;
        else data.set(source.subarray(from, from + inner), to);
        to += inner;
      }
  }
  return { shape: tensor.shape.map((d, i) => (i === axis ? kept : d)), data };
}
