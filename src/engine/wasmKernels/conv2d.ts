/**
 * Gradients of 2D convolution, as convolutions: XNNPACK's forward kernel is the fast part of the backend. 1D
 * convolution, transposed, separable and ConvLSTM layers are made of these.
 */
import { backend_util } from '@tensorflow/tfjs-core';
import type { Conv2DBackpropFilterAttrs, Conv2DBackpropInputAttrs, TensorInfo } from '@tensorflow/tfjs-core';
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import { floats, release, replaceKernel, runStock, transpose, viewAs, zeros, type KernelCall } from './heap';
import { multiplyMatrices } from './matMul';

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

/** A 1x1 convolution without stride or padding is a matrix product over all pixels. */
function isPointwise(info: ConvInfo): boolean {
  return (
    info.filterHeight === 1 &&
    info.filterWidth === 1 &&
    info.outHeight === info.inHeight &&
    info.outWidth === info.inWidth &&
    info.padInfo.top === 0 &&
    info.padInfo.left === 0
  );
}

interface Padding {
  readonly top: number;
  readonly bottom: number;
  readonly left: number;
  readonly right: number;
}

/** Convolution with explicit paddings, which may be negative: negative ones crop the input. */
function convolve(
  backend: BackendWasm,
  x: TensorInfo,
  filter: TensorInfo,
  pad: Padding,
  strides: [number, number],
  dilations: [number, number],
): TensorInfo {
  const [batch = 1, height = 1, width = 1, channels = 1] = x.shape;
  const crop = (side: number) => Math.max(0, -side);
  const keep = (side: number) => Math.max(0, side);
  let input = x;
  if (Math.min(pad.top, pad.bottom, pad.left, pad.right) < 0) {
    const size = [
      batch,
      height - crop(pad.top) - crop(pad.bottom),
      width - crop(pad.left) - crop(pad.right),
      channels,
    ];
    input = runStock('Slice', backend, { x }, { begin: [0, crop(pad.top), crop(pad.left), 0], size });
  }
  const out = runStock(
    'Conv2D',
    backend,
    { x: input, filter },
    {
      strides,
      pad: [
        [0, 0],
        [keep(pad.top), keep(pad.bottom)],
        [keep(pad.left), keep(pad.right)],
        [0, 0],
      ],
      dataFormat: 'NHWC',
      dilations,
    },
  );
  if (input !== x) release(backend, input);
  return out;
}

/**
 * ∂L/∂filter is the convolution of x with dy in which batch and channels change places, and stride and dilation too.
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
  const { batchSize, inHeight, inWidth, inChannels, outHeight, outWidth, outChannels, padInfo } = info;
  if (isPointwise(info)) {
    const pixels = batchSize * inHeight * inWidth;
    const flatX = viewAs(x, [pixels, inChannels]);
    const product = multiplyMatrices(backend, flatX, viewAs(dy, [pixels, outChannels]), true, false);
    return viewAs(product, attrs.filterShape);
  }
  const swappedX = transpose(backend, x, [3, 1, 2, 0]);
  const swappedDy = transpose(backend, dy, [1, 2, 0, 3]);
  const reachY = (outHeight - 1) * info.strideHeight + (info.filterHeight - 1) * info.dilationHeight + 1;
  const reachX = (outWidth - 1) * info.strideWidth + (info.filterWidth - 1) * info.dilationWidth + 1;
  // Rows and columns that the forward convolution never reached must not reach the gradient either: these
  // paddings are negative there and crop them.
  const pad = {
    top: padInfo.top,
    bottom: reachY - inHeight - padInfo.top,
    left: padInfo.left,
    right: reachX - inWidth - padInfo.left,
  };
  const swapped = convolve(
    backend,
    swappedX,
    swappedDy,
    pad,
    [info.dilationHeight, info.dilationWidth],
    [info.strideHeight, info.strideWidth],
  );
  const gradient = transpose(backend, swapped, [1, 2, 0, 3]);
  release(backend, swappedX, swappedDy, swapped);
  return gradient;
}

/** Puts `stride - 1` zeros between the pixels of dy. */
function spreadPixels(backend: BackendWasm, dy: TensorInfo, strideY: number, strideX: number): TensorInfo {
  const [batch = 1, height = 1, width = 1, channels = 1] = dy.shape;
  const wideHeight = (height - 1) * strideY + 1;
  const wideWidth = (width - 1) * strideX + 1;
  const out = zeros(backend, [batch, wideHeight, wideWidth, channels]);
  const from = floats(backend, dy);
  const to = floats(backend, out);
  for (let row = 0; row < batch * height; row += 1) {
    const image = Math.floor(row / height);
    let source = row * width * channels;
    let target = (image * wideHeight + (row % height) * strideY) * wideWidth * channels;
    for (let column = 0; column < width; column += 1) {
      for (let c = 0; c < channels; c += 1) to[target + c] = from[source + c] ?? 0;
      source += channels;
      target += strideX * channels;
    }
  }
  return out;
}

/**
 * ∂L/∂x is the convolution of dy, spread out by the stride, with the rotated filter. It is also the forward pass of a
 * transposed convolution.
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
  const { batchSize, inHeight, inWidth, inChannels, outHeight, outWidth, outChannels, padInfo } = info;
  if (isPointwise(info)) {
    const flatDy = viewAs(dy, [batchSize * inHeight * inWidth, outChannels]);
    const product = multiplyMatrices(backend, flatDy, viewAs(filter, [inChannels, outChannels]), false, true);
    return viewAs(product, info.inShape);
  }
  const reversed = runStock('Reverse', backend, { x: filter }, { dims: [0, 1] });
  const rotated = transpose(backend, reversed, [0, 1, 3, 2]);
  const strided = info.strideHeight > 1 || info.strideWidth > 1;
  const spread = strided ? spreadPixels(backend, dy, info.strideHeight, info.strideWidth) : dy;
  const reachY = (info.filterHeight - 1) * info.dilationHeight;
  const reachX = (info.filterWidth - 1) * info.dilationWidth;
  const top = reachY - padInfo.top;
  const left = reachX - padInfo.left;
  const pad = {
    top,
    left,
    bottom: inHeight + reachY - ((outHeight - 1) * info.strideHeight + 1) - top,
    right: inWidth + reachX - ((outWidth - 1) * info.strideWidth + 1) - left,
  };
  const out = convolve(backend, spread, rotated, pad, [1, 1], [info.dilationHeight, info.dilationWidth]);
  release(backend, reversed, rotated);
  if (strided) release(backend, spread);
  return out;
}

function filterGradient(call: KernelCall<'x' | 'dy', Conv2DBackpropFilterAttrs & Dilated>): TensorInfo {
  return convolutionFilterGradient(call.backend, call.inputs.x, call.inputs.dy, call.attrs);
}

function inputGradient(call: KernelCall<'dy' | 'filter', Conv2DBackpropInputAttrs & Dilated>): TensorInfo {
  return convolutionInputGradient(call.backend, call.inputs.dy, call.inputs.filter, call.attrs);
}

export function installConv2D(): void {
  replaceKernel('Conv2DBackpropFilter', filterGradient);
  replaceKernel('Conv2DBackpropInput', inputGradient);
}
