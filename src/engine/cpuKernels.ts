/** Kernels of the plain JavaScript backend that are wrong in 4.22 and replaced, so that the reference is right. */
import { registerKernel, unregisterKernel } from '@tensorflow/tfjs-core';
import type { AvgPoolGradAttrs, KernelFunc, MaxPool3DGradAttrs, TensorInfo } from '@tensorflow/tfjs-core';
import type { MathBackendCPU } from '@tensorflow/tfjs-backend-cpu/dist/backend_cpu';
import { sizeOf } from '../core/tensor';
import { pool2DGeometry, pool3DGeometry } from './kernels/poolGeometry';
import { addAveragePoolGradient, addMaxPoolGradient } from './kernels/poolGradient';
import { bilinearGradient, nearestGradient } from './kernels/resizeGradient';

interface PoolCall<Attributes> {
  readonly inputs: { readonly dy: TensorInfo; readonly input: TensorInfo };
  readonly attrs: Attributes;
  readonly backend: MathBackendCPU;
}

function valuesOf(backend: MathBackendCPU, tensor: TensorInfo): Float32Array {
  return backend.data.get(tensor.dataId).values as Float32Array;
}

function averagePoolGradient(geometryOf: typeof pool2DGeometry) {
  return ({ inputs, attrs, backend }: PoolCall<AvgPoolGradAttrs>): TensorInfo => {
    const { dy, input } = inputs;
    const dx = new Float32Array(sizeOf(input.shape));
    const gradient = valuesOf(backend, dy);
    addAveragePoolGradient(gradient, dx, geometryOf(input.shape, attrs));
    return backend.makeTensorInfo(input.shape, 'float32', dx);
  };
}

/** The stock one takes a window's width for its height where it writes down which element was the largest. */
function maxPool3DGradient({ inputs, attrs, backend }: PoolCall<MaxPool3DGradAttrs>): TensorInfo {
  const { dy, input } = inputs;
  const dx = new Float32Array(sizeOf(input.shape));
  const pool = pool3DGeometry(input.shape, attrs);
  addMaxPoolGradient(valuesOf(backend, input), valuesOf(backend, dy), dx, pool);
  return backend.makeTensorInfo(input.shape, 'float32', dx);
}

interface ResizeCall {
  readonly inputs: { readonly images: TensorInfo; readonly dy: TensorInfo };
  readonly attrs: { readonly alignCorners: boolean };
  readonly backend: MathBackendCPU;
}

function resizeGradient(gradient: typeof nearestGradient) {
  return ({ inputs, attrs, backend }: ResizeCall): TensorInfo => {
    const { images, dy } = inputs;
    const values = valuesOf(backend, dy);
    const shape = images.shape as [number, number, number, number];
    const outShape = dy.shape as [number, number, number, number];
    return backend.makeTensorInfo(shape, 'float32', gradient(values, shape, outShape, attrs.alignCorners));
  };
}

function replaceKernel(kernelName: string, kernelFunc: unknown): void {
  unregisterKernel(kernelName, 'cpu');
  registerKernel({ kernelName, backendName: 'cpu', kernelFunc: kernelFunc as KernelFunc });
}

let installed = false;

/** Replaces them once a process. @param again even so, because something has registered the stock ones since */
export function installCpuKernels(again = false): void {
  if (installed && !again) return;
  installed = true;
  replaceKernel('ResizeNearestNeighborGrad', resizeGradient(nearestGradient));
  replaceKernel('ResizeBilinearGrad', resizeGradient(bilinearGradient));
  replaceKernel('MaxPool3DGrad', maxPool3DGradient);
  replaceKernel('AvgPoolGrad', averagePoolGradient(pool2DGeometry));
  replaceKernel('AvgPool3DGrad', averagePoolGradient(pool3DGeometry));
}
