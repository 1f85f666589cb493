/**
 * Forward passes of depthwise convolution. For 'same' the stock kernels hand XNNPACK a flag in place of numbers, and it
 * computes something else where a window is smaller than the stride. Given numbers it is right.
 */
import { util } from '@tensorflow/tfjs-core';
import type {
  DepthwiseConv2dNativeAttrs,
  FusedDepthwiseConv2DAttrs,
  TensorInfo,
} from '@tensorflow/tfjs-core';
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import { describeConvolution } from './conv2d';
import { replaceKernel, runStock, type KernelCall } from './heap';

type Attributes = DepthwiseConv2dNativeAttrs | FusedDepthwiseConv2DAttrs;

/** The attributes with what 'same' means here in numbers. */
function numberPadding(
  { x, filter }: Readonly<Record<'x' | 'filter', TensorInfo>>,
  attrs: Attributes,
): object {
  // Other layouts are refused by the stock kernels.
  if (attrs.pad !== 'same' || attrs.dataFormat === 'NCHW') return attrs;
  const { top, bottom, left, right } = describeConvolution(x.shape, filter.shape, attrs, true).padInfo;
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

/**
 * The fused kernels look at the shape stored with the data, not at the tensor's, so a bias that was reshaped or
 * gathered is refused. Reads of the data use only the stored size, so storing the tensor's shape changes nothing else.
 */
function rankOneBias(backend: BackendWasm, bias: TensorInfo | undefined): void {
  if (bias === undefined) return;
  const data = backend.dataIdMap.get(bias.dataId);
  if (data.shape.length !== 1) data.shape = [util.sizeFromShape(bias.shape)];
}

type Inputs = KernelCall<'x' | 'filter', Attributes, 'bias' | 'preluActivationWeights'>;

function forward(name: string) {
  return ({ inputs, attrs, backend }: Inputs): TensorInfo => {
    rankOneBias(backend, inputs.bias);
    return runStock(name, backend, inputs, numberPadding(inputs, attrs));
  };
}

export function installDepthwiseForward(): void {
  for (const name of ['DepthwiseConv2dNative', 'FusedDepthwiseConv2D']) replaceKernel(name, forward(name));
}
