/**
 * Gradients of 3D convolution. The stock ones are wrong without an error. Here each depth of the filter is a 2D
 * convolution between the slices that it joins, so the 2D kernels do the work.
 */
import { backend_util, util } from '@tensorflow/tfjs-core';
import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import { convolutionFilterGradient, convolutionInputGradient } from './conv2d';
import { floats, release, replaceKernel, zeros, type KernelCall } from './heap';

interface Attributes {
  readonly strides: number | [number, number, number];
  readonly pad: 'valid' | 'same';
}

type Shape5D = [number, number, number, number, number];
type ConvInfo = backend_util.Conv3DInfo;

function describeVolume(
  inputShape: readonly number[],
  filterShape: readonly number[],
  attrs: Attributes,
): ConvInfo {
  return backend_util.computeConv3DInfo(
    inputShape as Shape5D,
    filterShape as Shape5D,
    attrs.strides,
    1,
    attrs.pad,
  );
}

/** The output depths that a depth of the filter takes part in, and the input depth of the first. */
interface Reach {
  readonly firstOut: number;
  readonly count: number;
  readonly firstIn: number;
}

function reachOf(info: ConvInfo, tap: number): Reach {
  const depthAt = (out: number) => out * info.strideDepth - info.padInfo.front + tap;
  let firstOut = 0;
  while (firstOut < info.outDepth && depthAt(firstOut) < 0) firstOut += 1;
  let end = firstOut;
  while (end < info.outDepth && depthAt(end) < info.inDepth) end += 1;
  return { firstOut, count: end - firstOut, firstIn: depthAt(firstOut) };
}

/** Copies `count` slices per row of the batch, from depth `first` on, every `step`th. */
function takeSlices(
  backend: BackendWasm,
  x: TensorInfo,
  first: number,
  step: number,
  count: number,
): TensorInfo {
  const [batch = 1, depth = 1, ...rest] = x.shape;
  const size = util.sizeFromShape(rest);
  const out = backend.makeOutput([batch * count, ...rest], 'float32');
  const from = floats(backend, x);
  const to = floats(backend, out);
  for (let n = 0; n < batch; n += 1) {
    for (let i = 0; i < count; i += 1) {
      const source = (n * depth + first + i * step) * size;
      to.set(from.subarray(source, source + size), (n * count + i) * size);
    }
  }
  return out;
}

/** The 2D convolution inside one depth, in the form that the 2D kernels take. */
function planeAttributes(info: ConvInfo) {
  const { padInfo } = info;
  const pad: backend_util.ExplicitPadding = [
    [0, 0],
    [padInfo.top, padInfo.bottom],
    [padInfo.left, padInfo.right],
    [0, 0],
  ];
  return {
    strides: [info.strideHeight, info.strideWidth] as [number, number],
    pad,
    dataFormat: 'NHWC' as const,
  };
}

/**
 * @param inputs x `[batch, depth, height, width, in]`, dy `[batch, outDepth, outHeight, outWidth, out]`
 * @returns `[filterDepth, filterHeight, filterWidth, in, out]`
 */
function filterGradient({
  inputs,
  attrs,
  backend,
}: KernelCall<'x' | 'dy', Attributes & { readonly filterShape: Shape5D }>): TensorInfo {
  const info = describeVolume(inputs.x.shape, attrs.filterShape, attrs);
  const filterShape = attrs.filterShape.slice(1) as [number, number, number, number];
  const size = util.sizeFromShape(filterShape);
  const out = zeros(backend, attrs.filterShape);
  for (let tap = 0; tap < info.filterDepth; tap += 1) {
    const { firstOut, count, firstIn } = reachOf(info, tap);
    if (count === 0) continue;
    const x = takeSlices(backend, inputs.x, firstIn, info.strideDepth, count);
    const dy = takeSlices(backend, inputs.dy, firstOut, 1, count);
    const plane = convolutionFilterGradient(backend, x, dy, { ...planeAttributes(info), filterShape });
    floats(backend, out).set(floats(backend, plane), tap * size);
    release(backend, x, dy, plane);
  }
  return out;
}

/**
 * @param inputs dy `[batch, outDepth, outHeight, outWidth, out]`, filter as {@link filterGradient} returns it
 * @returns `[batch, depth, height, width, in]`
 */
function inputGradient({
  inputs,
  attrs,
  backend,
}: KernelCall<'dy' | 'filter', Attributes & { readonly inputShape: Shape5D }>): TensorInfo {
  const info = describeVolume(attrs.inputShape, inputs.filter.shape, attrs);
  const { batchSize, inDepth, inHeight, inWidth, inChannels } = info;
  const planeSize = inHeight * inWidth * inChannels;
  const out = zeros(backend, attrs.inputShape);
  for (let tap = 0; tap < info.filterDepth; tap += 1) {
    const { firstOut, count, firstIn } = reachOf(info, tap);
    if (count === 0) continue;
    const dy = takeSlices(backend, inputs.dy, firstOut, 1, count);
    const filterPlanes = { ...inputs.filter, shape: [1, ...inputs.filter.shape] };
    const filter = takeSlices(backend, filterPlanes, tap, 1, 1);
    const plane = convolutionInputGradient(
      backend,
      dy,
      { ...filter, shape: inputs.filter.shape.slice(1) },
      { ...planeAttributes(info), inputShape: [batchSize * count, inHeight, inWidth, inChannels] },
    );
    const from = floats(backend, plane);
    const to = floats(backend, out);
    for (let slice = 0; slice < batchSize * count; slice += 1) {
      const depth = firstIn + (slice % count) * info.strideDepth;
      const target = (Math.floor(slice / count) * inDepth + depth) * planeSize;
      const source = slice * planeSize;
      for (let i = 0; i < planeSize; i += 1) to[target + i] = (to[target + i] ?? 0) + (from[source + i] ?? 0);
    }
    release(backend, dy, filter, plane);
  }
  return out;
}

export function installConv3D(): void {
  replaceKernel('Conv3DBackpropFilterV2', filterGradient);
  replaceKernel('Conv3DBackpropInputV2', inputGradient);
}
