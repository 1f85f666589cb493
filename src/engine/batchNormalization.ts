/**
 * Batch normalisation in training, with its gradient written down. TensorFlow.js 4.22 composes both of small
 * operations, some twenty passes over the activations where six do, and cannot train without scale or centre at all.
 * Predictions with channels on another axis than the last are mended as well.
 */
import * as tf from '@tensorflow/tfjs-core';
import { layers } from '@tensorflow/tfjs-layers';

interface Weight {
  read(): tf.Tensor;
  write(value: tf.Tensor): unknown;
}

interface Normalization {
  readonly axis: number;
  readonly epsilon: number;
  readonly momentum: number;
  readonly gamma?: Weight;
  readonly beta?: Weight;
  readonly movingMean: Weight;
  readonly movingVariance: Weight;
  call: (this: Normalization, inputs: tf.Tensor | tf.Tensor[], options: Record<string, unknown>) => tf.Tensor;
}

/** The statistics of a batch, of rank of x with 1 on the reduced axes. */
interface Statistics {
  readonly mean: tf.Tensor;
  readonly variance: tf.Tensor;
}

/**
 * `γ · (x - mean(x)) / sqrt(var(x) + ε) + β`, differentiated through mean and variance:
 * `dx = γ/σ · (dy - mean(dy) - x̂ · mean(dy · x̂))`, `dγ = Σ dy · x̂`, `dβ = Σ dy`.
 *
 * @param x any rank
 * @param gamma, beta of the rank of x, 1 on `axes`
 */
function normalize(
  x: tf.Tensor,
  gamma: tf.Tensor,
  beta: tf.Tensor,
  { mean, variance }: Statistics,
  axes: number[],
  epsilon: number,
): tf.Tensor {
  const count = axes.reduce((product, axis) => product * (x.shape[axis] ?? 1), 1);
  const compute = tf.customGrad((...inputs) => {
    const save = inputs.pop() as unknown as (tensors: tf.Tensor[]) => void;
    const [input, scale, centre] = inputs as tf.Tensor[];
    if (input === undefined || scale === undefined || centre === undefined)
      throw new TypeError('three inputs');
    const inverse = tf.rsqrt(tf.add(variance, epsilon));
    const factor = tf.mul(inverse, scale);
    const value = tf.add(tf.mul(input, factor), tf.sub(centre, tf.mul(mean, factor)));
    save([input, inverse, factor, mean]);
    const gradFunc = (dy: tf.Tensor | tf.Tensor[], saved: tf.Tensor[]): tf.Tensor[] => {
      const [input, inverse, factor, mean] = saved;
      if (Array.isArray(dy) || !input || !inverse || !factor || !mean)
        throw new TypeError('four tensors are saved');
      const byCentre = tf.sum(dy, axes, true);
      // Σ dy·x̂ = (Σ dy·(x - mean))/σ
      const byScale = tf.mul(tf.sum(tf.mul(dy, tf.sub(input, mean)), axes, true), inverse);
      // dx as dy·k + x·c + d with k, c and d of one number a channel: three passes over the activations.
      const slope = tf.neg(tf.div(tf.mul(tf.mul(factor, inverse), byScale), count));
      const shift = tf.add(tf.mul(slope, mean), tf.div(tf.mul(factor, byCentre), count));
      const byInput = tf.sub(tf.add(tf.mul(dy, factor), tf.mul(input, slope)), shift);
      return [byInput, byScale, byCentre];
    };
    return { value, gradFunc };
  });
  return compute(x, gamma, beta);
}

/** `moving ← momentum · moving + (1 - momentum) · value`. */
function follow(moving: Weight, value: tf.Tensor, momentum: number): void {
  const before = moving.read();
  moving.write(tf.sub(before, tf.mul(tf.sub(before, tf.reshape(value, before.shape)), 1 - momentum)));
}

function trainingCall(layer: Normalization, x: tf.Tensor): tf.Tensor {
  return tf.tidy(() => {
    const axis = layer.axis < 0 ? layer.axis + x.rank : layer.axis;
    const axes = x.shape.map((_, index) => index).filter((index) => index !== axis);
    const shape = x.shape.map((length, index) => (index === axis ? length : 1));
    // The gradient through the statistics is part of the gradient above.
    const mean = tf.mean(x, axes, true);
    const variance = tf.mean(tf.square(tf.sub(x, mean)), axes, true);
    const gamma = layer.gamma === undefined ? tf.ones(shape) : tf.reshape(layer.gamma.read(), shape);
    const beta = layer.beta === undefined ? tf.zeros(shape) : tf.reshape(layer.beta.read(), shape);
    const value = normalize(x, gamma, beta, { mean, variance }, axes, layer.epsilon);
    follow(layer.movingMean, mean, layer.momentum);
    follow(layer.movingVariance, variance, layer.momentum);
    return value;
  });
}

/**
 * Where the channels do not lie last. The stock form hands its kernel statistics of shape [1, channels, 1, 1], which the one
 * of wasm reads as if they lay last.
 */
function inferenceCall(layer: Normalization, x: tf.Tensor, axis: number): tf.Tensor {
  return tf.tidy(() => {
    const along = (weight: Weight): tf.Tensor =>
      tf.reshape(
        weight.read(),
        x.shape.map((length, index) => (index === axis ? length : 1)),
      );
    const inverse = tf.rsqrt(tf.add(along(layer.movingVariance), layer.epsilon));
    const factor = layer.gamma === undefined ? inverse : tf.mul(inverse, along(layer.gamma));
    const shift = tf.mul(along(layer.movingMean), factor);
    const centre = layer.beta === undefined ? tf.neg(shift) : tf.sub(along(layer.beta), shift);
    return tf.add(tf.mul(x, factor), centre);
  });
}

/** Replaces the layer's own. Harmless when repeated. */
export function replaceBatchNormalization(): void {
  const prototype = Object.getPrototypeOf(layers.batchNormalization()) as Normalization;
  const { call } = prototype;
  prototype.call = function (this: Normalization, inputs, options): tf.Tensor {
    const x = Array.isArray(inputs) ? inputs[0] : inputs;
    if (x === undefined) return call.call(this, inputs, options);
    if (options['training'] === true) return trainingCall(this, x);
    const axis = this.axis < 0 ? this.axis + x.rank : this.axis;
    return axis === x.rank - 1 ? call.call(this, inputs, options) : inferenceCall(this, x, axis);
  };
}
