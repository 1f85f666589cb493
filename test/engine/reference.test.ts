import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

/**
 * The reference is only one if it is right. Here the reference's own code runs in double precision, before any of
 * TensorFlow.js is loaded: its kernels are plain JavaScript over arrays that they make by name. So its gradients can be
 * compared with finite differences as closely as engines are compared with it.
 */
const single = vi.hoisted(() => {
  const kept = globalThis.Float32Array;
  Object.assign(globalThis, { Float32Array: Float64Array });
  return kept;
});

import * as tf from '../../src/engine/tf';
import type { Engine } from '../../src/engine/engine';
import { findEngine } from '../../src/engine/registry';
import { layerCases, type LayerCase } from './layerCases';
import { buildCase, gradientsOn, inputOf, noise, setWeights, variablesOf } from './support';

const TOLERANCE = 1e-4;
const STEP = 1e-5;
/** Elements of each gradient that are compared one by one. */
const ELEMENTS = 6;

/** The loss of `gradientsOn`. */
function lossOf(model: tf.LayersModel, x: ArrayLike<number>, shape: readonly number[]): number {
  const out = tf.tidy(() =>
    (model.apply(tf.tensor(x as number[], [3, ...shape]), { training: true }) as tf.Tensor).dataSync(),
  );
  const weights = noise(out.length, 23);
  let sum = 0;
  for (let i = 0; i < out.length; i += 1) sum += (weights[i] ?? 0) * (out[i] ?? 0) + 0.5 * (out[i] ?? 0) ** 2;
  return sum;
}

type Slope = (into: number | null, direction: ArrayLike<number>) => number;

/** The slope of the loss along a direction in the input (`into` null) or in a variable, by central differences. */
function slopes(spec: LayerCase): { slope: Slope; dispose: () => void } {
  const model = buildCase(spec);
  setWeights(model);
  const x = inputOf(spec);
  const kept = variablesOf(model).map((variable) => variable.dataSync().slice());
  const moved = (values: ArrayLike<number>, amount: number, direction: ArrayLike<number>): Float64Array =>
    Float64Array.from(values, (value, i) => value + amount * (direction[i] ?? 0));
  const put = (variable: tf.Variable, values: ArrayLike<number>) =>
    tf.tidy(() => variable.assign(tf.tensor(values as number[], variable.shape)));
  const slope: Slope = (into, direction) => {
    const at = (amount: number): number => {
      if (into === null) return lossOf(model, moved(x, amount, direction), spec.input);
      const variable = variablesOf(model)[into];
      if (variable === undefined) throw new RangeError('no such variable');
      put(variable, moved(kept[into] ?? [], amount, direction));
      const loss = lossOf(model, x, spec.input);
      put(variable, kept[into] ?? []);
      return loss;
    };
    return (at(STEP) - at(-STEP)) / (2 * STEP);
  };
  return { slope, dispose: () => model.dispose() };
}

const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Array.from(a).reduce((sum, value, i) => sum + value * (b[i] ?? 0), 0);

describe('gradients of cpu against finite differences in double precision', () => {
  let cpu: Engine;
  beforeAll(async () => {
    // Node's own test of what a typed array is looks at the class, not at the name.
    const { platform } = tf.env();
    Object.assign(platform, {
      isTypedArray: (values: unknown) => ArrayBuffer.isView(values) && !(values instanceof DataView),
    });
    cpu = await findEngine('cpu').load();
  });
  afterAll(async () => {
    await tf.setBackend('cpu');
    Object.assign(globalThis, { Float32Array: single });
  });

  it('are computed in double precision', async () => {
    expect(tf.tidy(() => tf.mul(tf.tensor1d([0.1]), 3).dataSync()[0])).toBe(0.1 * 3);
    const { input, build } = layerCases[0] ?? {};
    if (input === undefined || build === undefined) throw new RangeError('there are cases');
    const [, ...gradients] = await gradientsOn(cpu, { name: 'first', input, build });
    const all = gradients.flatMap((gradient) => Array.from(gradient));
    expect(all.some((value) => value !== Math.fround(value))).toBe(true);
  });

  it.each(layerCases.map((spec) => ({ spec, name: spec.name })))('$name', async ({ spec }) => {
    const [, ...gradients] = await gradientsOn(cpu, spec);
    const { slope, dispose } = slopes(spec);
    for (const [index, gradient] of gradients.entries()) {
      const into = spec.indices === undefined ? index - 1 : index;
      const target = into < 0 ? null : into;
      const largest = Array.from(gradient).reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      // Every element at once, then some by themselves.
      const everywhere = noise(gradient.length, 99);
      const size = Math.sqrt(dot(gradient, gradient) * dot(everywhere, everywhere)) + 1e-6;
      expect(Math.abs(dot(gradient, everywhere) - slope(target, everywhere)) / size).toBeLessThan(TOLERANCE);
      for (let n = 0; n < Math.min(ELEMENTS, gradient.length); n += 1) {
        const element = Math.floor(((n + 0.5) * gradient.length) / Math.min(ELEMENTS, gradient.length));
        const direction = new Float64Array(gradient.length);
        direction[element] = 1;
        const error = Math.abs((gradient[element] ?? 0) - slope(target, direction));
        expect(error / (largest + 1e-6)).toBeLessThan(TOLERANCE);
      }
    }
    dispose();
  });
});
