/**
 * 2D convolution and its gradients, as matrix products of windows. 1D convolution, transposed, separable and ConvLSTM
 * layers are made of these.
 */
import { backend_util, util } from '@tensorflow/tfjs-core';
import type {
  Conv2DAttrs,
  Conv2DBackpropFilterAttrs,
  Conv2DBackpropInputAttrs,
  FusedConv2DAttrs,
  TensorInfo,
} from '@tensorflow/tfjs-core';
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import { activate, canActivate } from './activation';
import { floats, release, replaceKernel, repeatRow, runStock, zeros, type KernelCall } from './heap';
import { denseMatrix, multiply, type Matrix } from './product/product';
import { windowMatrix, type Pair, type Windows } from './windows';

type ConvInfo = backend_util.Conv2DInfo;
type Shape4D = [number, number, number, number];

/** tfjs passes the layer's dilation on although the attribute types of the gradients do not list it. */
interface Dilated {
  readonly dilations?: number | [number, number];
}

export function describeConvolution(
  inputShape: readonly number[],
  filterShape: readonly number[],
  attrs: Pick<Conv2DBackpropInputAttrs, 'strides' | 'pad'> & Partial<Conv2DBackpropInputAttrs> & Dilated,
  depthwise = false,
): ConvInfo {
  return backend_util.computeConv2DInfo(
    inputShape as Shape4D,
    filterShape as Shape4D,
    attrs.strides,
    attrs.dilations ?? 1,
    attrs.pad,
    attrs.dimRoundingMode,
    depthwise,
    'channelsLast',
  );
}

/** The windows of the input, one for each pixel of the output. */
export function windowsOf(info: ConvInfo): Windows {
  return {
    count: [info.outHeight, info.outWidth],
    size: [info.filterHeight, info.filterWidth],
    strides: [info.strideHeight, info.strideWidth],
    dilations: [info.dilationHeight, info.dilationWidth],
    top: info.padInfo.top,
    left: info.padInfo.left,
  };
}

/**
 * @param x `[batch, height, width, in]`
 * @param filter `[filterHeight, filterWidth, in, out]`
 * @param bias `[out]`
 * @returns `[batch, outHeight, outWidth, out]`
 */
function convolve(
  backend: BackendWasm,
  x: TensorInfo,
  filter: TensorInfo,
  info: ConvInfo,
  bias?: TensorInfo,
): TensorInfo {
  const { outShape, outChannels } = info;
  if (util.sizeFromShape(x.shape) * util.sizeFromShape(outShape) === 0) return zeros(backend, outShape);
  const out = backend.makeOutput(outShape, 'float32');
  if (bias !== undefined) repeatRow(floats(backend, out), floats(backend, bias));
  const { matrix, image } = windowMatrix(backend, x, windowsOf(info));
  multiply(backend, {
    left: matrix,
    right: denseMatrix(
      backend.getMemoryOffset(filter.dataId),
      util.sizeFromShape(filter.shape) / outChannels,
      outChannels,
    ),
    transposeLeft: false,
    transposeRight: false,
    out: backend.getMemoryOffset(out.dataId),
    adds: bias !== undefined,
  });
  release(backend, image);
  return out;
}

/**
 * ∂L/∂filter: windows of x, transposed, times dy.
 *
 * @param x `[batch, height, width, in]`
 * @param dy `[batch, outHeight, outWidth, out]`
 * @returns `[filterHeight, filterWidth, in, out]`
 */
export function convolutionFilterGradient(
  backend: BackendWasm,
  x: TensorInfo,
  dy: TensorInfo,
  attrs: Omit<Conv2DBackpropFilterAttrs, 'dimRoundingMode'> & Partial<Conv2DBackpropFilterAttrs> & Dilated,
): TensorInfo {
  const info = describeConvolution(x.shape, attrs.filterShape, attrs);
  if (util.sizeFromShape(x.shape) * util.sizeFromShape(dy.shape) === 0)
    return zeros(backend, attrs.filterShape);
  const out = backend.makeOutput(attrs.filterShape, 'float32');
  const { matrix, image } = windowMatrix(backend, x, windowsOf(info));
  multiply(backend, {
    left: matrix,
    right: denseMatrix(backend.getMemoryOffset(dy.dataId), matrix.rows, info.outChannels),
    transposeLeft: true,
    transposeRight: false,
    out: backend.getMemoryOffset(out.dataId),
    adds: false,
  });
  release(backend, image);
  return out;
}

/** Along one axis: pixels of x that are `stride` apart, and the elements of the filter that reach them. */
interface Phase {
  /** The first pixel. */
  readonly first: number;
  readonly count: number;
  /** Elements of the filter, in the order of the pixels of dy that they belong to. */
  readonly taps: readonly number[];
  /** Pixels of dy before its first that the first window begins at. */
  readonly before: number;
}

/** Element `tap` joins pixel `y` of x and pixel `(y + before - tap · dilation) / stride` of dy, where that is whole. */
function phasesOf(pixels: number, size: number, stride: number, dilation: number, before: number): Phase[] {
  return Array.from({ length: Math.min(stride, pixels) }, (_, first) => {
    const joined = Array.from({ length: size }, (_, tap) => ({
      tap,
      at: (first + before - tap * dilation) / stride,
    })).filter(({ at }) => Number.isInteger(at));
    const taps = joined.map(({ tap }) => tap).toReversed();
    return { first, count: Math.ceil((pixels - first) / stride), taps, before: -(joined.at(-1)?.at ?? 0) };
  });
}

/** Writes images of every `strides`th pixel between the others. */
function writePhase(
  backend: BackendWasm,
  phase: TensorInfo,
  out: TensorInfo,
  first: Pair,
  strides: Pair,
): void {
  const [batch = 1, height = 1, width = 1, channels = 1] = phase.shape;
  const [, tall = 1, wide = 1] = out.shape;
  const from = floats(backend, phase);
  const to = floats(backend, out);
  let source = 0;
  for (let line = 0; line < batch * height; line += 1) {
    const y = first[0] + (line % height) * strides[0];
    let target = ((Math.floor(line / height) * tall + y) * wide + first[1]) * channels;
    for (let column = 0; column < width; column += 1) {
      for (let c = 0; c < channels; c += 1) to[target + c] = from[source + c] ?? 0;
      source += channels;
      target += strides[1] * channels;
    }
  }
}

/** Elements of a filter with channels in and out changed: `[in, taps · out]`. */
function tapsOf(address: number, { inChannels, outChannels }: ConvInfo, taps: readonly number[]): Matrix {
  return {
    rows: inChannels,
    locate: denseMatrix(address, inChannels, outChannels).locate,
    pieces: taps.map((tap) => ({ offset: tap * inChannels * outChannels * 4, columns: outChannels })),
  };
}

/**
 * ∂L/∂x: windows of dy times the turned filter. With strides, pixels of x that are a stride apart are reached by the same
 * elements of the filter: a convolution of its own for each such set. It is also the forward pass of a transposed
 * convolution.
 *
 * @param dy `[batch, outHeight, outWidth, out]`
 * @param filter `[filterHeight, filterWidth, in, out]`
 * @returns `[batch, height, width, in]`
 */
export function convolutionInputGradient(
  backend: BackendWasm,
  dy: TensorInfo,
  filter: TensorInfo,
  attrs: Omit<Conv2DBackpropInputAttrs, 'dimRoundingMode'> & Partial<Conv2DBackpropInputAttrs> & Dilated,
): TensorInfo {
  const info = describeConvolution(attrs.inputShape, filter.shape, attrs);
  const { inHeight, inWidth, filterHeight, filterWidth, strideHeight, strideWidth, padInfo } = info;
  const { dilationHeight, dilationWidth } = info;
  const out = zeros(backend, info.inShape);
  if (util.sizeFromShape(info.inShape) * util.sizeFromShape(dy.shape) === 0) return out;
  const single = strideHeight === 1 && strideWidth === 1;
  for (const rows of phasesOf(inHeight, filterHeight, strideHeight, dilationHeight, padInfo.top))
    for (const columns of phasesOf(inWidth, filterWidth, strideWidth, dilationWidth, padInfo.left)) {
      if (rows.taps.length === 0 || columns.taps.length === 0) continue;
      const { matrix, image } = windowMatrix(backend, dy, {
        count: [rows.count, columns.count],
        size: [rows.taps.length, columns.taps.length],
        strides: [1, 1],
        // Elements that reach a pixel are as far apart in dy as the filter is dilated: TensorFlow.js has no strides then.
        dilations: [dilationHeight, dilationWidth],
        top: rows.before,
        left: columns.before,
      });
      const shape = [info.batchSize, rows.count, columns.count, info.inChannels];
      const phase = single ? out : backend.makeOutput(shape, 'float32');
      const taps = rows.taps.flatMap((y) => columns.taps.map((x) => y * filterWidth + x));
      multiply(backend, {
        left: matrix,
        right: tapsOf(backend.getMemoryOffset(filter.dataId), info, taps),
        transposeLeft: false,
        transposeRight: true,
        out: backend.getMemoryOffset(phase.dataId),
        adds: false,
      });
      release(backend, image);
      if (single) continue;
      writePhase(backend, phase, out, [rows.first, columns.first], [strideHeight, strideWidth]);
      release(backend, phase);
    }
  return out;
}

function filterGradient(call: KernelCall<'x' | 'dy', Conv2DBackpropFilterAttrs & Dilated>): TensorInfo {
  return convolutionFilterGradient(call.backend, call.inputs.x, call.inputs.dy, call.attrs);
}

function inputGradient(call: KernelCall<'dy' | 'filter', Conv2DBackpropInputAttrs & Dilated>): TensorInfo {
  return convolutionInputGradient(call.backend, call.inputs.dy, call.inputs.filter, call.attrs);
}

/** Floats with channels last; the stock kernels refuse anything else, and say so. */
const isKnown = (
  { x, filter }: Readonly<Record<'x' | 'filter', TensorInfo>>,
  { dataFormat }: Conv2DAttrs,
): boolean => x.dtype === 'float32' && filter.dtype === 'float32' && dataFormat === 'NHWC';

function conv2D({ inputs, attrs, backend }: KernelCall<'x' | 'filter', Conv2DAttrs>): TensorInfo {
  const { x, filter } = inputs;
  if (!isKnown(inputs, attrs)) return runStock('Conv2D', backend, inputs, attrs);
  return convolve(backend, x, filter, describeConvolution(x.shape, filter.shape, attrs));
}

function fusedConv2D({
  inputs,
  attrs,
  backend,
}: KernelCall<'x' | 'filter', FusedConv2DAttrs, 'bias' | 'preluActivationWeights'>): TensorInfo {
  const { x, filter, bias, preluActivationWeights } = inputs;
  if (!isKnown(inputs, attrs) || !canActivate(attrs))
    return runStock('FusedConv2D', backend, { ...inputs }, attrs);
  const sums = convolve(backend, x, filter, describeConvolution(x.shape, filter.shape, attrs), bias);
  return activate(backend, sums, attrs, preluActivationWeights);
}

export function installConv2D(): void {
  replaceKernel('Conv2D', conv2D);
  replaceKernel('FusedConv2D', fusedConv2D);
  replaceKernel('Conv2DBackpropFilter', filterGradient);
  replaceKernel('Conv2DBackpropInput', inputGradient);
}
