/**
 * Matrix products. The stock kernels reach XNNPACK only when neither operand is transposed; the transposed forms,
 * which every dense layer's gradient uses, are naive loops 10 to 20 times slower. Transposing first is far cheaper.
 */
import { broadcast_util, util } from '@tensorflow/tfjs-core';
import type { _FusedMatMulAttrs, BatchMatMulAttrs, TensorInfo } from '@tensorflow/tfjs-core';
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import { release, replaceKernel, runStock, transpose, viewAs, type KernelCall } from './heap';

/** Swaps the two innermost axes. */
function transposeMatrices(backend: BackendWasm, x: TensorInfo): TensorInfo {
  const rows = x.shape.at(-2) ?? 1;
  const columns = x.shape.at(-1) ?? 1;
  const count = util.sizeFromShape(x.shape.slice(0, -2));
  // As rank 3 (or 2): the transposition kernel has fast paths for low ranks only.
  const flat = count === 1 ? viewAs(x, [rows, columns]) : viewAs(x, [count, rows, columns]);
  const swapped = transpose(backend, flat, count === 1 ? [1, 0] : [0, 2, 1]);
  return viewAs(swapped, [...x.shape.slice(0, -2), columns, rows]);
}

/**
 * `a·b` of the innermost two axes, with broadcast batches.
 *
 * @param a `[..., m, k]`, or `[..., k, m]` when `transposeA`
 * @param b `[..., k, n]`, or `[..., n, k]` when `transposeB`
 * @returns `[..., m, n]`
 */
export function multiplyMatrices(
  backend: BackendWasm,
  a: TensorInfo,
  b: TensorInfo,
  transposeA: boolean,
  transposeB: boolean,
): TensorInfo {
  const left = transposeA ? transposeMatrices(backend, a) : a;
  const right = transposeB ? transposeMatrices(backend, b) : b;
  const outer = broadcast_util.assertAndGetBroadcastShape(a.shape.slice(0, -2), b.shape.slice(0, -2));
  const product = runStock(
    'BatchMatMul',
    backend,
    { a: left, b: right },
    { transposeA: false, transposeB: false },
  );
  if (transposeA) release(backend, left);
  if (transposeB) release(backend, right);
  return viewAs(product, [...outer, ...product.shape.slice(-2)]);
}

function batchMatMul({ inputs, attrs, backend }: KernelCall<'a' | 'b', BatchMatMulAttrs>): TensorInfo {
  return multiplyMatrices(backend, inputs.a, inputs.b, attrs.transposeA, attrs.transposeB);
}

function fusedMatMul({
  inputs,
  attrs,
  backend,
}: KernelCall<'a' | 'b', _FusedMatMulAttrs, 'bias' | 'preluActivationWeights'>): TensorInfo {
  const { a, b, bias, preluActivationWeights } = inputs;
  const left = attrs.transposeA ? transposeMatrices(backend, a) : a;
  const right = attrs.transposeB ? transposeMatrices(backend, b) : b;
  rankOneBias(backend, bias);
  const product = runStock(
    '_FusedMatMul',
    backend,
    { a: left, b: right, bias, preluActivationWeights },
    { ...attrs, transposeA: false, transposeB: false },
  );
  if (attrs.transposeA) release(backend, left);
  if (attrs.transposeB) release(backend, right);
  return product;
}

/**
 * The fused kernels look at the shape stored with the data, not at the tensor's, so a bias that was reshaped or
 * gathered is refused. Reads of the data use only the stored size, so storing the tensor's shape changes nothing else.
 */
export function rankOneBias(backend: BackendWasm, bias: TensorInfo | undefined): void {
  if (bias === undefined) return;
  const data = backend.dataIdMap.get(bias.dataId);
  if (data.shape.length !== 1) data.shape = [util.sizeFromShape(bias.shape)];
}

export function installMatMul(): void {
  replaceKernel('BatchMatMul', batchMatMul);
  replaceKernel('_FusedMatMul', fusedMatMul);
}
