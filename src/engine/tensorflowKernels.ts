/** Kernels of tfjs-node that take longer than TensorFlow's own operations need to. */
import { util } from '@tensorflow/tfjs-core';
import type { BatchMatMulAttrs, StepAttrs, TensorInfo } from '@tensorflow/tfjs-core';
import { inputOf, release, replaceKernel, stockOf, type Backend, type Call } from './foreignKernels';
import type { NodeBackend } from './tensorflowBackend';

/** Steps of the sum up to which TensorFlow's plain product is the faster one for a transposed right factor. */
const SHORT = 256;

/** TensorFlow.js asks for products of batches, also of one matrix each: TensorFlow's plain product is faster. */
function quickenProducts(): void {
  const stock = stockOf('BatchMatMul', 'tensorflow');
  const reshape = stockOf('Reshape', 'tensorflow');
  const as = (backend: Backend, x: TensorInfo, shape: readonly number[]): TensorInfo =>
    reshape({ inputs: { x }, attrs: { shape }, backend });
  replaceKernel('BatchMatMul', 'tensorflow', (call) => {
    const { transposeA, transposeB } = call.attrs as BatchMatMulAttrs;
    const [a, b] = [inputOf(call, 'a'), inputOf(call, 'b')];
    const isBatch = [a, b].some(({ shape }) => util.sizeFromShape(shape.slice(0, -2)) !== 1);
    const steps = a.shape.at(transposeA ? -2 : -1) ?? 0;
    if (isBatch || a.dtype !== 'float32' || b.dtype !== 'float32' || (transposeB && steps > SHORT))
      return stock(call);
    const { backend } = call;
    const tensorflow = backend as unknown as NodeBackend;
    const { binding } = tensorflow;
    const attributes = [
      { name: 'T', type: binding.TF_ATTR_TYPE, value: binding.TF_FLOAT },
      { name: 'transpose_a', type: binding.TF_ATTR_BOOL, value: transposeA },
      { name: 'transpose_b', type: binding.TF_ATTR_BOOL, value: transposeB },
    ];
    const factors = [a, b].map((x) => (x.shape.length === 2 ? x : as(backend, x, x.shape.slice(-2))));
    const product = tensorflow.executeSingleOutput('MatMul', attributes, factors);
    for (const [i, x] of [a, b].entries()) {
      const factor = factors[i];
      if (factor !== undefined && factor !== x) release(backend, factor);
    }
    const ones = Math.max(a.shape.length, b.shape.length) - 2;
    if (ones === 0) return product;
    const shaped = as(backend, product, [...Array<number>(ones).fill(1), ...product.shape]);
    release(backend, product);
    return shaped;
  });
}

/** TensorFlow.js makes the derivative of ReLU of seven operations. The sign's positive part is the same, NaN included. */
function quickenSteps(): void {
  const stock = stockOf('Step', 'tensorflow');
  const sign = stockOf('Sign', 'tensorflow');
  const relu = stockOf('Relu', 'tensorflow');
  replaceKernel('Step', 'tensorflow', (call: Call) => {
    const { alpha } = call.attrs as Partial<StepAttrs>;
    const { backend } = call;
    const x = inputOf(call, 'x');
    if ((alpha ?? 0) !== 0 || x.dtype !== 'float32') return stock(call);
    const signs = sign({ inputs: { x }, attrs: {}, backend });
    const steps = relu({ inputs: { x: signs }, attrs: {}, backend });
    release(backend, signs);
    return steps;
  });
}

/** Once a process. */
export function quickenTensorflow(): void {
  quickenProducts();
  quickenSteps();
}
