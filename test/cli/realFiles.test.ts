import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ResultEvent } from '../../src/core/events';
import { eventsOf, makeProject, mnistModule, runCli } from '../support/cli';

/** Files as people write them: what is not the model must neither run nor be in the way. */

const FILES = {
  'data.mjs': mnistModule(640, 200),
  // A model at the top level of a CommonJS file, compiled there.
  'topLevel.js': `const tf = require('@tensorflow/tfjs');
const model = tf.sequential();
model.add(tf.layers.conv2d({ inputShape: [28, 28, 1], filters: 12, kernelSize: 3, activation: 'relu' }));
model.add(tf.layers.conv2d({ filters: 12, kernelSize: 3, activation: 'relu' }));
model.add(tf.layers.maxPooling2d({ poolSize: [2, 2] }));
model.add(tf.layers.batchNormalization());
model.add(tf.layers.flatten());
model.add(tf.layers.dropout({ rate: 0.25 }));
model.add(tf.layers.dense({ units: 24, activation: 'relu' }));
model.add(tf.layers.dense({ units: 10, activation: 'softmax' }));
const optimizer = 'rmsprop';
model.compile({ optimizer: optimizer, loss: 'categoricalCrossentropy', metrics: ['accuracy'] });
module.exports = model;
`,
  // A helper function with parameters, called for its model, and a width from another file.
  'sizes.ts': 'export const HIDDEN = 40; // of the second layer\n',
  'helper.ts': `import { layers, sequential, train as trainers } from '@tensorflow/tfjs';
import { HIDDEN } from './sizes';
function mlp(hidden: number, classes = 10) {
  const model = sequential({
    layers: [
      layers.dense({ inputShape: [784], units: hidden, activation: 'tanh', kernelInitializer: 'heNormal' }),
      layers.dense({ units: HIDDEN, activation: 'sigmoid' }),
      layers.dense({ units: classes, activation: 'softmax' }),
    ],
  });
  model.compile({ optimizer: trainers.sgd(0.1), loss: 'categoricalCrossentropy' });
  return model;
}
export const net = mlp(48);
`,
  // A notebook as Jupyter writes it, with outputs that must stay.
  'notebook.ipynb': `${JSON.stringify(
    {
      cells: [
        { cell_type: 'markdown', metadata: {}, source: ['# 48 digits\n', 'HIDDEN = 48'] },
        {
          cell_type: 'code',
          execution_count: 1,
          metadata: { tags: [] },
          outputs: [{ name: 'stdout', output_type: 'stream', text: ['48\n'] }],
          source: ['%matplotlib inline\n', 'import torch\n', 'from torch import nn\n', 'HIDDEN = 48  # é'],
        },
        {
          cell_type: 'code',
          execution_count: 2,
          metadata: {},
          outputs: [],
          source: [
            'model = nn.Sequential(nn.Linear(784, HIDDEN), nn.ReLU(),\n',
            '    # @shrink off -- logits\n',
            '    nn.Linear(HIDDEN, 10))\n',
            'loss_fn = nn.CrossEntropyLoss()',
          ],
        },
      ],
      metadata: { kernelspec: { display_name: 'Python 3', language: 'python', name: 'python3' } },
      nbformat: 4,
      nbformat_minor: 5,
    },
    undefined,
    1,
  )}\n`,
  // A functional model in a file for the browser, with a residual sum, which starts training when it is loaded.
  'browser.ts': `import * as tf from '@tensorflow/tfjs';
import * as tfvis from '@tensorflow/tfjs-vis';
import './styles.css';
import { drawDigits } from './ui';

const status = document.getElementById('status')!;

function buildModel(): tf.LayersModel {
  const input = tf.input({ shape: [28, 28, 1] });
  let x = tf.layers.conv2d({ filters: 8, kernelSize: 3, padding: 'same', useBias: false }).apply(input) as tf.SymbolicTensor;
  x = tf.layers.batchNormalization().apply(x) as tf.SymbolicTensor;
  x = tf.layers.reLU().apply(x) as tf.SymbolicTensor;
  for (let i = 0; i < 2; i++) {
    const y = tf.layers.conv2d({ filters: 8, kernelSize: 3, padding: 'same', activation: 'relu' }).apply(x) as tf.SymbolicTensor;
    x = tf.layers.add().apply([x, y]) as tf.SymbolicTensor;
    x = tf.layers.maxPooling2d({ poolSize: 2 }).apply(x) as tf.SymbolicTensor;
  }
  const features = tf.layers.globalAveragePooling2d({ dataFormat: 'channelsLast' }).apply(x);
  const out = tf.layers.dense({ units: 10 }).apply(features) as tf.SymbolicTensor;
  return tf.model({ inputs: input, outputs: out });
}

const model = buildModel();
tfvis.show.modelSummary({ name: 'Model' }, model);
drawDigits(status);
model.compile({ optimizer: tf.train.adam(0.002), loss: tf.losses.softmaxCrossEntropy });
await model.fit(tf.zeros([1, 28, 28, 1]), tf.zeros([1, 10]));
`,
} as const;

let project: ReturnType<typeof makeProject>;
beforeAll(() => {
  project = makeProject(FILES);
});
afterAll(() => project.remove());

async function train(
  file: string,
  ...more: string[]
): Promise<{ result: ResultEvent; model: Record<string, unknown> }> {
  const flags = [
    '--data',
    'data.mjs',
    '--epochs',
    '3',
    '--finish',
    '1',
    '--batch-size',
    '32',
    '--budget',
    '40%',
    '--json',
  ];
  const ran = await runCli(['train', file, ...flags, ...more], project.folder);
  expect(ran.code).toBe(0);
  const events = eventsOf(ran);
  const model = events.find((event) => event['type'] === 'model') ?? {};
  return { result: events.at(-1) as unknown as ResultEvent, model };
}

describe('training the model of a real file', () => {
  it('takes a top-level model of a CommonJS file, with its optimizer and loss', async () => {
    const { result, model } = await train('topLevel.js');
    expect(model).toMatchObject({ optimizer: 'rmsprop', loss: 'categoricalCrossentropy' });
    expect(result.layers.map((layer) => layer.before)).toEqual([12, 12, 24, 10]);
    expect(result.params.after).toBeLessThanOrEqual(0.4 * result.params.before);
    expect(result.outputDifference).toBeLessThan(1e-5);
  }, 120_000);

  it('takes a helper function with parameters from its call in the file', async () => {
    const { result, model } = await train('helper.ts', '--model', 'mlp');
    expect(model).toMatchObject({ optimizer: 'sgd', learningRate: 0.1 });
    expect(result.layers.map((layer) => layer.before)).toEqual([48, 40, 10]);
    const written = await runCli(['emit', result.run, '--write'], project.folder);
    expect(written).toMatchObject({ code: 0, stderr: '' });
    const [first, second] = result.layers.map((layer) => layer.after);
    const { 'helper.ts': helper, 'sizes.ts': sizes } = FILES;
    expect(readFileSync(path.join(project.folder, 'helper.ts'), 'utf8')).toBe(
      helper.replace('mlp(48)', `mlp(${first})`),
    );
    expect(readFileSync(path.join(project.folder, 'sizes.ts'), 'utf8')).toBe(
      sizes.replace('40', String(second)),
    );
    const again = await runCli(['emit', result.run, '--write'], project.folder);
    expect(again.stdout).toContain('has the learned widths already');
  }, 120_000);

  it('takes a notebook, and writes nothing but the widths into it', async () => {
    const { result } = await train('notebook.ipynb');
    const after = result.layers[0]?.after ?? 0;
    expect(after).toBeLessThan(48);
    const written = await runCli(['emit', result.run, '--write'], project.folder);
    expect(written).toMatchObject({ code: 0, stderr: '' });
    const text = readFileSync(path.join(project.folder, 'notebook.ipynb'), 'utf8');
    expect(text).toBe(FILES['notebook.ipynb'].replace('HIDDEN = 48  #', `HIDDEN = ${after}  #`));
    const check = await runCli(['check', 'notebook.ipynb'], project.folder);
    expect(check.stdout).toContain(`notebook.ipynb:cell 3:1:23: Linear ${after}`);
  }, 120_000);

  it('takes a function of a page that touches the DOM and starts training', async () => {
    const { result, model } = await train('browser.ts', '--model', 'buildModel');
    expect(model).toMatchObject({ loss: 'categoricalCrossentropy' });
    const [first, ...rest] = result.layers.filter((layer) => layer.before === 8);
    // Joined by sums: all three convolutions keep the same number of channels.
    for (const layer of rest) expect(layer.after).toBe(first?.after);
    expect(first?.after).toBeLessThan(8);
  }, 120_000);
});
