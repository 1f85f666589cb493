/**
 * Tensors that only repeat smaller ones. The gradients of sums and means multiply by tensors of ones, batch
 * normalisation tiles its statistics; written out, each is a pass over a whole activation that computes nothing.
 */
import * as tf from '@tensorflow/tfjs-core';

/** Kernels that may be run on what is repeated and the result repeated: they treat each element by itself. */
export const BROADCASTING: ReadonlySet<string> = new Set(
  `Add Sub Multiply RealDiv Maximum Minimum Pow SquaredDifference Neg Sqrt Square Exp Log Abs Reciprocal Rsqrt Relu
  Sigmoid Tanh Step Cast Identity ZerosLike OnesLike`.split(/\s+/u),
);

/** The shape of a result of elementwise kernels. */
export function broadcastShape(inputs: readonly (tf.TensorInfo | undefined)[]): number[] {
  return inputs.reduce<number[]>(
    (shape, input) =>
      input === undefined ? shape : tf.broadcast_util.assertAndGetBroadcastShape(shape, input.shape),
    [],
  );
}

/** The value of all elements, if they are several and alike. */
export function uniformValue(values: ArrayLike<number>): number | undefined {
  const first = values[0];
  if (first === undefined || values.length < 2) return undefined;
  for (let i = 1; i < values.length; i += 1) if (values[i] !== first) return undefined;
  return first;
}

/** The one value of a tensor that a kernel fills, if it does that. */
export function filledBy(kernel: string, attrs: object): number | undefined {
  if (kernel === 'ZerosLike') return 0;
  if (kernel === 'OnesLike') return 1;
  return kernel === 'Fill' ? (attrs as { value: number }).value : undefined;
}

/**
 * The input that a kernel only repeats, and the shape of the result; null for kernels that compute.
 *
 * @param fillOf the one value of a tensor, where it is known
 */
export function repeatedInput(
  kernel: string,
  inputs: tf.NamedTensorInfoMap,
  attrs: object,
  fillOf: (tensor: tf.TensorInfo) => number | undefined,
): { readonly input: tf.TensorInfo; readonly shape: number[] } | null {
  const { a, b, x } = inputs;
  if (kernel === 'Multiply' && a !== undefined && b !== undefined) {
    const shape = broadcastShape([a, b]);
    if (fillOf(b) === 1) return { input: a, shape };
    return fillOf(a) === 1 ? { input: b, shape } : null;
  }
  if (kernel === 'Tile' && x !== undefined) {
    const { reps } = attrs as { readonly reps: readonly number[] };
    const shape = x.shape.map((length, axis) => length * (reps[axis] ?? 1));
    return x.shape.every((length, axis) => length === 1 || reps[axis] === 1) ? { input: x, shape } : null;
  }
  return null;
}
