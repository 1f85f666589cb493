/** Gradients of depthwise convolution, which the stock backend lacks. Any channel multiplier. */
import type {
  backend_util,
  DepthwiseConv2dNativeBackpropFilterAttrs,
  DepthwiseConv2dNativeBackpropInputAttrs,
  TensorInfo,
} from '@tensorflow/tfjs-core';
import { describeConvolution } from './conv2d';
import { floats, release, replaceKernel, runStock, zeros, type KernelCall } from './heap';

type Visit = (pixel: number, outPixel: number, tap: number) => void;

/**
 * Calls `visit` for every pair of an input pixel and an output pixel that a filter tap joins, with the offsets of
 * their first channels and the tap's index in `[filterHeight, filterWidth]`.
 */
function forEachTap(info: backend_util.Conv2DInfo, visit: Visit): void {
  const { inHeight, inWidth, inChannels, outHeight, outWidth, outChannels, padInfo } = info;
  for (let n = 0; n < info.batchSize; n += 1) {
    for (let outY = 0; outY < outHeight; outY += 1) {
      for (let tapY = 0; tapY < info.filterHeight; tapY += 1) {
        const y = outY * info.strideHeight - padInfo.top + tapY * info.dilationHeight;
        if (y < 0 || y >= inHeight) continue;
        for (let outX = 0; outX < outWidth; outX += 1) {
          for (let tapX = 0; tapX < info.filterWidth; tapX += 1) {
            const x = outX * info.strideWidth - padInfo.left + tapX * info.dilationWidth;
            if (x < 0 || x >= inWidth) continue;
            visit(
              ((n * inHeight + y) * inWidth + x) * inChannels,
              ((n * outHeight + outY) * outWidth + outX) * outChannels,
              tapY * info.filterWidth + tapX,
            );
          }
        }
      }
    }
  }
}

/**
 * @param inputs dy `[batch, outHeight, outWidth, in * multiplier]`, filter `[height, width, in, multiplier]`
 * @returns `[batch, height, width, in]`
 */
function inputGradient({
  inputs,
  attrs,
  backend,
}: KernelCall<'dy' | 'filter', DepthwiseConv2dNativeBackpropInputAttrs>): TensorInfo {
  const { dy, filter } = inputs;
  const info = describeConvolution(attrs.inputShape, filter.shape, attrs, true);
  const { inChannels, outChannels, padInfo } = info;
  const multiplier = outChannels / inChannels;
  const reachY = (info.filterHeight - 1) * info.dilationHeight;
  const reachX = (info.filterWidth - 1) * info.dilationWidth;
  const top = reachY - padInfo.top;
  const left = reachX - padInfo.left;
  const bottom = info.inHeight + reachY - info.outHeight - top;
  const right = info.inWidth + reachX - info.outWidth - left;
  const unstrided = info.strideHeight === 1 && info.strideWidth === 1;
  if (multiplier === 1 && unstrided && Math.min(top, left, bottom, right) >= 0) {
    // A depthwise convolution with the rotated filter: XNNPACK does it many times faster than the loop below.
    const rotated = runStock('Reverse', backend, { x: filter }, { dims: [0, 1] });
    const out = runStock(
      'DepthwiseConv2dNative',
      backend,
      { x: dy, filter: rotated },
      {
        strides: [1, 1],
        pad: [
          [0, 0],
          [top, bottom],
          [left, right],
          [0, 0],
        ],
        dataFormat: 'NHWC',
        dilations: [info.dilationHeight, info.dilationWidth],
      },
    );
    release(backend, rotated);
    return out;
  }
  const dx = zeros(backend, attrs.inputShape);
  const target = floats(backend, dx);
  const gradient = floats(backend, dy);
  const weights = floats(backend, filter);
  forEachTap(info, (pixel, outPixel, tap) => {
    for (let out = 0; out < outChannels; out += 1) {
      const at = pixel + Math.floor(out / multiplier);
      target[at] =
        (target[at] ?? 0) + (gradient[outPixel + out] ?? 0) * (weights[tap * outChannels + out] ?? 0);
    }
  });
  return dx;
}

/**
 * @param inputs x `[batch, height, width, in]`, dy `[batch, outHeight, outWidth, in * multiplier]`
 * @returns `[height, width, in, multiplier]`
 */
function filterGradient({
  inputs,
  attrs,
  backend,
}: KernelCall<'x' | 'dy', DepthwiseConv2dNativeBackpropFilterAttrs>): TensorInfo {
  const { x, dy } = inputs;
  const info = describeConvolution(x.shape, attrs.filterShape, attrs, true);
  const { inChannels, outChannels } = info;
  const multiplier = outChannels / inChannels;
  const out = backend.makeOutput(attrs.filterShape, 'float32');
  // Doubles: a tap sums over batch and all pixels.
  const sums = new Float64Array(info.filterHeight * info.filterWidth * outChannels);
  const values = floats(backend, x);
  const gradient = floats(backend, dy);
  forEachTap(info, (pixel, outPixel, tap) => {
    for (let channel = 0; channel < outChannels; channel += 1) {
      const at = tap * outChannels + channel;
      const value = values[pixel + Math.floor(channel / multiplier)] ?? 0;
      sums[at] = (sums[at] ?? 0) + (gradient[outPixel + channel] ?? 0) * value;
    }
  });
  floats(backend, out).set(sums);
  return out;
}

export function installDepthwise(): void {
  replaceKernel('DepthwiseConv2dNativeBackpropInput', inputGradient);
  replaceKernel('DepthwiseConv2dNativeBackpropFilter', filterGradient);
}
