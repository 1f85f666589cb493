import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as tf from '../../src/engine/tf';
import type { Engine } from '../../src/engine/engine';
import { findEngine } from '../../src/engine/registry';
import { layerCases, type LayerCase } from './layerCases';
import { buildCase, gradientsOn, inputOf, noise, setWeights, variablesOf } from './support';

/** The loss of `gradientsOn`, summed up in doubles. */
function lossOf(model: tf.LayersModel, x: Float32Array, shape: readonly number[]): number {
  const out = tf.tidy(() =>
    (model.apply(tf.tensor(x, [3, ...shape]), { training: true }) as tf.Tensor).dataSync(),
  );
  const weights = noise(out.length, 23);
  let sum = 0;
  for (let i = 0; i < out.length; i += 1) sum += (weights[i] ?? 0) * (out[i] ?? 0) + 0.5 * (out[i] ?? 0) ** 2;
  return sum;
}

/** The slope of the loss along a direction in the input (`into` null) or in a variable, by central differences. */
function slope(spec: LayerCase, into: number | null, direction: Float32Array): number {
  const model = buildCase(spec);
  const step = 2e-3;
  const at = (amount: number): number => {
    setWeights(model);
    const x = inputOf(spec);
    if (into === null)
      return lossOf(
        model,
        x.map((v, i) => v + amount * (direction[i] ?? 0)),
        spec.input,
      );
    const variable = variablesOf(model)[into];
    if (variable === undefined) throw new RangeError('no such variable');
    const moved = variable.dataSync().map((v, i) => v + amount * (direction[i] ?? 0));
    tf.tidy(() => variable.assign(tf.tensor(moved, variable.shape)));
    return lossOf(model, x, spec.input);
  };
  const result = (at(step) - at(-step)) / (2 * step);
  model.dispose();
  return result;
}

function dot(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, i) => sum + value * (b[i] ?? 0), 0);
}

/**
 * The reference is only one if it is right. Differences of single precision outputs are good to about a hundredth of
 * the gradient's size; the errors that TensorFlow.js has are as large as the gradient.
 */
describe('gradients of cpu against finite differences', () => {
  let cpu: Engine;
  beforeAll(async () => {
    cpu = await findEngine('cpu').load();
  });
  afterAll(() => tf.setBackend('cpu'));

  it.each(layerCases.map((spec) => ({ spec, name: spec.name })))('$name', async ({ spec }) => {
    const [, ...gradients] = await gradientsOn(cpu, spec);
    const targets = gradients.map((_, index) => (spec.indices === undefined ? index - 1 : index));
    for (const [index, gradient] of gradients.entries()) {
      const direction = noise(gradient.length, 99);
      const target = targets[index] ?? 0;
      const expected = slope(spec, target < 0 ? null : target, direction);
      const size = Math.sqrt(dot(gradient, gradient) * dot(direction, direction)) + 1e-3;
      expect(Math.abs(dot(gradient, direction) - expected) / size).toBeLessThan(0.01);
    }
  });
});
