import { util } from '@tensorflow/tfjs-core';
import type { Graph, Value } from '../graph';
import { binary, unary } from './elementwise';
import { cast, emitter, sumOver, valueOf, type Emitter, type EmitterTable } from './emitter';

interface ReductionAttributes {
  readonly axis: number | number[];
  readonly keepDims: boolean;
}

function axesOf(x: Value, axis: number | number[]): number[] {
  return util.parseAxisParam(axis, [...x.shape]);
}

/** A reduction whose axes are an attribute. */
function reduce(graph: Graph, type: string, x: Value, axes: readonly number[], keepDims: boolean): Value {
  if (axes.length === 0) return x;
  const shape = keepDims
    ? x.shape.map((length, axis) => (axes.includes(axis) ? 1 : length))
    : x.shape.filter((_, axis) => !axes.includes(axis));
  const name = graph.node(type, [x.name], { axes: [...axes], keepdims: keepDims ? 1 : 0 });
  return valueOf(name, shape, x.dtype);
}

function reductionKernel(type: string): Emitter {
  return emitter<'x', ReductionAttributes>((graph, { x }, { axis, keepDims }) =>
    reduce(graph, type, x, axesOf(x, axis), keepDims),
  );
}

/** The largest and smallest name their axes differently from the other reductions. */
function extremeKernel(type: string): Emitter {
  return emitter<'x', { reductionIndices?: number | number[]; axis?: number | number[]; keepDims: boolean }>(
    (graph, { x }, attrs) =>
      reduce(graph, type, x, axesOf(x, attrs.reductionIndices ?? attrs.axis ?? []), attrs.keepDims),
  );
}

/** Any and all, of bools: over 0 and 1 as integers. */
function logicalKernel(type: string): Emitter {
  return emitter<'x', ReductionAttributes>((graph, { x }, { axis, keepDims }) =>
    cast(graph, reduce(graph, type, cast(graph, x, 'int32'), axesOf(x, axis), keepDims), 'bool'),
  );
}

function indexKernel(type: string): Emitter {
  return emitter<'x', { axis: number }>((graph, { x }, { axis }) => {
    const [only = 0] = axesOf(x, axis);
    const shape = x.shape.filter((_, i) => i !== only);
    const index = valueOf(graph.node(type, [x.name], { axis: only, keepdims: 0 }), shape, 'int64');
    return cast(graph, index, 'int32');
  });
}

export const reduction: EmitterTable = {
  Sum: emitter<'x', ReductionAttributes>((graph, { x }, { axis, keepDims }) =>
    sumOver(graph, x.dtype === 'bool' ? cast(graph, x, 'int32') : x, axesOf(x, axis), keepDims),
  ),
  Mean: reductionKernel('ReduceMean'),
  Prod: reductionKernel('ReduceProd'),
  Max: extremeKernel('ReduceMax'),
  Min: extremeKernel('ReduceMin'),
  All: logicalKernel('ReduceMin'),
  Any: logicalKernel('ReduceMax'),
  ArgMax: indexKernel('ArgMax'),
  ArgMin: indexKernel('ArgMin'),
  Softmax: emitter<'logits', { dim: number }>((graph, { logits }, { dim }) =>
    valueOf(graph.node('Softmax', [logits.name], { axis: dim }), logits.shape),
  ),
  LogSoftmax: emitter<'logits', { axis: number }>((graph, { logits }, { axis }) =>
    valueOf(graph.node('LogSoftmax', [logits.name], { axis }), logits.shape),
  ),
  Cumsum: emitter<'x', { axis: number; exclusive: boolean; reverse: boolean }>((graph, { x }, attrs) => {
    const options = { exclusive: attrs.exclusive ? 1 : 0, reverse: attrs.reverse ? 1 : 0 };
    const [axis = 0] = axesOf(x, attrs.axis);
    return valueOf(graph.node('CumSum', [x.name, graph.shape([axis])], options), x.shape, x.dtype);
  }),
  FusedBatchNorm: emitter<'x' | 'mean' | 'variance', { varianceEpsilon: number }, 'offset' | 'scale'>(
    (graph, { x, mean, variance, offset, scale }, { varianceEpsilon }) => {
      const epsilon = valueOf(graph.scalar(varianceEpsilon), []);
      const deviation = unary(graph, 'Sqrt', binary(graph, 'Add', variance, epsilon));
      const inverse = unary(graph, 'Reciprocal', deviation);
      const factor = scale === undefined ? inverse : binary(graph, 'Mul', inverse, scale);
      // x·k + (offset - mean·k): two passes over x instead of three.
      const shift = unary(graph, 'Neg', binary(graph, 'Mul', mean, factor));
      const constant = offset === undefined ? shift : binary(graph, 'Add', offset, shift);
      return binary(graph, 'Add', binary(graph, 'Mul', x, factor), constant);
    },
  ),
};
