/** The networks of RECIPE.md, with the sizes asked of each and the figures they are compared with. */
import { mixSeed } from '../../src/core/random';
import * as tf from '../../src/engine/tf';

export interface FrontNet {
  readonly name: string;
  /** Shape of one row. */
  readonly input: readonly number[];
  readonly trainingRows: number;
  /** Widths of the hidden layers to begin with. */
  readonly widths: readonly number[];
  /** Sizes asked for, in parameters, largest first. */
  readonly budgets: readonly number[];
  /** Test accuracy (%) by size in RECIPE.md: ours, and the best of its random static networks. */
  readonly recipe: {
    readonly ours: readonly number[];
    readonly random: readonly number[];
    readonly note: string;
  };
  /** A model of this shape with other widths; its weights are drawn from the seed. */
  build(widths: readonly number[], seed: number): tf.LayersModel;
}

/**
 * RECIPE.md's first weights (PyTorch's kaiming_uniform_): U(±√(6 / inputs)), which is heUniform here, and biases
 * U(±1 / √inputs). Of TensorFlow.js's own defaults (glorotUniform, zeros) neither is used.
 */
function first(inputs: number, seed: number) {
  const bound = 1 / Math.sqrt(inputs);
  return {
    kernelInitializer: tf.initializers.heUniform({ seed: mixSeed(seed, 1) }),
    biasInitializer: tf.initializers.randomUniform({ minval: -bound, maxval: bound, seed: mixSeed(seed, 2) }),
  };
}

function perceptron(widths: readonly number[], seed: number): tf.LayersModel {
  const model = tf.sequential();
  let inputs = 784;
  widths.forEach((units, i) => {
    const shape = i === 0 ? { inputShape: [inputs] } : {};
    model.add(tf.layers.dense({ units, activation: 'relu', ...shape, ...first(inputs, mixSeed(seed, i)) }));
    inputs = units;
  });
  model.add(tf.layers.dense({ units: 10, ...first(inputs, mixSeed(seed, widths.length)) }));
  return model;
}

function convolutional(widths: readonly number[], seed: number): tf.LayersModel {
  const [a = 1, b = 1, c = 1] = widths;
  const conv = { kernelSize: 3, padding: 'same', activation: 'relu' } as const;
  const model = tf.sequential();
  model.add(
    tf.layers.conv2d({ filters: a, inputShape: [28, 28, 1], ...conv, ...first(9, mixSeed(seed, 0)) }),
  );
  model.add(tf.layers.maxPooling2d({ poolSize: 2 }));
  model.add(tf.layers.conv2d({ filters: b, ...conv, ...first(9 * a, mixSeed(seed, 1)) }));
  model.add(tf.layers.maxPooling2d({ poolSize: 2 }));
  model.add(tf.layers.flatten());
  model.add(tf.layers.dense({ units: c, activation: 'relu', ...first(49 * b, mixSeed(seed, 2)) }));
  model.add(tf.layers.dense({ units: 10, ...first(c, mixSeed(seed, 3)) }));
  return model;
}

const SIZES = [160e3, 80e3, 40e3, 20e3, 10e3];

export const frontNets: readonly FrontNet[] = [
  {
    name: 'dense',
    input: [784],
    trainingRows: 30_000,
    widths: [512, 512],
    budgets: SIZES,
    recipe: {
      ours: [89.1, 88.8, 88.4, 87.5, 86.0],
      random: [88.8, 88.4, 87.7, 86.1, 83.7],
      note: '4 nets, the same compute',
    },
    build: perceptron,
  },
  {
    name: 'deep',
    input: [784],
    trainingRows: 30_000,
    widths: [256, 256, 256, 256, 256],
    budgets: SIZES,
    recipe: {
      ours: [88.8, 88.5, 88.1, 87.4, 85.7],
      random: [88.8, 88.5, 87.8, 86.6, 85.7],
      note: '24 nets, 8 times the compute',
    },
    build: perceptron,
  },
  {
    name: 'cnn',
    input: [28, 28, 1],
    trainingRows: 10_000,
    widths: [32, 64, 128],
    budgets: [80e3, 40e3, 20e3, 10e3, 5e3],
    recipe: {
      ours: [88.7, 88.2, 87.8, 87.3, 86.3],
      random: [87.5, 87.0, 86.0, 84.9, 83.9],
      note: 'twice the compute',
    },
    build: convolutional,
  },
];
