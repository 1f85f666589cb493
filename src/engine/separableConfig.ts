/**
 * TensorFlow.js 4.22 leaves the depth multiplier of a separable convolution out of its configuration, so that a model
 * which has one cannot be made again from its own JSON.
 */
import type { serialization } from '@tensorflow/tfjs-core';
import { layers } from '@tensorflow/tfjs-layers';

const MARK = Symbol('configurations mended');

interface Mended {
  getConfig: (this: { readonly depthMultiplier?: number }) => serialization.ConfigDict;
  [MARK]?: true;
}

/** Harmless when repeated. */
export function completeConfigurations(): void {
  const prototype = Object.getPrototypeOf(layers.separableConv2d({ filters: 1, kernelSize: 1 })) as Mended;
  if (prototype[MARK] === true) return;

  const { getConfig } = prototype;
  prototype.getConfig = function () {
    return { ...getConfig.call(this), depthMultiplier: this.depthMultiplier ?? 1 };
  };
  prototype[MARK] = true;
}
