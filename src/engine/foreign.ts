/**
 * TensorFlow.js backends that come with the user's project. They bring their own copy of the core, which registers its
 * kernels and gradients again in the one registry that all copies share: ours are put back afterwards.
 */
import { getKernel, registerKernel, unregisterKernel } from '@tensorflow/tfjs-core';
import type {
  AvgPoolGradAttrs,
  DataType,
  KernelFunc,
  NamedTensorInfoMap,
  TensorInfo,
} from '@tensorflow/tfjs-core';
import { installCpuKernels } from './cpuKernels';
import { averageFactors } from './kernels/averageFactors';
import { installGradients } from './kernels/gradients';
import { pool2DGeometry, pool3DGeometry } from './kernels/poolGeometry';

/** Loads a package quietly and puts our kernels and gradients back. */
export async function loadForeign(load: () => unknown): Promise<void> {
  const { warn, log, info } = console;
  const mute = () => undefined;
  // A warning for each of the hundreds of kernels that are registered a second time.
  Object.assign(console, { warn: mute, log: mute, info: mute });
  try {
    await load();
  } finally {
    Object.assign(console, { warn, log, info });
  }
  installGradients(true);
  installCpuKernels(true);
}

/** Functions that Node 23 removed and tfjs-node calls. Text, because a probe's child runs it as well. */
export const NODE_23_SHIM =
  "const util = require('node:util'); util.isNullOrUndefined ??= (value) => value == null; util.isArray ??= Array.isArray;";

interface TensorBackend {
  makeTensorInfo(shape: number[], dtype: DataType, values: Float32Array): TensorInfo;
  disposeData(dataId: object): boolean;
}

/** The kernel as the package registered it, with dy corrected where windows hang over a border. */
function correctedAverage(name: string, backendName: string, geometryOf: typeof pool2DGeometry): KernelFunc {
  const stock = getKernel(name, backendName).kernelFunc;
  return ({ inputs, attrs, backend }) => {
    const { dy, input } = inputs;
    if (dy === undefined || input === undefined) throw new TypeError(`${name} has two inputs`);
    const geometry = geometryOf(input.shape, attrs as unknown as AvgPoolGradAttrs);
    const factors = averageFactors(geometry);
    if (factors === null) return stock({ inputs, attrs: attrs ?? {}, backend });
    const tensors = backend as TensorBackend;
    const factor = tensors.makeTensorInfo([1, ...dy.shape.slice(1, -1), 1], 'float32', factors);
    const multiply = getKernel('Multiply', backendName).kernelFunc;
    const scaled = multiply({ inputs: { a: dy, b: factor }, backend }) as TensorInfo;
    const corrected: NamedTensorInfoMap = { ...inputs, dy: scaled };
    const result = stock({ inputs: corrected, attrs: attrs ?? {}, backend });
    tensors.disposeData(factor.dataId);
    tensors.disposeData(scaled.dataId);
    return result;
  };
}

/** Mends average pooling of a backend that divides by the whole window everywhere. Once a backend. */
export function correctAveragePooling(backendName: string): void {
  const kernels = [
    ['AvgPoolGrad', pool2DGeometry],
    ['AvgPool3DGrad', pool3DGeometry],
  ] as const;
  for (const [kernelName, geometryOf] of kernels) {
    const kernelFunc = correctedAverage(kernelName, backendName, geometryOf);
    unregisterKernel(kernelName, backendName);
    registerKernel({ kernelName, backendName, kernelFunc });
  }
}
