/** Copies and casts: the stock ones are slow for what they do. */
import type { CastAttrs, TensorInfo } from '@tensorflow/tfjs-core';
import { replaceKernel, runStock, share, type KernelCall } from './heap';

/** Tensors are immutable, so a copy may share its data. */
function identity({ inputs, backend }: KernelCall<'x', undefined>): TensorInfo {
  return inputs.x.dtype === 'string' ? runStock('Identity', backend, inputs) : share(backend, inputs.x);
}

function cast({ inputs, attrs, backend }: KernelCall<'x', CastAttrs>): TensorInfo {
  return inputs.x.dtype === attrs.dtype && attrs.dtype !== 'string'
    ? share(backend, inputs.x)
    : runStock('Cast', backend, inputs, attrs);
}

export function installElementwise(): void {
  replaceKernel('Identity', identity);
  replaceKernel('Cast', cast);
}
