/**
 * Layer normalisation without scale or centre. TensorFlow.js 4.22 hands a kernel tensors that are not there, and the
 * kernel's gradient asks for them, so that such a layer cannot be trained on any backend.
 */
import * as tf from '@tensorflow/tfjs-core';
import { layers } from '@tensorflow/tfjs-layers';

const MARK = Symbol('normalisation mended');

interface Normalization {
  /** Counted from the front, once the layer is built. */
  readonly axis: readonly number[];
  readonly epsilon: number;
  readonly gamma: { read(): tf.Tensor } | null;
  readonly beta: { read(): tf.Tensor } | null;
  call: (this: Normalization, inputs: tf.Tensor | tf.Tensor[], options: object) => tf.Tensor;
  [MARK]?: true;
}

/** `(x - mean(x)) / sqrt(var(x) + ε)`, times γ or plus β where there is one. */
function normalize({ axis, epsilon, gamma, beta }: Normalization, x: tf.Tensor): tf.Tensor {
  return tf.tidy(() => {
    const { mean, variance } = tf.moments(x, [...axis], true);
    const normalized = tf.mul(tf.sub(x, mean), tf.rsqrt(tf.add(variance, epsilon)));
    // Weights have the lengths of `axis`, in its order; the layer itself lays them out by that of x.
    const shape = x.shape.map((length, index) => (axis.includes(index) ? length : 1));
    const scaled = gamma === null ? normalized : tf.mul(normalized, tf.reshape(gamma.read(), shape));
    return beta === null ? scaled : tf.add(scaled, tf.reshape(beta.read(), shape));
  });
}

/** Harmless when repeated. */
export function mendLayerNormalization(): void {
  const prototype = Object.getPrototypeOf(layers.layerNormalization()) as Normalization;
  if (prototype[MARK] === true) return;
  const { call } = prototype;
  prototype.call = function (this: Normalization, inputs, options): tf.Tensor {
    const x = Array.isArray(inputs) ? inputs[0] : inputs;
    if (x === undefined || (this.gamma !== null && this.beta !== null))
      return call.call(this, inputs, options);
    return normalize(this, x);
  };
  prototype[MARK] = true;
}
