import { broadcast_util } from '@tensorflow/tfjs-core';
import type { Graph, Value } from '../graph';
import { activate, binary } from './elementwise';
import { emitter, reshape, sizeOf, transpose, valueOf, type EmitterTable } from './emitter';

interface MatMulAttributes {
  readonly transposeA: boolean;
  readonly transposeB: boolean;
}

function swapInner(graph: Graph, x: Value): Value {
  const rank = x.shape.length;
  const perm = x.shape.map((_, axis) => axis);
  return transpose(graph, x, perm.with(rank - 1, rank - 2).with(rank - 2, rank - 1));
}

/**
 * `a·b` of the innermost two axes. Two-dimensional products become Gemm, which takes transposed operands as they
 * are.
 */
export function multiply(graph: Graph, a: Value, b: Value, transposeA: boolean, transposeB: boolean): Value {
  const outer = broadcast_util.assertAndGetBroadcastShape(a.shape.slice(0, -2), b.shape.slice(0, -2));
  const rows = a.shape.at(transposeA ? -1 : -2) ?? 1;
  const columns = b.shape.at(transposeB ? -2 : -1) ?? 1;
  if (sizeOf(a.shape.slice(0, -2)) === 1 && sizeOf(b.shape.slice(0, -2)) === 1) {
    const left = reshape(graph, a, a.shape.slice(-2));
    const right = reshape(graph, b, b.shape.slice(-2));
    const attributes = { transA: transposeA ? 1 : 0, transB: transposeB ? 1 : 0 };
    const product = valueOf(graph.node('Gemm', [left.name, right.name], attributes), [rows, columns]);
    return reshape(graph, product, [...outer, rows, columns]);
  }
  const left = transposeA ? swapInner(graph, a) : a;
  const right = transposeB ? swapInner(graph, b) : b;
  return valueOf(graph.node('MatMul', [left.name, right.name]), [...outer, rows, columns]);
}

export const matMul: EmitterTable = {
  BatchMatMul: emitter<'a' | 'b', MatMulAttributes>((graph, { a, b }, attrs) =>
    multiply(graph, a, b, attrs.transposeA, attrs.transposeB),
  ),
  _FusedMatMul: emitter<
    'a' | 'b',
    MatMulAttributes & { activation: string; leakyreluAlpha?: number },
    'bias' | 'preluActivationWeights'
  >((graph, { a, b, bias, preluActivationWeights }, attrs) => {
    const product = multiply(graph, a, b, attrs.transposeA, attrs.transposeB);
    const sum = bias === undefined ? product : binary(graph, 'Add', product, bias);
    return activate(graph, sum, attrs.activation, preluActivationWeights, attrs.leakyreluAlpha);
  }),
};
