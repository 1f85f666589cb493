/** The networks that every engine trains, and training them. */
import * as tf from '../../src/engine/tf';
import type { Engine, StepFunction } from '../../src/engine/engine';
import { noise, setWeights, variablesOf } from './support';

export const ROWS = 8;

export interface Network {
  readonly name: string;
  readonly input: readonly number[];
  readonly layers: () => tf.layers.Layer[];
}

const { layers } = tf;

export const networks: readonly Network[] = [
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

export const [dense, convolutional] = networks as [Network, Network, Network];

export function buildNetwork(network: Network): tf.Sequential {
  const model = tf.sequential();
  for (const [index, layer] of network.layers().entries()) {
    if (index === 0) layer.batchInputShape = [null, ...network.input];
    if (index === 0) layer.dtype = 'float32';
    model.add(layer);
  }
  setWeights(model);
  return model;
}

export function batchOf({ input }: Network, rows = ROWS): [Float32Array, Float32Array] {
  const x = noise(rows * input.reduce((a, b) => a * b, 1), 5);
  const y = new Float32Array(rows * 4);
  for (let row = 0; row < rows; row += 1) y[row * 4 + ((row * 3) % 4)] = 1;
  return [x, y];
}

export function specsOf({ input }: Network, rows = ROWS) {
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

export function trainingStep(model: tf.LayersModel, optimizer: tf.Optimizer): StepFunction {
  return ([x, y], { rate = 0 }) => {
    if (x === undefined || y === undefined) throw new TypeError('no batch');
    setRate(optimizer, rate);
    const loss = () =>
      tf.losses.softmaxCrossEntropy<tf.Tensor, tf.Scalar>(y, model.apply(x, { training: true }) as tf.Tensor);
    const cost = optimizer.minimize(loss, true, variablesOf(model));
    return cost === null ? [] : [cost];
  };
}

export interface Trained {
  readonly losses: number[];
  readonly weights: Float32Array[];
}

export async function train(
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

export const steady = (rate: number) => Array<number>(20).fill(rate);
