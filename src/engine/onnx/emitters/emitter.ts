/** What an emitter is: it appends the ONNX nodes that compute what a TensorFlow.js kernel computes. */
import { sizeOf } from '../../../core/tensor';
import type { ElementType, Graph, Value } from '../graph';

/** Tensors by the names that the kernel gives them; a list for kernels that take one. */
export type EmitterInputs = Readonly<Record<string, Value>> | readonly Value[];

export type Emitter = (graph: Graph, inputs: EmitterInputs, attrs: object) => Value | readonly Value[];
export type EmitterTable = Readonly<Record<string, Emitter>>;

/** Types an emitter's inputs and attributes. The kernel's caller in TensorFlow.js guarantees that they are there. */
// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- each emitter states what its kernel passes
export function emitter<Name extends string, Attrs = unknown, Optional extends string = never>(
  run: (
    graph: Graph,
    inputs: Readonly<Record<Name, Value> & Partial<Record<Optional, Value>>>,
    attrs: Attrs,
  ) => Value | readonly Value[],
): Emitter {
  return run as unknown as Emitter;
}

/** An emitter for kernels that take a list of tensors. */
// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- as above
export function listEmitter<Attrs>(
  run: (graph: Graph, list: readonly Value[], attrs: Attrs) => Value | readonly Value[],
): Emitter {
  return run as unknown as Emitter;
}

export function valueOf(name: string, shape: readonly number[], dtype: ElementType = 'float32'): Value {
  return { name, shape, dtype };
}

/** The same elements under another shape. */
export function reshape(graph: Graph, x: Value, shape: readonly number[]): Value {
  return graph.reshape(x, shape);
}

export function transpose(graph: Graph, x: Value, perm: readonly number[]): Value {
  const shape = perm.map((axis) => x.shape[axis] ?? 1);
  // Moving axes of length 1 moves no elements; a reshape is free.
  const moved = perm.filter((axis) => x.shape[axis] !== 1);
  if (moved.every((axis, index) => index === 0 || axis > (moved[index - 1] ?? 0)))
    return reshape(graph, x, shape);
  return valueOf(graph.node('Transpose', [x.name], { perm: [...perm] }), shape, x.dtype);
}

/** A constant of one element of the given type, broadcast by whoever uses it. */
export function scalar(graph: Graph, value: number, dtype: ElementType = 'float32'): string {
  if (dtype === 'float32') return graph.scalar(value);
  const values = dtype === 'bool' ? Uint8Array.of(value) : Int32Array.of(value);
  return graph.constant(values, [], dtype);
}

/** A tensor with one value everywhere. */
export function fill(
  graph: Graph,
  value: number,
  shape: readonly number[],
  dtype: ElementType = 'float32',
): Value {
  const one = scalar(graph, value, dtype);
  return shape.length === 0
    ? valueOf(one, shape, dtype)
    : valueOf(graph.node('Expand', [one, graph.shape(shape)]), shape, dtype);
}

export function cast(graph: Graph, x: Value, dtype: ElementType): Value {
  const numbers = { float32: 1, int32: 6, int64: 7, bool: 9 } as const;
  return x.dtype === dtype
    ? x
    : valueOf(graph.node('Cast', [x.name], { to: numbers[dtype] }), x.shape, dtype);
}

/** `x[..., begin:begin+size, ...]` on the given axes, with steps. */
export function slice(
  graph: Graph,
  x: Value,
  axes: readonly number[],
  begin: readonly number[],
  size: readonly number[],
  step: readonly number[] = axes.map(() => 1),
): Value {
  const shape = [...x.shape];
  axes.forEach((axis, i) => {
    shape[axis] = size[i] ?? 0;
  });
  if (shape.every((length, axis) => length === x.shape[axis])) return x;
  const ends = begin.map((start, i) => start + ((size[i] ?? 1) - 1) * (step[i] ?? 1) + 1);
  const inputs = [x.name, graph.shape(begin), graph.shape(ends), graph.shape(axes), graph.shape(step)];
  return valueOf(graph.node('Slice', inputs), shape, x.dtype);
}

/** Adds zeros (or `value`) before and after each axis. */
export function pad(
  graph: Graph,
  x: Value,
  before: readonly number[],
  after: readonly number[],
  value = 0,
): Value {
  if ([...before, ...after].every((count) => count === 0)) return x;
  const shape = x.shape.map((length, axis) => length + (before[axis] ?? 0) + (after[axis] ?? 0));
  const inputs = [x.name, graph.shape([...before, ...after]), scalar(graph, value, x.dtype)];
  return valueOf(graph.node('Pad', inputs), shape, x.dtype);
}

export function sumOver(graph: Graph, x: Value, axes: readonly number[], keepDims = false): Value {
  if (axes.length === 0) return x;
  const shape = keepDims
    ? x.shape.map((length, axis) => (axes.includes(axis) ? 1 : length))
    : x.shape.filter((_, axis) => !axes.includes(axis));
  const name = graph.node('ReduceSum', [x.name, graph.shape(axes)], { keepdims: keepDims ? 1 : 0 });
  return valueOf(name, shape, x.dtype);
}

export { sizeOf };
