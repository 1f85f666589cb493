/** Comparisons, copies and casts: the stock ones are slow for what they do. */
import { util } from '@tensorflow/tfjs-core';
import type { CastAttrs, TensorInfo } from '@tensorflow/tfjs-core';
import { floats, replaceKernel, runStock, share, type KernelCall } from './heap';

/** Compares element by element; `step` is 0 where `b` is a scalar, else 1. */
type Loop = (a: Float32Array, b: Float32Array, to: Uint8Array, step: number) => void;

/** Written out, because one loop that calls any of six comparisons would make a call an element. */
const comparisons: Readonly<Record<string, Loop>> = {
  Greater: (a, b, to, step) => {
    for (let i = 0; i < to.length; i += 1) to[i] = (a[i] ?? 0) > (b[i * step] ?? 0) ? 1 : 0;
  },
  GreaterEqual: (a, b, to, step) => {
    for (let i = 0; i < to.length; i += 1) to[i] = (a[i] ?? 0) >= (b[i * step] ?? 0) ? 1 : 0;
  },
  Less: (a, b, to, step) => {
    for (let i = 0; i < to.length; i += 1) to[i] = (a[i] ?? 0) < (b[i * step] ?? 0) ? 1 : 0;
  },
  LessEqual: (a, b, to, step) => {
    for (let i = 0; i < to.length; i += 1) to[i] = (a[i] ?? 0) <= (b[i * step] ?? 0) ? 1 : 0;
  },
  Equal: (a, b, to, step) => {
    for (let i = 0; i < to.length; i += 1) to[i] = (a[i] ?? 0) === (b[i * step] ?? 0) ? 1 : 0;
  },
  NotEqual: (a, b, to, step) => {
    for (let i = 0; i < to.length; i += 1) to[i] = (a[i] ?? 0) !== (b[i * step] ?? 0) ? 1 : 0;
  },
};

/** Floats of one shape, or a scalar on the right; anything else goes to the stock kernel, which broadcasts. */
function comparison(name: string, compare: Loop) {
  return ({ inputs, backend }: KernelCall<'a' | 'b', undefined>): TensorInfo => {
    const { a, b } = inputs;
    const isScalar = util.sizeFromShape(b.shape) === 1 && b.shape.length <= a.shape.length;
    const simple =
      a.dtype === 'float32' && b.dtype === 'float32' && (isScalar || util.arraysEqual(a.shape, b.shape));
    if (!simple) return runStock(name, backend, inputs);
    const out = backend.makeOutput(a.shape, 'bool');
    const to = backend.typedArrayFromHeap(out) as Uint8Array;
    compare(floats(backend, a), floats(backend, b), to, isScalar ? 0 : 1);
    return out;
  };
}

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
  for (const [name, compare] of Object.entries(comparisons)) replaceKernel(name, comparison(name, compare));
  replaceKernel('Identity', identity);
  replaceKernel('Cast', cast);
}
