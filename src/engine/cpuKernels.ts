/** Kernels of the plain JavaScript backend that are wrong in 4.22 and replaced, so that the reference is right. */
import { registerKernel, unregisterKernel } from '@tensorflow/tfjs-core';
import type { AvgPoolGradAttrs, KernelFunc, TensorInfo } from '@tensorflow/tfjs-core';
import type { MathBackendCPU } from '@tensorflow/tfjs-backend-cpu/dist/backend_cpu';
import { sizeOf } from '../core/tensor';
import { pool2DGeometry, pool3DGeometry } from './kernels/poolGeometry';
import { addAveragePoolGradient } from './kernels/poolGradient';
import { bilinearGradient, nearestGradient } from './kernels/resizeGradient';

interface AveragePoolCall {
  readonly inputs: { readonly dy: TensorInfo; readonly input: TensorInfo };
  readonly attrs: AvgPoolGradAttrs;
  readonly backend: MathBackendCPU;
}

function averagePoolGradient(geometryOf: typeof pool2DGeometry) {
  return ({ inputs, attrs, backend }: AveragePoolCall): TensorInfo => {
    const { dy, input } = inputs;
    const dx = new Float32Array(sizeOf(input.shape));
    const gradient = backend.data.get(dy.dataId).values as Float32Array;
    addAveragePoolGradient(gradient, dx, geometryOf(input.shape, attrs));
    return backend.makeTensorInfo(input.shape, 'float32', dx);
  };
}

interface ResizeCall {
  readonly inputs: { readonly images: TensorInfo; readonly dy: TensorInfo };
  readonly attrs: { readonly alignCorners: boolean };
  readonly backend: MathBackendCPU;
}

function resizeGradient(gradient: typeof nearestGradient) {
  return ({ inputs, attrs, backend }: ResizeCall): TensorInfo => {
    const { images, dy } = inputs;
    const values = backend.data.get(dy.dataId).values as Float32Array;
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
  replaceKernel('AvgPoolGrad', averagePoolGradient(pool2DGeometry));
  replaceKernel('AvgPool3DGrad', averagePoolGradient(pool3DGeometry));
}
