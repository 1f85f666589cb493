import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as tf from '../../src/engine/tf';
import type { CompiledStep, Engine, StepFunction } from '../../src/engine/engine';
import { findEngine } from '../../src/engine/registry';
import { noise, relativeError, setWeights, variablesOf, worstError } from './support';

const ROWS = 8;

interface Network {
  readonly name: string;
  readonly input: readonly number[];
  readonly layers: () => tf.layers.Layer[];
}

const { layers } = tf;

const networks: readonly Network[] = [
  {
    name: 'dense',
    input: [12],
    layers: () => [layers.dense({ units: 16, activation: 'relu' }), layers.dense({ units: 4 })],
  },
  {
    name: 'convolutional',
    input: [8, 8, 2],
    layers: () => [
      layers.conv2d({ filters: 4, kernelSize: 3, padding: 'same' }),
      layers.batchNormalization(),
      layers.reLU(),
      layers.maxPooling2d({ poolSize: 2 }),
      layers.flatten(),
      layers.dense({ units: 4 }),
    ],
  },
  {
    name: 'recurrent',
    input: [5, 3],
    layers: () => [layers.lstm({ units: 6 }), layers.dense({ units: 4 })],
  },
];

const [dense, convolutional] = networks as [Network, Network, Network];

function buildNetwork(network: Network): tf.Sequential {
  const model = tf.sequential();
  for (const [index, layer] of network.layers().entries()) {
    if (index === 0) layer.batchInputShape = [null, ...network.input];
    if (index === 0) layer.dtype = 'float32';
    model.add(layer);
  }
  setWeights(model);
  return model;
}

function batchOf({ input }: Network, rows = ROWS): [Float32Array, Float32Array] {
  const x = noise(rows * input.reduce((a, b) => a * b, 1), 5);
  const y = new Float32Array(rows * 4);
  for (let row = 0; row < rows; row += 1) y[row * 4 + ((row * 3) % 4)] = 1;
  return [x, y];
}

function specsOf({ input }: Network, rows = ROWS) {
  return [
    { shape: [rows, ...input], dtype: 'float32' as const },
    { shape: [rows, 4], dtype: 'float32' as const },
  ];
}

/** Sets the rate wherever this optimizer keeps it. */
function setRate(optimizer: tf.Optimizer, rate: number): void {
  if ('setLearningRate' in optimizer) (optimizer as tf.SGDOptimizer).setLearningRate(rate);
  else Object.assign(optimizer, { learningRate: rate });
}

function trainingStep(model: tf.LayersModel, optimizer: tf.Optimizer): StepFunction {
  return ([x, y], { rate = 0 }) => {
    if (x === undefined || y === undefined) throw new TypeError('no batch');
    setRate(optimizer, rate);
    const loss = () =>
      tf.losses.softmaxCrossEntropy<tf.Tensor, tf.Scalar>(y, model.apply(x, { training: true }) as tf.Tensor);
    const cost = optimizer.minimize(loss, true, variablesOf(model));
    return cost === null ? [] : [cost];
  };
}

interface Trained {
  readonly losses: number[];
  readonly weights: Float32Array[];
}

async function train(
  engine: Engine,
  network: Network,
  optimizer: tf.Optimizer,
  rates: readonly number[],
): Promise<Trained> {
  const model = buildNetwork(network);
  const step = await engine.compile(
    trainingStep(model, optimizer),
    variablesOf(model, 'all'),
    specsOf(network),
    ['rate'],
  );
  const losses: number[] = [];
  for (const rate of rates) losses.push((await step.run(batchOf(network), { rate }))[0]?.[0] ?? NaN);
  await step.pull();
  const weights = await Promise.all(
    variablesOf(model, 'all').map(async (v) => Float32Array.from(await v.data())),
  );
  step.dispose();
  model.dispose();
  optimizer.dispose();
  return { losses, weights };
}

const steady = (rate: number) => Array<number>(20).fill(rate);

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
