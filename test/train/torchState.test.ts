import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { seededRandom } from '../../src/core/random';
import { sizeOf } from '../../src/core/tensor';
import { findEngine } from '../../src/engine/registry';
import * as tf from '../../src/engine/tf';
import { writeModule } from '../../src/language';
import { readWeights, setWeights } from '../../src/train/model';
import { writeSafetensors } from '../../src/train/safetensors';
import { torchState } from '../../src/train/torchState';
import { planOf } from '../language/support/parsers';
import { hasTorch, PYTHON } from '../support/torch';
import { randomWeights } from './support/randomWeights';

/** Whatever the front-end reads of PyTorch: random weights give the same outputs there and here. */

const golden = (name: string): string =>
  readFileSync(path.join(import.meta.dirname, '../golden/python', `${name}.py`), 'utf8');

const HEAD = 'import torch\nfrom torch import nn\nimport torch.nn.functional as F\n\n';

/** Flattened maps that a normalisation, a sum and two linear layers read. */
const FLAT = `${HEAD}class Flat(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, stride=2, padding=1)
        self.depth = nn.Conv2d(4, 8, 3, groups=4)
        self.norm = nn.BatchNorm1d(200)
        self.a = nn.Linear(200, 5)
        self.b = nn.Linear(200, 5)

    def forward(self, x):
        x = torch.flatten(self.depth(F.relu(self.conv(x))), 1)
        return torch.cat([self.a(self.norm(x)), self.b(x)], 1)
`;

/** Flat values that become maps. */
const MAPS = `${HEAD}class Maps(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(6, 5 * 4 * 4)
        self.norm = nn.BatchNorm1d(80)
        self.up = nn.ConvTranspose2d(5, 3, 4, stride=2, padding=1)
        self.out = nn.Linear(192, 3)

    def forward(self, x):
        x = F.relu(self.norm(self.fc(x)))
        x = x.view(-1, 5, 4, 4)
        return self.out(torch.flatten(self.up(x), 1))
`;

/** Pictures row by row, as a sequence. */
const ROWS = `${HEAD}class Rows(nn.Module):
    def __init__(self, hidden=6):
        super().__init__()
        self.rnn = nn.RNN(5, 4, batch_first=True)
        self.lstm = nn.LSTM(input_size=4, hidden_size=hidden, batch_first=True)
        self.head = nn.Linear(hidden, 3)

    def forward(self, x):
        x, _ = self.rnn(x)
        out, (h_n, c_n) = self.lstm(x)
        return self.head(out[:, -1, :])
`;

const CASES = [
  { model: 'Rows', source: ROWS, input: [7, 5] },
  { model: 'LeNet', source: golden('lenet'), input: [1, 28, 28] },
  { model: 'Net', source: golden('mnistNet'), input: [1, 28, 28] },
  { model: 'resnet10', source: golden('resnet'), input: [3, 32, 32] },
  { model: 'Dense', source: golden('blocks'), input: [3, 12, 12] },
  { model: 'densenet_small', source: golden('densenet'), input: [3, 32, 32] },
  { model: 'mobilenet_v2', source: golden('mobilenetV2'), input: [3, 32, 32] },
  { model: 'Discriminator', source: golden('dcgan'), input: [3, 64, 64] },
  { model: 'squeezenet1_1', source: golden('squeezenet'), input: [3, 64, 64] },
  { model: 'GoogLeNet', source: golden('inception'), input: [3, 64, 64] },
  { model: 'UNet', source: golden('unet'), input: [3, 32, 32] },
  { model: 'Net', source: golden('cifar'), input: [3, 32, 32] },
  { model: 'Branches', source: golden('cifar'), input: [3, 32, 32] },
  { model: 'resnet50', source: golden('resnet50'), input: [3, 64, 64] },
  { model: 'Flat', source: FLAT, input: [3, 14, 14] },
  { model: 'Maps', source: MAPS, input: [6] },
];

let folder: string;
beforeAll(async () => {
  await findEngine('wasm').load();
  folder = mkdtempSync(path.join(tmpdir(), 'shrinknets-torch-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.skipIf(!hasTorch())('weights in a real PyTorch', () => {
  it.each(CASES)(
    '$model',
    async ({ model: name, source, input }) => {
      const hinted = source
        .replaceAll(/^# @shrink-model.*\n/gm, '')
        .replace(
          new RegExp(`^(class|def) ${name}\\b`, 'm'),
          `# @shrink-model input=[${input.join(',')}]\n$&`,
        );
      const { program } = planOf(hinted, name, '/project/model.py');
      if (program.kind !== 'topology') throw new Error('This source is not read statically.');
      const model = await tf.models.modelFromJSON({ modelTopology: program.topology as never });
      const weights = randomWeights(await readWeights(model));
      setWeights(model, weights);
      const random = seededRandom(7);
      const rows = Float32Array.from({ length: 4 * sizeOf(input) }, () => random() * 2 - 1);
      const expected = tf.tidy(() => {
        const x = tf.tensor(rows, [4, ...input]);
        const last = input.length === 3 ? tf.transpose(x, [0, 2, 3, 1]) : x;
        const made = model.predict(last) as tf.Tensor;
        // Images come out channels last here and channels first there.
        return (made.rank === 4 ? tf.transpose(made, [0, 3, 1, 2]) : made).arraySync() as number[][];
      });
      model.dispose();

      const file = (ending: string): string => path.join(folder, `${name}.${ending}`);
      writeFileSync(file('py'), source);
      writeFileSync(file('bin'), rows);
      const state = torchState(program.topology, weights, program.pathOf ?? {});
      writeFileSync(file('safetensors'), writeSafetensors(state));
      const module = writeModule(program.topology, {
        ...{ library: 'torch', typescript: false, model: name, hintOf: () => undefined },
        pathsOf: (layer) => program.pathOf?.[layer],
      });
      writeFileSync(path.join(folder, `${name}Compact.py`), module);
      const script = path.join(import.meta.dirname, '../cli/support/checkTorch.py');
      const last = [file('safetensors'), file('bin'), input.join(',')];
      // The same weights load in the source and in the generated module.
      for (const made of [
        [file('py'), name],
        [path.join(folder, `${name}Compact.py`), 'CompactModel'],
      ]) {
        const said = JSON.parse(
          execFileSync(PYTHON, [script, ...made, ...last], { encoding: 'utf8' }),
        ) as number[][];
        // The golden network ends in log_softmax, which is trained as softmax.
        const isLog = source.includes('log_softmax') && made[1] === name;
        const given = said.flat(3).map((value) => (isLog ? Math.exp(value) : value));
        const wanted = expected.flat(3);
        expect(given).toHaveLength(wanted.length);
        const differences = wanted.map((value, i) => Math.abs(value - (given[i] ?? Number.NaN)));
        // Sums in another order differ in proportion to what is summed.
        const size = Math.max(1, ...wanted.map(Math.abs));
        expect(Math.max(...differences) / size).toBeLessThan(1e-4);
      }
    },
    120_000,
  );
});

it('refuses a transposed convolution whose output lies elsewhere in PyTorch', () => {
  const source = `${HEAD}# @shrink-model input=[2,4,4]
model = nn.Sequential(nn.ConvTranspose2d(2, 3, 3, stride=2, padding=1, output_padding=1))
`;
  const { program } = planOf(source, 'model', '/project/model.py');
  if (program.kind !== 'topology') throw new Error('This source is not read statically.');
  const kernel = { shape: [3, 3, 3, 2], data: new Float32Array(54) };
  const layer = program.topology.config.layers[1]?.config['name'];
  expect(() => torchState(program.topology, { [String(layer)]: [kernel] }, program.pathOf ?? {})).toThrow(
    'with output_padding',
  );
});
