import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as tf from '../../src/engine/tf';
import type { CompiledStep, Engine } from '../../src/engine/engine';
import { findEngine } from '../../src/engine/registry';
import { relativeError, setWeights, variablesOf, worstError } from './support';
import {
  batchOf,
  buildNetwork,
  convolutional,
  dense,
  networks,
  ROWS,
  specsOf,
  steady,
  train,
  trainingStep,
} from './trainNetworks';

describe.each(['wasm', 'onnxruntime'])('%s', (name) => {
  let engine: Engine;
  let cpu: Engine;
  beforeAll(async () => {
    engine = await findEngine(name).load();
    cpu = await findEngine('cpu').load();
  });
  afterAll(() => tf.setBackend('cpu'));

  it.each(networks.map((network) => ({ network, title: network.name })))(
    'trains a $title network as cpu does',
    async ({ network }) => {
      const expected = await train(cpu, network, tf.train.sgd(1), steady(0.1));
      const found = await train(engine, network, tf.train.sgd(1), steady(0.1));
      expect(expected.losses.at(-1)).toBeLessThan(expected.losses[0] ?? 0);
      expect(relativeError(found.losses, expected.losses)).toBeLessThan(1e-3);
      expect(worstError(found.weights, expected.weights)).toBeLessThan(1e-3);
    },
  );

  it.each([
    { title: 'momentum', make: () => tf.train.momentum(1, 0.9) },
    { title: 'nesterov', make: () => tf.train.momentum(1, 0.9, true) },
    { title: 'adagrad', make: () => tf.train.adagrad(1) },
    { title: 'adadelta', make: () => tf.train.adadelta(1) },
    { title: 'adam', make: () => tf.train.adam(1) },
    { title: 'adamax', make: () => tf.train.adamax(1) },
    { title: 'rmsprop', make: () => tf.train.rmsprop(1) },
    // TensorFlow.js subtracts the epsilon where it means to add it, and takes the root of what is left.
    { title: 'centered rmsprop', make: () => tf.train.rmsprop(1, 0.9, 0.5, -1e-3, true) },
  ])('optimises with $title as cpu does', async ({ make }) => {
    const expected = await train(cpu, dense, make(), steady(0.01));
    const found = await train(engine, dense, make(), steady(0.01));
    expect(relativeError(found.losses, expected.losses)).toBeLessThan(1e-3);
    expect(worstError(found.weights, expected.weights)).toBeLessThan(1e-3);
  });

  it('follows a learning rate that changes', async () => {
    const rates = [0.5, 0.1, 0, 0, 0.3];
    const expected = await train(cpu, dense, tf.train.adam(1), rates);
    const found = await train(engine, dense, tf.train.adam(1), rates);
    expect(relativeError(found.losses, expected.losses)).toBeLessThan(1e-3);
    const wrong = await train(cpu, dense, tf.train.adam(1), steady(0.5).slice(0, 5));
    expect(relativeError(wrong.losses, expected.losses)).toBeGreaterThan(0.01);
  });

  it('goes on with a smaller batch where the larger stopped', async () => {
    const alternate = async (on: Engine): Promise<number[]> => {
      const model = buildNetwork(convolutional);
      const optimizer = tf.train.adam(1);
      const step = trainingStep(model, optimizer);
      const variables = variablesOf(model, 'all');
      const large = await on.compile(step, variables, specsOf(convolutional), ['rate']);
      const losses: number[] = [];
      const run = async (compiled: CompiledStep, rows: number) =>
        losses.push((await compiled.run(batchOf(convolutional, rows), { rate: 0.01 }))[0]?.[0] ?? NaN);
      await run(large, ROWS);
      await run(large, ROWS);
      const small = await on.compile(step, variables, specsOf(convolutional, 3), ['rate']);
      for (let round = 0; round < 3; round += 1) {
        await run(small, 3);
        await run(large, ROWS);
      }
      small.dispose();
      large.dispose();
      model.dispose();
      optimizer.dispose();
      return losses;
    };
    expect(relativeError(await alternate(engine), await alternate(cpu))).toBeLessThan(1e-3);
  });

  it('takes over what was put into the variables, and gives back what it learned', async () => {
    const model = buildNetwork(dense);
    const optimizer = tf.train.sgd(1);
    const step = await engine.compile(trainingStep(model, optimizer), variablesOf(model), specsOf(dense), [
      'rate',
    ]);
    const lossOf = async () => (await step.run(batchOf(dense), { rate: 0.2 }))[0]?.[0] ?? NaN;
    const first = await lossOf();
    await lossOf();
    await step.pull();
    const learned = await Promise.all(variablesOf(model).map(async (v) => Float32Array.from(await v.data())));
    setWeights(model);
    await step.push();
    expect(await lossOf()).toBeCloseTo(first, 6);
    tf.tidy(() => variablesOf(model).forEach((v, i) => v.assign(tf.tensor(learned[i] ?? [], v.shape))));
    await step.push();
    expect(await lossOf()).toBeLessThan(first);
    step.dispose();
    model.dispose();
  });

  it('forgets nothing and leaks nothing', async () => {
    const model = buildNetwork(convolutional);
    const optimizer = tf.train.adam(1);
    const step = await engine.compile(
      trainingStep(model, optimizer),
      variablesOf(model, 'all'),
      specsOf(convolutional),
      ['rate'],
    );
    await step.run(batchOf(convolutional), { rate: 0.01 });
    await step.pull();
    const before = tf.memory().numTensors;
    for (let i = 0; i < 30; i += 1) await step.run(batchOf(convolutional), { rate: 0.01 });
    await step.pull();
    expect(tf.memory().numTensors).toBe(before);
    step.dispose();
    model.dispose();
    optimizer.dispose();
  });
});
