/**
 * Dilated convolutions. TensorFlow.js has no gradient of them on any backend. With zeros between its elements a kernel
 * gives the same output without dilation, and of that there is a gradient: that of the elements alone.
 */
import * as tf from '@tensorflow/tfjs-core';
import { layers } from '@tensorflow/tfjs-layers';

const MARK = Symbol('dilation mended');

interface Kernel {
  read(): tf.Tensor;
}

interface Convolution {
  dilationRate: number | number[];
  readonly strides: number | number[];
  kernel?: Kernel;
  depthwiseKernel?: Kernel;
  call: (this: Convolution, inputs: tf.Tensor | tf.Tensor[], options: object) => tf.Tensor;
  [MARK]?: true;
}

/**
 * Puts `rate - 1` zeros between neighbours along an axis.
 *
 * @param kernel length `k` along the axis
 * @returns length `(k - 1) · rate + 1` there
 */
function spreadAlong(kernel: tf.Tensor, axis: number, rate: number): tf.Tensor {
  const { shape } = kernel;
  const length = shape[axis] ?? 1;
  const spread = (length - 1) * rate + 1;
  const sizeOf = (lengths: readonly number[]): number => lengths.reduce((product, n) => product * n, 1);
  const [before, behind] = [sizeOf(shape.slice(0, axis)), sizeOf(shape.slice(axis + 1))];
  const padded = tf.pad(tf.reshape(kernel, [before, length, 1, behind]), [
    [0, 0],
    [0, 0],
    [0, rate - 1],
    [0, 0],
  ]);
  const rows = tf.slice(
    tf.reshape(padded, [before, length * rate, behind]),
    [0, 0, 0],
    [before, spread, behind],
  );
  return tf.reshape(rows, shape.with(axis, spread));
}

function spreadKernel(kernel: tf.Tensor, rates: readonly number[]): tf.Tensor {
  return tf.tidy(() =>
    rates.reduce(
      (wider, rate, axis) => (rate === 1 || wider.shape[axis] === 1 ? wider : spreadAlong(wider, axis, rate)),
      kernel,
    ),
  );
}

function mend(prototype: Convolution, key: 'kernel' | 'depthwiseKernel'): void {
  // Its own: one class of convolutions inherits from another.
  if (Object.hasOwn(prototype, MARK)) return;
  const { call } = prototype;
  prototype.call = function (this: Convolution, inputs, options): tf.Tensor {
    const { dilationRate, strides } = this;
    const kernel = this[key];
    const rates = [dilationRate].flat();
    // With strides as well the layer refuses, by name.
    const asItIs = rates.every((rate) => rate === 1) || [strides].flat().some((stride) => stride !== 1);
    if (kernel === undefined || asItIs) return call.call(this, inputs, options);
    this[key] = { read: () => spreadKernel(kernel.read(), rates) };
    this.dilationRate = rates.map(() => 1);
    try {
      return tf.tidy(() => call.call(this, inputs, options));
    } finally {
      this[key] = kernel;
      this.dilationRate = dilationRate;
    }
  };
  prototype[MARK] = true;
}

/** The prototype that has the method itself: one for convolutions of every rank. */
function ownerOfCall(layer: object): Convolution {
  let prototype = Object.getPrototypeOf(layer) as object;
  while (!Object.hasOwn(prototype, 'call')) prototype = Object.getPrototypeOf(prototype) as object;
  return prototype as Convolution;
}

/** Harmless when repeated. */
export function mendDilatedConvolution(): void {
  mend(ownerOfCall(layers.conv2d({ filters: 1, kernelSize: 1 })), 'kernel');
  mend(ownerOfCall(layers.depthwiseConv2d({ kernelSize: 1 })), 'depthwiseKernel');
  mend(ownerOfCall(layers.separableConv2d({ filters: 1, kernelSize: 1 })), 'depthwiseKernel');
}
