import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { findEngine } from '../../src/engine/registry';
import * as tf from '../../src/engine/tf';
import { Optimizer, type OptimizerSpec } from '../../src/train/optimizer';
import { noise, variablesOf, worstError } from './support';
import { batchOf, buildNetwork, networks, ROWS, type Network } from './trainNetworks';

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
  const moments = optimizer.stateVariables().filter(({ size }) => size > 1);
  const places = moments.map(({ dataId }) => dataId);
  const shared = share ? variables.map((variable) => tf.clone(variable)) : [];
  const tensors = tf.memory().numTensors;
  for (let step = 0; step < STEPS; step += 1)
    tf.tidy(() => {
      const gradients = shapes.map((shape, i) => fill(shape, 100 * step + i));
      optimizer.apply(gradients, RATE / (1 + step));
    });
  expect(tf.memory().numTensors).toBe(tensors);
  const inPlace = moments.map(({ dataId }, i) => dataId === places[i]);
  const read = (of: readonly tf.Tensor[]): Promise<Float32Array[]> =>
    Promise.all(of.map(async (tensor) => Float32Array.from(await tensor.data())));
  const [values, kept] = [await read(variables), await read(shared)];
  const { slots, scalars } = await optimizer.read();
  optimizer.dispose();
  tf.dispose([...variables, ...shared]);
  await tf.setBackend('cpu');
  const state = Object.values(slots).flatMap((tensors) => tensors.map(({ data }) => data));
  return { inPlace, kept, scalars, arrays: [...values, ...state] };
}

/** The loss before each of 20 steps: what the layers make of weights that the optimizer has changed. */
async function losses(engine: string, network: Network): Promise<Float32Array> {
  await findEngine(engine).load();
  const model = buildNetwork(network);
  const weights = variablesOf(model);
  const optimizer = new Optimizer({ name: 'adam', learningRate: RATE, settings: {} }, weights);
  const [x, y] = batchOf(network);
  const step = (): number =>
    tf.tidy(() => {
      const { value, grads } = tf.variableGrads(() => {
        const answer = model.apply(tf.tensor(x, [ROWS, ...network.input]), { training: true }) as tf.Tensor;
        return tf.losses.softmaxCrossEntropy(tf.tensor(y, [ROWS, 4]), answer);
      }, weights);
      optimizer.apply(
        weights.map((weight) => grads[weight.name] ?? tf.zerosLike(weight)),
        RATE,
      );
      return value.dataSync()[0] ?? NaN;
    });
  const found = Float32Array.from({ length: 20 }, step);
  optimizer.dispose();
  model.dispose();
  await tf.setBackend('cpu');
  return found;
}

/** On `cpu` TensorFlow.js's own optimizer runs as it is. */
const reference = (settings: Settings) => train('cpu', settings);

// tfjs-node where SHRINKNETS_ENGINES names a folder with it, as in foreign.test.ts.
const engines = await Promise.all(
  ['wasm', 'tfjs-node'].map(async (name) => ({ name, here: (await findEngine(name).probe()).available })),
);

describe.each(engines)('Adam in one pass on $name', ({ name: engine, here }) => {
  beforeEach(({ skip }) => {
    if (!here) skip(`${engine} is not here`);
  });

  afterAll(() => tf.setBackend('cpu'));

  it.each<{ title: string; settings: Settings }>([
    { title: 'its defaults', settings: {} },
    { title: 'other settings', settings: { beta1: 0.5, beta2: 0.7, epsilon: 0.1 } },
  ])('does what TensorFlow.js does, with $title', async ({ settings }) => {
    const expected = await reference(settings);
    expect(expected.inPlace).not.toContain(true);
    const found = await train(engine, settings);
    expect(found.inPlace).not.toContain(false);
    expect(worstError(found.arrays, expected.arrays)).toBeLessThan(TOLERANCE);
    for (const [name, value] of Object.entries(expected.scalars))
      expect(found.scalars[name]).toBeCloseTo(value, 6);
  });

  it('leaves values alone that others hold', async () => {
    const expected = await reference({});
    const found = await train(engine, {}, true);
    expect(found.kept).toEqual(shapes.map((shape, i) => noise(tf.util.sizeFromShape(shape), i)));
    expect(worstError(found.arrays, expected.arrays)).toBeLessThan(TOLERANCE);
  });

  it.each(networks)('trains a $name network as cpu does', async (network) => {
    const expected = await losses('cpu', network);
    expect(expected[19]).toBeLessThan(0.9 * (expected[0] ?? 0));
    expect(worstError([await losses(engine, network)], [expected])).toBeLessThan(1e-4);
  });
});
