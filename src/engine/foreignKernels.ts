/**
 * Kernels of backends that come with the user's project which compute something else than TensorFlow.js: windows over
 * volumes, thin convolutions, casts.
 */
import { backend_util, getKernel, registerKernel, unregisterKernel } from '@tensorflow/tfjs-core';
import type { DataType, KernelFunc, NamedTensorInfoMap, TensorInfo } from '@tensorflow/tfjs-core';
import { pool3DGeometry, type PoolAttributes } from './kernels/poolGeometry';
import type { Extent, PoolGeometry } from './kernels/poolWindows';

export interface Backend {
  makeTensorInfo(shape: number[], dtype: DataType, values: Float32Array): TensorInfo;
  disposeData(dataId: object): boolean;
}

/** One call of a kernel. */
export interface Call {
  readonly inputs: NamedTensorInfoMap;
  readonly attrs: object;
  readonly backend: Backend;
}

type Kernel = (call: Call) => TensorInfo;

/** A backend's kernel as it is registered now. */
export function stockOf(name: string, backendName: string): Kernel {
  const { kernelFunc } = getKernel(name, backendName);
  return ({ inputs, attrs, backend }) =>
    kernelFunc({ inputs, attrs: { ...attrs }, backend: backend }) as TensorInfo;
}

/** Registers a kernel in place of a backend's own. */
export function replaceKernel(kernelName: string, backendName: string, kernel: Kernel): void {
  unregisterKernel(kernelName, backendName);
  registerKernel({ kernelName, backendName, kernelFunc: kernel as unknown as KernelFunc });
}

/** Lets go of an intermediate result. tfjs-node makes whole tensors, which the core counts. */
export function release(backend: Backend, tensor: TensorInfo): void {
  if ('dispose' in tensor) (tensor.dispose as () => void)();
  else backend.disposeData(tensor.dataId);
}

export function inputOf({ inputs }: Call, name: string): TensorInfo {
  const tensor = inputs[name];
  if (tensor === undefined) throw new TypeError(`no input ${name}`);
  return tensor;
}

type Shape5D = [number, number, number, number, number];

/** A kernel over the windows of a volume, `[batch, depth, height, width, channels]`. */
interface VolumeKernel {
  /** The input that is the volume; where there is none, its shape is the attribute `inputShape`. */
  readonly volume?: 'x' | 'input';
  /** The result is a gradient of the volume. */
  readonly gradient?: boolean;
  /** The shape of the filter; pools have none. */
  readonly filter?: (call: Call) => readonly number[];
}

const filterInput = (call: Call) => inputOf(call, 'filter').shape;

const VOLUME_KERNELS: Readonly<Record<string, VolumeKernel>> = {
  Conv3D: { volume: 'x', filter: filterInput },
  Conv3DBackpropFilterV2: {
    volume: 'x',
    filter: ({ attrs }) => (attrs as { readonly filterShape: number[] }).filterShape,
  },
  Conv3DBackpropInputV2: { gradient: true, filter: filterInput },
  MaxPool3D: { volume: 'x' },
  AvgPool3D: { volume: 'x' },
  MaxPool3DGrad: { volume: 'input', gradient: true },
  AvgPool3DGrad: { volume: 'input', gradient: true },
};

/** How much 'same' takes away before and after each axis: TensorFlow.js has negative paddings in three dimensions. */
function removedBy(
  { filter }: VolumeKernel,
  shape: readonly number[],
  call: Call,
): { before: number[]; after: number[] } {
  const attrs = call.attrs as PoolAttributes;
  const { padInfo } =
    filter === undefined
      ? backend_util.computePool3DInfo(
          shape as Shape5D,
          attrs.filterSize as [number, number, number],
          attrs.strides as [number, number, number],
          1,
          attrs.pad as 'valid' | 'same' | number,
          attrs.dimRoundingMode,
        )
      : backend_util.computeConv3DInfo(
          shape as Shape5D,
          filter(call) as Shape5D,
          attrs.strides as [number, number, number],
          1,
          attrs.pad as 'valid' | 'same',
        );
  const removed = (front: number, top: number, left: number) => [
    0,
    ...[front, top, left].map((padding) => Math.max(0, -padding)),
    0,
  ];
  return {
    before: removed(padInfo.front, padInfo.top, padInfo.left),
    after: removed(padInfo.back, padInfo.bottom, padInfo.right),
  };
}

/** The kernel on what the windows see: without the rest, TensorFlow's paddings are those of TensorFlow.js. */
function croppedKernel(name: string, backendName: string, kernel: VolumeKernel): Kernel {
  const stock = stockOf(name, backendName);
  const slice = stockOf('Slice', backendName);
  const pad = stockOf('PadV2', backendName);
  return (call) => {
    const { inputs, attrs, backend } = call;
    const volume = kernel.volume === undefined ? undefined : inputOf(call, kernel.volume);
    const shape = volume?.shape ?? (attrs as { readonly inputShape: number[] }).inputShape;
    const { before, after } = removedBy(kernel, shape, call);
    if ([...before, ...after].every((count) => count === 0)) return stock(call);
    const size = shape.map((length, axis) => length - (before[axis] ?? 0) - (after[axis] ?? 0));
    const seen =
      volume === undefined
        ? undefined
        : slice({ inputs: { x: volume }, attrs: { begin: before, size }, backend });
    const result = stock({
      backend,
      inputs: seen === undefined ? inputs : { ...inputs, [kernel.volume ?? 'x']: seen },
      attrs: volume === undefined ? { ...attrs, inputShape: size } : attrs,
    });
    if (seen !== undefined) release(backend, seen);
    if (kernel.gradient !== true) return result;
    const paddings = before.map((count, axis) => [count, after[axis] ?? 0]);
    const whole = pad({ inputs: { x: result }, attrs: { paddings, constantValue: 0 }, backend });
    release(backend, result);
    return whole;
  };
}

/** Mends 'same' with windows smaller than their stride where a backend pads by nothing instead. Once a backend. */
export function correctVolumes(backendName: string): void {
  for (const [name, kernel] of Object.entries(VOLUME_KERNELS))
    replaceKernel(name, backendName, croppedKernel(name, backendName, kernel));
}

/** Paddings of one axis in numbers, which may be negative. */
function paddingOf(pool: PoolGeometry, axis: keyof Extent): [number, number] {
  const before = pool.padBefore[axis];
  const reach = (pool.output[axis] - 1) * pool.stride[axis] + pool.window[axis];
  return [before, reach - pool.input[axis] - before];
}

/** The same data under another shape. */
const viewAs = ({ dataId, dtype }: TensorInfo, shape: number[]): TensorInfo => ({ dataId, dtype, shape });

/**
 * The gradient of a maximum over volumes as those of two maxima over planes: over height and width, then over depth.
 * webgpu's own is wrong where a window has a depth and is not square. Once a backend.
 */
export function correctMaxPool3DGradient(backendName: string): void {
  const stock = stockOf('MaxPool3DGrad', backendName);
  const maximum = stockOf('MaxPool', backendName);
  const gradient = stockOf('MaxPoolGrad', backendName);
  replaceKernel('MaxPool3DGrad', backendName, (call) => {
    const { backend } = call;
    const [dy, input, output] = ['dy', 'input', 'output'].map((name) => inputOf(call, name)) as [
      TensorInfo,
      TensorInfo,
      TensorInfo,
    ];
    const attrs = call.attrs as PoolAttributes;
    const pool = pool3DGeometry(input.shape, attrs);
    const { batch, channels, input: from, output: to, window, stride } = pool;
    if (window.depth === 1 || window.height === window.width) return stock(call);
    const planes = {
      filterSize: [window.height, window.width],
      strides: [stride.height, stride.width],
      pad: [[0, 0], paddingOf(pool, 'height'), paddingOf(pool, 'width'), [0, 0]],
    };
    const depths = {
      filterSize: [window.depth, 1],
      strides: [stride.depth, 1],
      pad: [[0, 0], paddingOf(pool, 'depth'), [0, 0], [0, 0]],
    };
    const x = viewAs(input, [batch * from.depth, from.height, from.width, channels]);
    const flat = maximum({ inputs: { x }, attrs: planes, backend });
    const column = [batch, from.depth, to.height * to.width, channels];
    const result = [batch, to.depth, to.height * to.width, channels];
    const byFlat = gradient({
      inputs: { dy: viewAs(dy, result), input: viewAs(flat, column), output: viewAs(output, result) },
      attrs: depths,
      backend,
    });
    const dx = gradient({
      inputs: { dy: viewAs(byFlat, flat.shape), input: x, output: flat },
      attrs: planes,
      backend,
    });
    release(backend, flat);
    release(backend, byFlat);
    return viewAs(dx, input.shape);
  });
}

/**
 * With oneDNN, the TensorFlow of 2026 computes something else for the gradient of a convolution by its input where one
 * channel goes in and one comes out. A second one that is zero makes it right. Once a backend.
 */
export function correctThinConvolutions(backendName: string): void {
  const pad = stockOf('PadV2', backendName);
  for (const name of ['Conv2DBackpropInput', 'Conv3DBackpropInputV2']) {
    const stock = stockOf(name, backendName);
    replaceKernel(name, backendName, (call) => {
      const { backend } = call;
      const filter = inputOf(call, 'filter');
      const isThin = filter.shape.slice(-2).every((channels) => channels === 1);
      if (!isThin || (call.attrs as { readonly dataFormat?: string }).dataFormat === 'NCHW')
        return stock(call);
      const withSecond = (x: TensorInfo) => {
        const paddings = x.shape.map((_, axis) => [0, axis === x.shape.length - 1 ? 1 : 0]);
        return pad({ inputs: { x }, attrs: { paddings, constantValue: 0 }, backend });
      };
      const inputs = { dy: withSecond(inputOf(call, 'dy')), filter: withSecond(filter) };
      const dx = stock({ ...call, inputs });
      release(backend, inputs.dy);
      release(backend, inputs.filter);
      return dx;
    });
  }
}

/**
 * webgpu casts truth values and integers to floats by changing the type alone, which kernels that only move data, as that of
 * a mask does, do not bear. A product makes floats of them. Once a backend.
 */
export function correctCasts(backendName: string): void {
  const stock = stockOf('Cast', backendName);
  const multiply = stockOf('Multiply', backendName);
  replaceKernel('Cast', backendName, (call) => {
    const { backend } = call;
    const { dtype } = inputOf(call, 'x');
    const result = stock(call);
    if (result.dtype !== 'float32' || (dtype !== 'bool' && dtype !== 'int32')) return result;
    const one = backend.makeTensorInfo([], 'float32', Float32Array.of(1));
    const floats = multiply({ inputs: { a: result, b: one }, attrs: {}, backend });
    release(backend, result);
    release(backend, one);
    return floats;
  });
}
