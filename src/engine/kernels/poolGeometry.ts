import { backend_util } from '@tensorflow/tfjs-core';
import type { PoolGeometry } from './poolWindows';

/** The attributes that all pooling kernels of TensorFlow.js have. */
export interface PoolAttributes {
  readonly filterSize: number | number[];
  readonly strides: number | number[];
  readonly pad: 'valid' | 'same' | number | backend_util.ExplicitPadding;
  readonly dimRoundingMode?: 'floor' | 'round' | 'ceil';
}

/** @param shape `[batch, height, width, channels]` */
export function pool2DGeometry(shape: readonly number[], attrs: PoolAttributes): PoolGeometry {
  const info = backend_util.computePool2DInfo(
    shape as [number, number, number, number],
    attrs.filterSize as [number, number],
    attrs.strides as [number, number],
    1,
    attrs.pad,
    attrs.dimRoundingMode,
  );
  return {
    batch: info.batchSize,
    channels: info.inChannels,
    input: { depth: 1, height: info.inHeight, width: info.inWidth },
    output: { depth: 1, height: info.outHeight, width: info.outWidth },
    window: { depth: 1, height: info.filterHeight, width: info.filterWidth },
    stride: { depth: 1, height: info.strideHeight, width: info.strideWidth },
    padBefore: { depth: 0, height: info.padInfo.top, width: info.padInfo.left },
  };
}

/** @param shape `[batch, depth, height, width, channels]` */
export function pool3DGeometry(shape: readonly number[], attrs: PoolAttributes): PoolGeometry {
  const info = backend_util.computePool3DInfo(
    shape as [number, number, number, number, number],
    attrs.filterSize as [number, number, number],
    attrs.strides as [number, number, number],
    1,
    attrs.pad as 'valid' | 'same' | number,
    attrs.dimRoundingMode,
  );
  return {
    batch: info.batchSize,
    channels: info.inChannels,
    input: { depth: info.inDepth, height: info.inHeight, width: info.inWidth },
    output: { depth: info.outDepth, height: info.outHeight, width: info.outWidth },
    window: { depth: info.filterDepth, height: info.filterHeight, width: info.filterWidth },
    stride: { depth: info.strideDepth, height: info.strideHeight, width: info.strideWidth },
    padBefore: { depth: info.padInfo.front, height: info.padInfo.top, width: info.padInfo.left },
  };
}
