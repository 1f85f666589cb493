/**
 * Adam in one pass, moments changed where they lie. As operations it is a dozen passes over each weight and as many new
 * tensors, up to a third of a dense network's step. Backends that can do better register how; `onnx/tails` does it for
 * traced steps.
 */
import * as tf from '@tensorflow/tfjs-core';

/** A variable, its gradient and its moments, of one shape. */
export interface AdamTensors {
  readonly value: tf.Variable;
  readonly gradient: tf.Tensor;
  readonly first: tf.Variable;
  readonly second: tf.Variable;
}

/** Numbers of a step. The powers are those of this step: β₁ᵗ and β₂ᵗ, t from 1. */
export interface AdamNumbers {
  readonly learningRate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly power1: number;
  readonly power2: number;
}

/** Moves the variables and their moments; nobody else may hold their values, which may be changed in place. */
export type AdamUpdate = (tensors: readonly AdamTensors[], numbers: AdamNumbers) => void;

const updates = new Map<string, AdamUpdate>();

/** @param backendName of TensorFlow.js */
export function registerAdam(backendName: string, update: AdamUpdate): void {
  updates.set(backendName, update);
}

/** How the active backend does it; undefined where it does not, or where a value is shared with another tensor. */
export function adamInOnePass(tensors: readonly AdamTensors[]): AdamUpdate | undefined {
  const update = updates.get(tf.getBackend());
  if (update === undefined) return undefined;
  const backend = tf.backend();
  const alone = tensors.every(({ value, first, second }) =>
    [value, first, second].every(({ dataId }) => backend.refCount(dataId) === 1),
  );
  return alone ? update : undefined;
}

/**
 * The corrections of the moments' bias, taken out of the loop over elements:
 * `rate · (m / (1 - β₁ᵗ)) / (√(v / (1 - β₂ᵗ)) + ε) = α · m / (√v + ε')` (Kingma and Ba 2015, end of section 2).
 */
export function correctedRate({ learningRate, epsilon, power1, power2 }: AdamNumbers): {
  readonly alpha: number;
  readonly epsilon: number;
} {
  const root = Math.sqrt(1 - power2);
  return { alpha: (learningRate * root) / (1 - power1), epsilon: epsilon * root };
}
