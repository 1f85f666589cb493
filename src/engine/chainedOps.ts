/**
 * Lets tensors be chained, `x.mul(2).sum()`, as the umbrella package does. Its own way is to import a hundred files
 * below `dist/`, which are a second copy of the core wherever the core is loaded as a bundle: then there are two Tensor
 * classes. Each method is the function of the same name with the tensor as its first argument, so a table does.
 */
import * as core from '@tensorflow/tfjs-core';
import type {} from '@tensorflow/tfjs-core/dist/public/chained_ops/register_all_chained_ops';

const SAME_NAME =
  `abs acos acosh add all any argMax argMin asin asinh atan atan2 atanh avgPool batchToSpaceND batchNorm
  broadcastTo cast ceil clipByValue conv1d conv2d conv2dTranspose cos cosh cumprod cumsum depthToSpace depthwiseConv2d
  dilation2d div divNoNan dot elu equal erf euclideanNorm exp expandDims expm1 fft floor floorDiv gather greater
  greaterEqual ifft irfft isFinite isInf isNaN leakyRelu less lessEqual localResponseNormalization log log1p logSigmoid
  logSoftmax logSumExp logicalAnd logicalNot logicalOr logicalXor matMul max maxPool maximum mean min minimum mirrorPad
  mod mul neg norm notEqual oneHot onesLike pad pool pow prelu prod reciprocal relu relu6 reshape reverse rfft round
  rsqrt selu separableConv2d sigmoid sign sin sinh slice softmax softplus spaceToBatchND split sqrt square
  squaredDifference squeeze step stridedSlice sub sum tan tanh tile topk transpose unique unsortedSegmentSum unstack
  zerosLike`.split(/\s+/u);

type Method = (tensor: core.Tensor, ...rest: never[]) => unknown;

const toList = (others: core.Tensor | core.Tensor[]): core.Tensor[] =>
  Array.isArray(others) ? others : [others];

/** Methods that are not the function of their name. */
const others: Readonly<Record<string, Method>> = {
  as1D: (x) => core.reshape(x, [x.size]),
  as2D: (x, ...shape) => core.reshape(x, shape),
  as3D: (x, ...shape) => core.reshape(x, shape),
  as4D: (x, ...shape) => core.reshape(x, shape),
  as5D: (x, ...shape) => core.reshape(x, shape),
  asScalar: (x) => core.reshape(x, []),
  asType: (x, dtype) => core.cast(x, dtype),
  concat: (x, list: core.Tensor | core.Tensor[], axis?: number) => core.concat([x, ...toList(list)], axis),
  flatten: (x) => core.reshape(x, [x.size]),
  reshapeAs: (x, other: core.Tensor) => core.reshape(x, other.shape),
  resizeBilinear: (x, size: [number, number], alignCorners?: boolean, halfPixelCenters?: boolean) =>
    core.image.resizeBilinear(x as core.Tensor4D, size, alignCorners, halfPixelCenters),
  resizeNearestNeighbor: (x, size: [number, number], alignCorners?: boolean, halfPixelCenters?: boolean) =>
    core.image.resizeNearestNeighbor(x as core.Tensor4D, size, alignCorners, halfPixelCenters),
  stack: (x, list: core.Tensor | core.Tensor[], axis?: number) => core.stack([x, ...toList(list)], axis),
  toBool: (x) => core.cast(x, 'bool'),
  toFloat: (x) => core.cast(x, 'float32'),
  toInt: (x) => core.cast(x, 'int32'),
  where: (x, condition: core.Tensor, other: core.Tensor) => core.where(condition, x, other),
};

/** Adds the methods to the Tensor class. Harmless when repeated. */
export function registerChainedOps(): void {
  const functions = core as unknown as Readonly<Record<string, Method | undefined>>;
  const prototype = core.Tensor.prototype as unknown as Record<string, unknown>;
  const add = (name: string, method: Method) => {
    prototype[name] = function (this: core.Tensor, ...rest: never[]): unknown {
      return method(this, ...rest);
    };
  };
  for (const name of SAME_NAME) {
    const method = functions[name];
    if (method === undefined) throw new Error(`TensorFlow.js has no function ${name}`);
    add(name, method);
  }
  for (const [name, method] of Object.entries(others)) add(name, method);
}
