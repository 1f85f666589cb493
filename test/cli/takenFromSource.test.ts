import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ResultEvent } from '../../src/core/events';
import { seededRandom } from '../../src/core/random';
import type { DataDescription } from '../../src/data/describeData';
import { eventsOf, makeProject, runCli } from '../support/cli';

/** What a run takes from the source's own training code, and what it says of the data beside the weights. */

/** Two numbers and a text, and a price that follows from them. */
function table(): string {
  const random = seededRandom(4);
  const kinds = ['flat', 'house', 'hut'];
  const rows = Array.from({ length: 400 }, () => {
    const [size, age] = [20 + random() * 180, random() * 60];
    const kind = Math.floor(random() * 3);
    return `${size.toFixed(1)},${age.toFixed(1)},${kinds[kind] ?? ''},${(size * (3 - kind) - age).toFixed(2)}`;
  });
  return `size,age,kind,price\n${rows.join('\n')}\n`;
}

const KERAS = `import keras
from keras import layers

# @shrink-model data=./homes.csv epochs=4 finish=2 budget=50% engine=wasm
model = keras.Sequential([
    keras.Input(shape=(5,)),
    layers.Dense(24, activation="relu"),
    layers.Dense(16, activation="relu"),
    layers.Dense(1),
])
model.compile(optimizer=keras.optimizers.RMSprop(2e-3), loss="mse", metrics=["mae", keras.metrics.R2Score(), keras.metrics.AUC()])
model.fit(x, y, batch_size=16)
`;

const TFJS = `import * as tf from '@tensorflow/tfjs';
// @shrink-model data=./homes.csv target=kind epochs=3 finish=1 budget=50% engine=wasm
export const model = tf.sequential({
  layers: [
    tf.layers.dense({ inputShape: [3], units: 16, activation: 'relu' }),
    tf.layers.dense({ units: 3, activation: 'softmax' }),
  ],
});
model.compile({ optimizer: tf.train.sgd(0.04), loss: 'sparseCategoricalCrossentropy', metrics: ['acc', 'precision'] });
`;

/** Which half of a picture of 6 x 6 is the brighter one. */
const PICTURES = `const row = (n) => Array.from({ length: 36 }, (_, i) => ((i < 18) === (n % 2 === 0) ? 1 : 0) + ((n * 7 + i * 3) % 11) / 20);
const part = (from, to) => {
  const rows = Array.from({ length: to - from }, (_, i) => from + i);
  return { x: rows.map(row), y: rows.map((n) => n % 2) };
};
export const train = part(0, 200);
export const test = part(200, 260);
`;

const AUGMENTED = `import keras
from keras import layers

turn = keras.Sequential([layers.RandomFlip("horizontal"), layers.RandomRotation(0.1)])

# @shrink-model data=./pictures.mjs epochs=2 finish=1 budget=50% engine=wasm
model = keras.Sequential([
    keras.Input(shape=(6, 6, 1)),
    turn,
    layers.Flatten(),
    layers.Dense(12, activation="relu"),
    layers.Dense(2, activation="softmax"),
])
`;

async function train(file: string, source: string) {
  const project = makeProject({ 'homes.csv': table(), 'pictures.mjs': PICTURES, [file]: source });
  try {
    const done = await runCli(['train', file, '--json'], project.folder);
    expect(done).toMatchObject({ code: 0, stderr: '' });
    const events = eventsOf(done);
    const result = events.at(-1) as unknown as ResultEvent;
    const weights = path.join(project.folder, '.shrinknets', 'runs', result.run, 'weights');
    const said = await runCli(['train', file], project.folder);
    return {
      model: events.find((event) => event['type'] === 'model') as { notes: string[]; metrics?: string[] },
      result,
      data: JSON.parse(readFileSync(path.join(weights, 'data.json'), 'utf8')) as DataDescription,
      readme: readFileSync(path.join(weights, 'README.md'), 'utf8'),
      said: said.stdout,
    };
  } finally {
    project.remove();
  }
}

describe('a run over a table', () => {
  it('takes loss, optimizer, metrics and batch size of Keras, and says how to give it rows', async () => {
    const { model, result, data, readme, said } = await train('homes.py', KERAS);
    expect(model.notes).toContain(
      'taken from the source: loss meanSquaredError, optimizer rmsprop, learningRate 2e-3, batchSize 16',
    );
    expect(model.notes).toContain('metrics of the source: mae, R2Score, AUC; not measured here: AUC');
    expect(model.metrics).toEqual(['meanAbsoluteError', 'r2Score']);
    const { meanAbsoluteError = 0, r2Score = Number.NaN } = result.metrics.test.named ?? {};
    // Prices follow from the columns.
    expect(r2Score).toBeGreaterThan(0.3);
    expect(r2Score).toBeLessThanOrEqual(1);
    expect(meanAbsoluteError).toBeGreaterThan(0);
    // The mean of absolute errors is at most the root of the mean of squares.
    expect(meanAbsoluteError).toBeLessThanOrEqual(Math.sqrt(result.metrics.test.loss) + 1e-6);
    expect(result.baseline?.test.named).toHaveProperty('meanAbsoluteError');
    expect(said).toMatch(/test meanAbsoluteError +\d\.\d{4} +\d\.\d{4}/);
    expect(said).toContain('taken from the source: loss meanSquaredError');

    expect(data.shape).toEqual([5]);
    const [size, age, kind] = data.inputs;
    expect(size).toMatchObject({ name: 'size' });
    expect(age).toMatchObject({ name: 'age' });
    expect(kind).toEqual({ name: 'kind', oneHot: ['flat', 'house', 'hut'] });
    const [price] = data.targets ?? [];
    expect(price?.name).toBe('price');
    // Sizes are even between 20 and 200.
    const { mean, deviation } = size as { mean: number; deviation: number };
    expect(mean).toBeGreaterThan(100);
    expect(mean).toBeLessThan(120);
    expect(deviation).toBeGreaterThan(45);
    expect(deviation).toBeLessThan(60);
    expect(readme).toContain('give `(value - mean) / deviation`');
    expect(readme).toContain('as `load.py` does');
  }, 120_000);

  it('takes what a TensorFlow.js model is compiled with, and names the classes in order', async () => {
    const { model, data, readme, result } = await train('homes.mjs', TFJS);
    expect(model.notes).toContain(
      'taken from the source: optimizer sgd, learningRate 0.04, loss sparseCategoricalCrossentropy',
    );
    expect(model.notes).toContain('metrics of the source: acc, precision; not measured here: precision');
    expect(model.metrics).toBeUndefined();
    expect(result.metrics.test).not.toHaveProperty('named');
    expect(data.classes).toEqual(['flat', 'house', 'hut']);
    expect(data.inputs).toMatchObject([{ name: 'size' }, { name: 'age' }, { name: 'price' }]);
    expect(readme).toContain('Outputs are the classes in this order: flat, house, hut.');
  }, 120_000);

  it('names the augmentation that widths are learned without', async () => {
    const { model, said } = await train('pictures.py', AUGMENTED);
    const note =
      'widths are learned without RandomFlip, RandomRotation, which change the data only in training';
    expect(model.notes).toContain(note);
    expect(said).toContain(note);
  }, 120_000);
});
