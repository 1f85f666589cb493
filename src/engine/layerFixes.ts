/** Layers of TensorFlow.js 4.22 that cannot train as they are. */
import { onesLike, zerosLike, type Tensor } from '@tensorflow/tfjs-core';
import { layers } from '@tensorflow/tfjs-layers';

interface Weight {
  read(): Tensor;
}

interface Normalization {
  readonly scale: boolean;
  readonly center: boolean;
  readonly movingMean: Weight;
  gamma?: Weight;
  beta?: Weight;
  build: (this: Normalization, inputShape: unknown) => void;
}

/**
 * A batch normalisation without scale or without centre reads the weight that it lacks, but only in training. It is
 * given the constant that the weight's absence means. Harmless when repeated.
 */
export function fixBatchNormalization(): void {
  const prototype = Object.getPrototypeOf(layers.batchNormalization()) as Normalization;
  const { build } = prototype;
  prototype.build = function (this: Normalization, inputShape: unknown): void {
    build.call(this, inputShape);
    const { movingMean } = this;
    if (!this.scale) this.gamma = { read: () => onesLike(movingMean.read()) };
    if (!this.center) this.beta = { read: () => zerosLike(movingMean.read()) };
  };
}
