/**
 * Forward passes of 2D convolution. For 'same' the stock kernels hand XNNPACK a flag in place of numbers, and it computes
 * something else where a window is smaller than the stride. Given numbers it is right.
 */
import type {
  Conv2DAttrs,
  DepthwiseConv2dNativeAttrs,
  FusedConv2DAttrs,
  FusedDepthwiseConv2DAttrs,
  TensorInfo,
} from '@tensorflow/tfjs-core';
import { describeConvolution } from './conv2d';
import { replaceKernel, runStock, type KernelCall } from './heap';
import { rankOneBias } from './matMul';

type Attributes = Conv2DAttrs | DepthwiseConv2dNativeAttrs | FusedConv2DAttrs | FusedDepthwiseConv2DAttrs;

/** The attributes with what 'same' means here in numbers. */
function numberPadding(
  { x, filter }: Readonly<Record<'x' | 'filter', TensorInfo>>,
  attrs: Attributes,
  depthwise: boolean,
): object {
  // Other layouts are refused by the stock kernels.
  if (attrs.pad !== 'same' || attrs.dataFormat === 'NCHW') return attrs;
  const { top, bottom, left, right } = describeConvolution(x.shape, filter.shape, attrs, depthwise).padInfo;
  return {
    ...attrs,
    pad: [
      [0, 0],
      [top, bottom],
      [left, right],
      [0, 0],
    ],
  };
}

type Inputs = KernelCall<'x' | 'filter', Attributes, 'bias' | 'preluActivationWeights'>;

function forward(name: string, depthwise: boolean) {
  return ({ inputs, attrs, backend }: Inputs): TensorInfo => {
    rankOneBias(backend, inputs.bias);
    return runStock(name, backend, inputs, numberPadding(inputs, attrs, depthwise));
  };
}

export function installConvolutionForward(): void {
  for (const name of ['Conv2D', 'FusedConv2D']) replaceKernel(name, forward(name, false));
  for (const name of ['DepthwiseConv2dNative', 'FusedDepthwiseConv2D'])
    replaceKernel(name, forward(name, true));
}
