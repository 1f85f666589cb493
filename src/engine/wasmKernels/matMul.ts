/**
 * Matrix products. The stock kernels pack a factor anew whenever it is another tensor, which weights in training are after
 * every step, and multiply transposed factors, which every dense layer's gradient has, in naive loops.
 */
import { broadcast_util, util } from '@tensorflow/tfjs-core';
import type { _FusedMatMulAttrs, BatchMatMulAttrs, TensorInfo } from '@tensorflow/tfjs-core';
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import { activate, canActivate } from './activation';
import { floats, repeatRow, replaceKernel, runStock, zeros, type KernelCall } from './heap';
import { denseMatrix, multiply } from './product/product';

/** Of the leading axes: which matrix of a factor each matrix of the product is made of. */
function matrixOf(outer: readonly number[], own: readonly number[]): (index: number) => number {
  const padded = [...Array<number>(outer.length - own.length).fill(1), ...own];
  return (index) => {
    let rest = index;
    let at = 0;
    let step = 1;
    for (let axis = outer.length - 1; axis >= 0; axis -= 1) {
      const [length, mine] = [outer[axis] ?? 1, padded[axis] ?? 1];
      if (mine > 1) at += (rest % length) * step;
      step *= mine;
      rest = Math.floor(rest / length);
    }
    return at;
  };
}

/**
 * `a·b` of the innermost two axes, with broadcast batches.
 *
 * @param a `[..., m, k]`, or `[..., k, m]` when `transposeA`
 * @param b `[..., k, n]`, or `[..., n, k]` when `transposeB`
 * @param bias `[n]`, added to every row
 * @returns `[..., m, n]`
 */
export function multiplyMatrices(
  backend: BackendWasm,
  a: TensorInfo,
  b: TensorInfo,
  transposeA: boolean,
  transposeB: boolean,
  bias?: TensorInfo,
): TensorInfo {
  const [rowsA = 1, columnsA = 1] = a.shape.slice(-2);
  const [rowsB = 1, columnsB = 1] = b.shape.slice(-2);
  const m = transposeA ? columnsA : rowsA;
  const n = transposeB ? rowsB : columnsB;
  const outer = broadcast_util.assertAndGetBroadcastShape(a.shape.slice(0, -2), b.shape.slice(0, -2));
  const shape = [...outer, m, n];
  if (util.sizeFromShape([...shape, rowsA, columnsA]) === 0) return zeros(backend, shape);
  const out = backend.makeOutput(shape, 'float32');
  if (bias !== undefined) repeatRow(floats(backend, out), floats(backend, bias));
  const leftOf = matrixOf(outer, a.shape.slice(0, -2));
  const rightOf = matrixOf(outer, b.shape.slice(0, -2));
  const addressOf = ({ dataId }: TensorInfo, matrix: number, size: number): number =>
    backend.getMemoryOffset(dataId) + matrix * size * 4;
  for (let i = 0; i < util.sizeFromShape(outer); i += 1) {
    multiply(backend, {
      left: denseMatrix(addressOf(a, leftOf(i), rowsA * columnsA), rowsA, columnsA),
      right: denseMatrix(addressOf(b, rightOf(i), rowsB * columnsB), rowsB, columnsB),
      transposeLeft: transposeA,
      transposeRight: transposeB,
      out: addressOf(out, i, m * n),
      adds: bias !== undefined,
    });
  }
  return out;
}

const isFloat = ({ dtype }: TensorInfo): boolean => dtype === 'float32';

function batchMatMul({ inputs, attrs, backend }: KernelCall<'a' | 'b', BatchMatMulAttrs>): TensorInfo {
  const { a, b } = inputs;
  // Which says that it multiplies floats only.
  if (!isFloat(a) || !isFloat(b)) return runStock('BatchMatMul', backend, inputs, attrs);
  return multiplyMatrices(backend, a, b, attrs.transposeA, attrs.transposeB);
}

function fusedMatMul({
  inputs,
  attrs,
  backend,
}: KernelCall<'a' | 'b', _FusedMatMulAttrs, 'bias' | 'preluActivationWeights'>): TensorInfo {
  const { a, b, bias, preluActivationWeights } = inputs;
  if (!canActivate(attrs) || !isFloat(a) || !isFloat(b))
    return runStock('_FusedMatMul', backend, { ...inputs }, attrs);
  const sums = multiplyMatrices(backend, a, b, attrs.transposeA, attrs.transposeB, bias);
  return activate(backend, sums, attrs, preluActivationWeights);
}

export function installMatMul(): void {
  replaceKernel('BatchMatMul', batchMatMul);
  replaceKernel('_FusedMatMul', fusedMatMul);
}
