import { afterAll, describe, expect, it } from 'vitest';
import { findEngine } from '../../src/engine/registry';
import * as tf from '../../src/engine/tf';
import { Optimizer, type OptimizerSpec } from '../../src/train/optimizer';
import { noise, worstError } from './support';

type Settings = OptimizerSpec['settings'];

const RATE = 0.01;
const STEPS = 30;
/** TensorFlow's kernel takes 1 - β₂ in single precision: 1.3e-5 off for 0.999. */
const TOLERANCE = 5e-5;
/** Sizes around whole lanes of four floats. */
const shapes = [[], [1], [3], [4], [5], [7, 3], [3, 3, 2, 8]];
const fill = (shape: number[], seed: number): tf.Tensor =>
  tf.tensor(noise(tf.util.sizeFromShape(shape), seed), shape);

/** Variables and moments after steps of made-up gradients. @param share whether others hold the values too */
async function train(engine: string, settings: Settings, share = false) {
  await findEngine(engine).load();
  const variables = shapes.map((shape, i) => tf.tidy(() => tf.variable(fill(shape, i))));
  const optimizer = new Optimizer({ name: 'adam', learningRate: RATE, settings }, variables);
  const places = variables.map(({ dataId }) => dataId);
  const shared = share ? variables.map((variable) => tf.clone(variable)) : [];
  const tensors = tf.memory().numTensors;
  for (let step = 0; step < STEPS; step += 1)
    tf.tidy(() => {
      const gradients = shapes.map((shape, i) => fill(shape, 100 * step + i));
      optimizer.apply(gradients, RATE / (1 + step));
    });
  expect(tf.memory().numTensors).toBe(tensors);
  const inPlace = variables.map(({ dataId }, i) => dataId === places[i]);
  const read = (of: readonly tf.Tensor[]): Promise<Float32Array[]> =>
    Promise.all(of.map(async (tensor) => Float32Array.from(await tensor.data())));
  const [values, kept] = [await read(variables), await read(shared)];
  const { slots, scalars } = await optimizer.read();
  optimizer.dispose();
  tf.dispose([...variables, ...shared]);
  await tf.setBackend('cpu');
  const moments = Object.values(slots).flatMap((tensors) => tensors.map(({ data }) => data));
  return { inPlace, kept, scalars, arrays: [...values, ...moments] };
}

/** On `cpu` TensorFlow.js's own optimizer runs as it is. */
const reference = (settings: Settings) => train('cpu', settings);

describe.each(['wasm', 'tfjs-node'])('Adam in place on %s', (engine) => {
  afterAll(() => tf.setBackend('cpu'));

  it.each<{ title: string; settings: Settings }>([
    { title: 'its defaults', settings: {} },
    { title: 'other settings', settings: { beta1: 0.5, beta2: 0.7, epsilon: 0.1 } },
  ])('does what TensorFlow.js does, with $title', async ({ settings }) => {
    // Said by foreign.test.ts.
    if (!(await findEngine(engine).probe()).available) return;
    const expected = await reference(settings);
    expect(expected.inPlace).not.toContain(true);
    const found = await train(engine, settings);
    expect(found.inPlace).not.toContain(false);
    expect(worstError(found.arrays, expected.arrays)).toBeLessThan(TOLERANCE);
    for (const [name, value] of Object.entries(expected.scalars))
      expect(found.scalars[name]).toBeCloseTo(value, 6);
  });

  it('leaves values alone that others hold', async () => {
    if (!(await findEngine(engine).probe()).available) return;
    const expected = await reference({});
    const found = await train(engine, {}, true);
    expect(found.kept).toEqual(shapes.map((shape, i) => noise(tf.util.sizeFromShape(shape), i)));
    expect(worstError(found.arrays, expected.arrays)).toBeLessThan(TOLERANCE);
  });
});
