import { slice_util, util } from '@tensorflow/tfjs-core';
import type { Graph, Value } from '../graph';
import {
  emitter,
  listEmitter,
  pad,
  reshape,
  sizeOf,
  slice,
  transpose,
  valueOf,
  type EmitterTable,
} from './emitter';

function concat(graph: Graph, list: readonly Value[], axis: number): Value {
  const [first] = list;
  if (first === undefined) throw new RangeError('Concat of nothing');
  if (list.length === 1) return first;
  const length = list.reduce((sum, value) => sum + (value.shape[axis] ?? 0), 0);
  const name = graph.node(
    'Concat',
    list.map((value) => value.name),
    { axis },
  );
  return valueOf(name, first.shape.with(axis, length), first.dtype);
}

/** Cuts x into pieces along an axis. */
function split(graph: Graph, x: Value, axis: number, sizes: readonly number[]): Value[] {
  if (sizes.length === 1) return [x];
  const names = graph.nodes('Split', [x.name, graph.shape(sizes)], { axis }, sizes.length);
  return names.map((name, index) => valueOf(name, x.shape.with(axis, sizes[index] ?? 0), x.dtype));
}

function axisOf(axis: number, rank: number): number {
  return axis < 0 ? axis + rank : axis;
}

export const shape: EmitterTable = {
  Reshape: emitter<'x', { shape: number[] }>((graph, { x }, attrs) =>
    reshape(graph, x, util.inferFromImplicitShape(attrs.shape, sizeOf(x.shape))),
  ),
  ExpandDims: emitter<'input', { dim: number }>((graph, { input }, { dim }) => {
    const wider = [...input.shape];
    wider.splice(dim < 0 ? wider.length + 1 + dim : dim, 0, 1);
    return reshape(graph, input, wider);
  }),
  Transpose: emitter<'x', { perm: number[] }>((graph, { x }, { perm }) => transpose(graph, x, perm)),
  Tile: emitter<'x', { reps: number[] }>((graph, { x }, { reps }) => {
    const tiled = x.shape.map((length, axis) => length * (reps[axis] ?? 1));
    return valueOf(graph.node('Tile', [x.name, graph.shape(reps)]), tiled, x.dtype);
  }),
  BroadcastTo: emitter<'x', { shape: number[] }>((graph, { x }, attrs) =>
    valueOf(graph.node('Expand', [x.name, graph.shape(attrs.shape)]), attrs.shape, x.dtype),
  ),
  Concat: listEmitter<{ axis: number }>((graph, list, { axis }) => {
    const [only = 0] = util.parseAxisParam(axis, [...(list[0]?.shape ?? [])]);
    // A piece without elements has no part in the result, and ONNX Runtime warns of it.
    const filled = list.filter((value) => sizeOf(value.shape) > 0);
    return concat(graph, filled.length > 0 ? filled : list.slice(0, 1), only);
  }),
  Pack: listEmitter<{ axis: number }>((graph, list, { axis }) => {
    const at = axisOf(axis, (list[0]?.shape.length ?? 0) + 1);
    return concat(
      graph,
      list.map((value) => reshape(graph, value, value.shape.toSpliced(at, 0, 1))),
      at,
    );
  }),
  Unpack: emitter<'value', { axis: number }>((graph, { value }, { axis }) => {
    const at = axisOf(axis, value.shape.length);
    const sizes = Array<number>(value.shape[at] ?? 0).fill(1);
    return split(graph, value, at, sizes).map((piece) => reshape(graph, piece, value.shape.toSpliced(at, 1)));
  }),
  SplitV: emitter<'x', { numOrSizeSplits: number | number[]; axis: number }>((graph, { x }, attrs) => {
    const axis = axisOf(attrs.axis, x.shape.length);
    const length = x.shape[axis] ?? 0;
    const { numOrSizeSplits: wanted } = attrs;
    if (typeof wanted === 'number') return split(graph, x, axis, Array<number>(wanted).fill(length / wanted));
    const known = wanted.reduce((sum, size) => sum + Math.max(0, size), 0);
    return split(
      graph,
      x,
      axis,
      wanted.map((size) => (size < 0 ? length - known : size)),
    );
  }),
  Slice: emitter<'x', { begin: number | number[]; size: number | number[] }>((graph, { x }, attrs) => {
    const like = { dataId: {}, dtype: 'float32' as const, shape: [...x.shape] };
    const [begin, size] = slice_util.parseSliceParams(like, attrs.begin, attrs.size) as [number[], number[]];
    const axes = x.shape.map((_, axis) => axis).filter((axis) => size[axis] !== x.shape[axis]);
    const at = (values: number[]) => axes.map((axis) => values[axis] ?? 0);
    return slice(graph, x, axes, at(begin), at(size));
  }),
  StridedSlice: emitter<
    'x',
    Record<'beginMask' | 'endMask' | 'ellipsisMask' | 'newAxisMask' | 'shrinkAxisMask', number> &
      Record<'begin' | 'end' | 'strides', number[]>
  >((graph, { x }, attrs) => {
    const info = slice_util.sliceInfo(
      [...x.shape],
      attrs.begin,
      attrs.end,
      attrs.strides,
      attrs.beginMask,
      attrs.endMask,
      attrs.ellipsisMask,
      attrs.newAxisMask,
      attrs.shrinkAxisMask,
    );
    const axes = x.shape.map((_, axis) => axis);
    const size = slice_util.computeOutShape(info.begin, info.end, info.strides);
    if (info.strides.some((step) => step < 0)) throw new RangeError('a negative stride');
    return reshape(graph, slice(graph, x, axes, info.begin, size, info.strides), info.finalShape);
  }),
  Reverse: emitter<'x', { dims: number[] }>((graph, { x }, { dims }) => {
    const axes = util.parseAxisParam(dims, [...x.shape]);
    if (axes.length === 0) return x;
    const starts = axes.map((axis) => (x.shape[axis] ?? 1) - 1);
    // ONNX counts a negative end from the end; the smallest integer stands for "to the first element".
    const ends = axes.map(() => -(2 ** 31));
    const steps = axes.map(() => -1);
    const inputs = [x.name, ...[starts, ends, axes, steps].map((values) => graph.shape(values))];
    return valueOf(graph.node('Slice', inputs), x.shape, x.dtype);
  }),
  PadV2: emitter<'x', { paddings: [number, number][]; constantValue: number }>((graph, { x }, attrs) =>
    pad(
      graph,
      x,
      attrs.paddings.map(([before]) => before),
      attrs.paddings.map(([, after]) => after),
      attrs.constantValue,
    ),
  ),
};
