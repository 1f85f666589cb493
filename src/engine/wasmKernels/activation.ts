/** What fused kernels do after they have added the bias. */
import type { _FusedMatMulAttrs, TensorInfo } from '@tensorflow/tfjs-core';
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import { release, runStock } from './heap';

type Attributes = Pick<_FusedMatMulAttrs, 'activation' | 'leakyreluAlpha'>;

const KERNELS: Readonly<Record<string, string | null>> = {
  linear: null,
  relu: 'Relu',
  relu6: 'Relu6',
  prelu: 'Prelu',
  leakyrelu: 'LeakyRelu',
  sigmoid: 'Sigmoid',
  elu: 'Elu',
};

export const canActivate = ({ activation }: Attributes): boolean => activation in KERNELS;

/**
 * @param sums given up for another tensor where there is something to do
 * @param alpha of a prelu
 */
export function activate(
  backend: BackendWasm,
  sums: TensorInfo,
  { activation, leakyreluAlpha }: Attributes,
  alpha: TensorInfo | undefined,
): TensorInfo {
  const kernel = KERNELS[activation] ?? null;
  if (kernel === null) return sums;
  const inputs = alpha === undefined ? { x: sums, features: sums } : { x: sums, alpha };
  const activated = runStock(kernel, backend, inputs, { alpha: leakyreluAlpha });
  release(backend, sums);
  return activated;
}
