import { util } from '@tensorflow/tfjs-core';
import type { ElementType } from '../graph';
import { cast, emitter, fill, reshape, scalar, sizeOf, valueOf, type EmitterTable } from './emitter';

export const indexing: EmitterTable = {
  GatherV2: emitter<'x' | 'indices', { axis: number; batchDims: number }>((graph, { x, indices }, attrs) => {
    if (attrs.batchDims > 0) throw new RangeError('gather with batch dimensions');
    const [axis = 0] = util.parseAxisParam(attrs.axis, [...x.shape]);
    const shape = x.shape.toSpliced(axis, 1, ...indices.shape);
    return valueOf(
      graph.node('Gather', [x.name, cast(graph, indices, 'int32').name], { axis }),
      shape,
      x.dtype,
    );
  }),
  OneHot: emitter<'indices', { depth: number; onValue: number; offValue: number; dtype?: ElementType }>(
    (graph, { indices }, { depth, onValue, offValue, dtype = 'int32' }) => {
      const choices = graph.constant(
        Int32Array.from({ length: depth }, (_, i) => i),
        [depth],
        'int32',
      );
      const column = reshape(graph, indices, [...indices.shape, 1]);
      const hit = graph.node('Equal', [column.name, choices]);
      const name = graph.node('Where', [hit, scalar(graph, onValue, dtype), scalar(graph, offValue, dtype)]);
      return valueOf(name, [...indices.shape, depth], dtype);
    },
  ),
  /** Rows of x are added to the row of the result that their segment names: the gradient of a gather. */
  UnsortedSegmentSum: emitter<'x' | 'segmentIds', { numSegments: number }>(
    (graph, { x, segmentIds }, { numSegments }) => {
      const rows = sizeOf(segmentIds.shape);
      const rest = x.shape.slice(segmentIds.shape.length);
      const out = [numSegments, ...rest];
      const indices = reshape(graph, cast(graph, segmentIds, 'int64'), [rows, 1]);
      const zeros = fill(graph, 0, out, x.dtype);
      const updates = reshape(graph, x, [rows, ...rest]);
      const inputs = [zeros.name, indices.name, updates.name];
      return valueOf(graph.node('ScatterND', inputs, { reduction: 'add' }), out, x.dtype);
    },
  ),
};
