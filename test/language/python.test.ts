import { describe, expect, it } from 'vitest';
import { makePlan } from '../../src/language';
import type { FunctionalTopology } from '../../src/core/topology';
import { checkEdit, checkRefused } from './support/checkEdit';
import { read } from './support/parsers';

const TORCH = 'import torch\nfrom torch import nn\nimport torch.nn.functional as F\n';
const FILE = '/project/model.py';

/** A module whose forward is `body`. */
function torchModule(init: string, forward: string): string {
  const lines = (code: string): string =>
    code
      .trim()
      .split('\n')
      .map((line) => `        ${line}`)
      .join('\n');
  return `${TORCH}class Net(nn.Module):
    def __init__(self):
        super().__init__()
${lines(init)}

    def forward(self, x):
${lines(forward)}
`;
}

/** Layers of the topology as `name:Class`, in order. */
function layersOf(text: string): string[] {
  const plan = makePlan(read(text, FILE));
  if (plan.program.kind !== 'topology') throw new Error('not a topology');
  const topology = plan.program.topology as FunctionalTopology;
  return topology.config.layers.map((layer) => `${layer.name}:${layer.class_name}`);
}

function configOf(text: string, name: string): Record<string, unknown> | undefined {
  const plan = makePlan(read(text, FILE));
  if (plan.program.kind !== 'topology') return undefined;
  return (plan.program.topology as FunctionalTopology).config.layers.find((layer) => layer.name === name)
    ?.config;
}

describe('edits of PyTorch sources', () => {
  it('changes widths and what must follow them', () => {
    checkEdit(
      torchModule(
        `self.conv1 = nn.Conv2d(1, ⟦32→5⟧, 3)
self.conv2 = nn.Conv2d(⟦32→5⟧, out_channels=⟦64→7⟧, kernel_size=3)
self.norm = nn.BatchNorm2d(⟦64→7⟧)
self.fc1 = nn.Linear(⟦9216→1008⟧, ⟦128→20⟧)
self.fc2 = nn.Linear(⟦128→20⟧, 10)`,
        `x = F.max_pool2d(F.relu(self.norm(self.conv2(F.relu(self.conv1(x))))), 2)
x = x.view(-1, ⟦9216→1008⟧)
return self.fc2(F.relu(self.fc1(x)))`,
      ),
      FILE,
    );
  });

  it('edits the factor that is a width: 64 * 12 * 12', () => {
    checkEdit(
      torchModule(
        `self.conv1 = nn.Conv2d(1, 32, 3)
self.conv2 = nn.Conv2d(32, ⟦64→7⟧, 3)
self.fc = nn.Linear(⟦64→7⟧ * 12 * 12, 10)`,
        `x = F.max_pool2d(self.conv2(self.conv1(x)), 2)
return self.fc(torch.flatten(x, 1))`,
      ),
      FILE,
    );
  });

  it('edits a constant used at both ends once', () => {
    checkEdit(
      `${TORCH}HIDDEN = ⟦512→31⟧  # was 512\nmodel = nn.Sequential(nn.Linear(784, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, 10))\n`,
      FILE,
    );
  });

  it('edits what helpers are given, layers of a list, and sums of widths', () => {
    checkEdit(
      `${TORCH}class Block(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 3, padding=1)
        self.norm = nn.BatchNorm2d(outputs)

    def forward(self, x):
        return F.relu(self.norm(self.conv(x)))


class Net(nn.Module):
    def __init__(self, growth=[⟦12→3⟧, ⟦16→4⟧]):
        super().__init__()
        self.stem = Block(3, ⟦24→9⟧)
        self.blocks = nn.ModuleList()
        width = ⟦24→9⟧
        for g in growth:
            self.blocks.append(Block(width, g))
            width += g
        self.head = nn.Linear(width, 10)

    def forward(self, x):
        x = self.stem(x)
        for block in self.blocks:
            x = torch.cat([x, block(x)], 1)
        return self.head(x.mean([2, 3]))
`,
      FILE,
    );
  });

  it('refuses a constant that code outside of the model reads', () => {
    checkRefused(
      `${TORCH}HIDDEN = ⟦512⟧
model = nn.Sequential(nn.Linear(784, HIDDEN), nn.Linear(HIDDEN, 10))

def sample():
    return torch.randn(1, HIDDEN)
`,
      'shared-literal',
      { 0: 31 },
      FILE,
    );
  });

  it('refuses a computed width', () => {
    checkRefused(
      `${TORCH}base = 8\nmodel = nn.Sequential(⟦nn.Linear(784, base * 4)⟧, nn.Linear(32, 10))\n`,
      'computed-width',
      { 0: 31 },
      FILE,
    );
  });
});

describe('PyTorch as a topology', () => {
  it('pads as PyTorch does, and joins what is summed', () => {
    const text = torchModule(
      `self.a = nn.Conv2d(3, 8, 3, stride=2, padding=1, bias=False)
self.b = nn.Conv2d(3, 8, 1, stride=2)
self.fc = nn.Linear(8, 2)`,
      `y = self.a(x) + self.b(x)
y = F.adaptive_avg_pool2d(y, 1)
return self.fc(y.view(y.size(0), -1))`,
    );
    expect(layersOf(text)).toEqual([
      'x:InputLayer',
      'pad:ZeroPadding2D',
      'a:Conv2D',
      'b:Conv2D',
      'add:Add',
      'adaptive_avg_pool2d:GlobalAveragePooling2D',
      'fc:Dense',
    ]);
    expect(configOf(text, 'a')).toMatchObject({
      filters: 8,
      padding: 'valid',
      strides: [2, 2],
      use_bias: false,
    });
  });

  it('pools with padding what cannot be negative, and names layers that are not called', () => {
    const text = torchModule(
      `self.a = nn.Conv2d(3, 8, 3)
self.p = nn.MaxPool2d(3, 2, padding=1)
self.spare = nn.Linear(4, 4)
self.idle = nn.ReLU()`,
      'return self.p(F.relu(self.a(x)))',
    ).replace('class Net', '# @shrink-model input=[3, 8, 8]\nclass Net');
    expect(layersOf(text)).toContain('pad:ZeroPadding2D');
    expect(makePlan(read(text, FILE)).program).toMatchObject({ unused: ['spare'] });
  });

  it('names the augmentation of a model, which is a part of it and no model of its own', () => {
    const text = `import keras
from keras import layers
turn = keras.Sequential([layers.RandomFlip("horizontal"), layers.RandomRotation(0.1)])
model = keras.Sequential([
    keras.Input((8, 8, 1)), turn, layers.Flatten(), layers.Dense(4, activation="relu"), layers.Dense(2)])
plain = keras.Sequential([keras.Input((4,)), layers.Dense(4, activation="relu"), layers.Dense(2)])
`;
    const reading = read(text, FILE);
    const parts = reading.models.map(({ name, partOf }) => [name, partOf]);
    expect(Object.fromEntries(parts)).toMatchObject({ model: [], plain: [] });
    expect(reading.models.find(({ name }) => name === 'turn')?.partOf ?? ['model']).toEqual(['model']);
    expect(makePlan(reading, 'model').program).toMatchObject({
      augmentation: ['RandomFlip', 'RandomRotation'],
    });
    expect(makePlan(reading, 'plain').program).not.toHaveProperty('augmentation');
  });

  it('reads transposed convolutions and numbers that are rounded', () => {
    const text = torchModule(
      `hidden = int(round(8 * 1.5))
self.up = nn.ConvTranspose2d(100, hidden, 4, 2, 1, bias=False)
self.out = nn.ConvTranspose2d(hidden, 3, 4, 2, 1)`,
      'return torch.tanh(self.out(self.up(x)))',
    );
    expect(configOf(text, 'up')).toMatchObject({ filters: 12, padding: 'same', strides: [2, 2] });
    expect(read(text, FILE).models[0]?.sites[0]?.trace.kind).toBe('computed');
  });

  it('takes the input from the hint, channels last, and says how the source orders it', () => {
    const text = torchModule('self.fc = nn.Linear(48, 2)', 'return self.fc(torch.flatten(x, 1))').replace(
      'class Net',
      '# @shrink-model input=[3, 4, 4]\nclass Net',
    );
    expect(configOf(text, 'x')?.['batch_input_shape']).toEqual([null, 4, 4, 3]);
    expect(makePlan(read(text, FILE)).program).toMatchObject({ axes: 'channels-first' });
  });

  it.each([
    [
      'self.a = nn.MultiheadAttention(8, 2)',
      'return self.a(x)',
      'unsupported-layer',
      'nn.MultiheadAttention layers',
    ],
    [
      'self.a = nn.Conv2d(3, 8, 3)\nself.p = nn.MaxPool2d(3, 2, padding=1)',
      'return self.p(self.a(x))',
      'unsupported',
      'put the activation (ReLU) before it',
    ],
    ['self.a = nn.GRU(8, 2)', 'return self.a(x)', 'unsupported-layer', 'nn.GRU layers are not supported'],
    ['self.a = nn.Conv2d(4, 8, 3, groups=2)', 'return self.a(x)', 'unsupported', 'A convolution in 2 groups'],
    [
      'self.a = nn.Linear(8, 2)\nself.b = nn.Linear(3, 2)',
      'return self.b(self.a(x))',
      'shape-mismatch',
      'in_features is 3, but 2 come in',
    ],
    ['self.a = nn.Linear(load(), 2)', 'return self.a(x)', 'unknown-input', 'input=[…]'],
    ['self.a = nn.Linear(3, load())', 'return self.a(x)', 'unknown-value', 'out_features is not known'],
    ['self.a = nn.Linear(3, 4)', 'return self.c(x)', 'unknown-value', 'What the model gives is not known'],
  ])('says why %s cannot be read, and where', (init, forward, code, message) => {
    const reading = read(torchModule(init, forward), FILE);
    expect(reading.problems.map((problem) => problem.code)).toEqual([code]);
    expect(reading.problems[0]?.message).toContain(message);
    expect(() => makePlan(reading)).toThrow(/^\/project\/model\.py:\d+:\d+: /);
  });
});

describe('edits of Keras sources', () => {
  const KERAS = 'from tensorflow import keras\nfrom tensorflow.keras import layers\n';

  it('changes literals of sequential, functional and subclassed models', () => {
    checkEdit(
      `${KERAS}model = keras.Sequential()
model.add(layers.Conv2D(⟦32→4⟧, 3, input_shape=(28, 28, 1)))  # 32
model.add(layers.Flatten())
model.add(layers.Dense(units=⟦128→9⟧, activation='relu'))
model.add(layers.Dense(10))
`,
      FILE,
    );
    checkEdit(
      `${KERAS}def build(hidden=⟦64→6⟧):
    inputs = keras.Input((32,))
    x = layers.Dense(hidden)(inputs)
    y = layers.Dense(⟦64→6⟧)(inputs)
    return keras.Model(inputs, layers.Dense(1)(layers.add([x, y])))
`,
      FILE,
    );
    checkEdit(
      `${KERAS}# @shrink-model input=[20]
class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.a = layers.Dense(⟦16→2⟧)
        self.b = layers.Dense(3)
    def call(self, x):
        return self.b(self.a(x))
`,
      FILE,
    );
  });

  it('calls a model inside another', () => {
    const text = `${KERAS}def encoder():
    i = keras.Input((8,))
    return keras.Model(i, layers.Dense(4, name='code')(i))

def build():
    i = keras.Input((8,))
    return keras.Model(i, layers.Dense(2)(encoder()(i)))
`;
    const reading = read(text, FILE);
    expect(reading.models.map((model) => [model.name, model.partOf])).toEqual([
      ['encoder', ['build']],
      ['build', []],
    ]);
    expect(layersOf(text)).toEqual(['input:InputLayer', 'code:Dense', 'dense:Dense']);
  });
});

describe('hints in Python', () => {
  it('stand above constructors, or where a helper is given its width', () => {
    const reading = read(
      `${TORCH}def block(i, o):
    # @shrink multiple=2
    return nn.Linear(i, o)

model = nn.Sequential(
    block(4, 8),
    # @shrink min=3
    block(8, 16),
    nn.Linear(16, 2),  # @shrink off -- logits
)
`,
      FILE,
    );
    expect(reading.problems.map((problem) => problem.code)).toEqual(['trailing-hint']);
    const model = reading.models.find((candidate) => candidate.name === 'model');
    expect(model?.sites.map((site) => [site.width, site.hint])).toEqual([
      [8, { multiple: 2 }],
      [16, { min: 3 }],
      [2, { off: true }],
    ]);
  });
});

describe('hints in Python that cannot be evaluated', () => {
  it('are still above a layer', () => {
    const text = torchModule(
      `self.a = nn.Linear(load(), 4)
# @shrink min=2
self.b = nn.Linear(size, 4)
# @shrink
self.c = nn.ReLU()`,
      'return self.b(self.a(x))',
    );
    const codes = read(text, FILE).problems.map((problem) => problem.code);
    expect(codes.sort()).toEqual(['layer-without-width', 'unknown-input']);
  });
});
