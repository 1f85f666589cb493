import { describe, expect, it } from 'vitest';
import { makePlan, whyUnusable } from '../../src/language';
import type { FunctionalTopology } from '../../src/core/topology';
import { checkEdit } from './support/checkEdit';
import { read } from './support/parsers';

const KERAS = `from keras.models import Sequential, Model, load_model
from keras.layers import Dense, Input
`;
const FILE = '/project/model.py';

/** Names of the models that can be trained, with their widths. */
function usable(text: string): Record<string, (number | undefined)[]> {
  const reading = read(text, FILE);
  const good = reading.models.filter((model) => whyUnusable(reading, model.name) === undefined);
  return Object.fromEntries(good.map((model) => [model.name, model.sites.map((site) => site.width)]));
}

function indent(code: string): string {
  return code.replaceAll(/^(?=.)/gm, '    ');
}

const BUILD = `model = Sequential()
model.add(Dense(24, input_dim=4, activation='relu'))
model.add(Dense(2))
`;

describe('Keras models are found where', () => {
  it.each([
    [
      'a method makes and returns it',
      `class Agent:
    def __init__(self):
        self.memory = deque(maxlen=2000)
        self.model = self._build()

    def _build(self):
${indent(indent(BUILD))}        model.compile(loss='mse', optimizer=Adam(lr=self.rate))
        return model
`,
      'Agent._build',
    ],
    [
      'a constructor keeps it',
      `class Agent:
    def __init__(self):
        self.model = Sequential([Dense(24, input_dim=4), Dense(2)])
`,
      'Agent.model',
    ],
    ['a loop over what is not known makes it', `for fold in kf.split(x):\n${indent(BUILD)}`, 'model'],
    ['a with statement makes it', `with strategy.scope():\n${indent(BUILD)}`, 'model'],
    [
      'one branch loads it and the other makes it',
      `if os.path.exists(f):\n    model = load_model(f)\nelse:\n${indent(BUILD)}`,
      'model',
    ],
    [
      'it is made because loading failed',
      `try:\n    model = load_model(f)\nexcept OSError:\n${indent(BUILD)}`,
      'model',
    ],
    [
      'a function keeps it to itself and trains it',
      `def main():
    x, y = load()
${indent(BUILD)}    for epoch in range(1000000):
        model.fit(x, y)
main()
`,
      'main.model',
    ],
    [
      'a function in a function makes it',
      `def main(last=2):
    def build(width):
        model = Sequential([Dense(width, input_dim=4), Dense(last)])
        return model
    build(24).fit(x)
`,
      'main.build',
    ],
    [
      'it is returned with something else',
      `def train(x):\n${indent(BUILD)}    return model, model.fit(x)\n`,
      'train',
    ],
    [
      'a dictionary holds it',
      `models = {}\nmodels['a'] = Sequential([Dense(24, input_dim=4), Dense(2)])\n`,
      'models.a',
    ],
    [
      'training takes more steps than are read',
      `if retrain:\n${indent(BUILD)}while True:\n    model.fit(x)\n`,
      'model',
    ],
    [
      'training of a functional model takes them',
      `inputs = Input((4,))\nx = Dense(24)(inputs)\nmodel = Model(inputs, Dense(2)(x))\nwhile True:\n    model.fit(x)\n`,
      'model',
    ],
    ['the name is given to something else later', `${BUILD}model = load_model('best.h5')\n`, 'model'],
  ])('%s', (_, code, name) => {
    expect(usable(KERAS + code)).toEqual({ [name]: [24, 2] });
    expect(read(KERAS + code, FILE).problems).toEqual([]);
  });

  it('a functional model is made of others that are methods', () => {
    const text = `${KERAS}import numpy as np
class GAN:
    def __init__(self):
        self.shape = (2, 3)
        self.generator = self.build_generator()
        noise = Input((5,))
        self.combined = Model(noise, Dense(1)(self.generator(noise)))

    def build_generator(self):
        model = Sequential()
        model.add(Dense(7, input_dim=5))
        model.add(Dense(np.prod(self.shape)))
        noise = Input((5,))
        return Model(noise, model(noise))
`;
    expect(usable(text)).toEqual({ 'GAN.combined': [1, 7, 6], 'GAN.build_generator': [7, 6] });
  });

  it('branches make different ones, each with what comes after', () => {
    const text = `${KERAS}def make(kind):
    if kind == 'small':
        model = Sequential([Dense(3, input_dim=4)])
    else:
        model = Sequential([Dense(9, input_dim=4)])
    model.add(Dense(2))
    return model

def parts():
    inputs = Input((4,))
    code = Dense(3)(inputs)
    encoder = Model(inputs, code)
    whole = Model(inputs, Dense(4)(code))
    return encoder, whole
`;
    expect(usable(text)).toEqual({
      make: [3, 2],
      make_2: [9, 2],
      'parts.encoder': [3],
      'parts.whole': [3, 4],
    });
  });

  it('edits lead back to the source', () => {
    checkEdit(
      `${KERAS}class Agent:
    def __init__(self, size, actions):
        self.size = size
        self.model = self._build(actions)

    # @shrink-model args=[4, 2]
    def _build(self, actions):
        model = Sequential()
        model.add(Dense(⟦24→5⟧, input_dim=4, activation='relu'))
        model.add(Dense(units=⟦16→3⟧))
        model.add(Dense(2))
        return model
`,
      FILE,
    );
    checkEdit(
      `${KERAS}HIDDEN = ⟦24→5⟧
with strategy.scope():
    inputs = Input((4,))
    model = Model(inputs, Dense(2)(Dense(⟦8→3⟧)(Dense(HIDDEN)(inputs))))
`,
      FILE,
    );
  });

  it('the arguments of a constructor and a method come from the hint, in this order', () => {
    const text = `${KERAS}# @shrink-model args=[4, 7]
class Agent:
    def __init__(self, size):
        self.size = size

    def build(self, actions):
        return Sequential([Dense(24, input_dim=self.size), Dense(actions)])
`;
    expect(usable(text)).toEqual({ 'Agent.build': [24, 7] });
    const model = read(text, FILE).models[0];
    expect(model?.parameters.map((parameter) => parameter.name)).toEqual(['size', 'actions']);
  });

  it('PyTorch makes a Sequential in a class of another kind', () => {
    const text = `from torch import nn
class Agent:
    def __init__(self):
        self.net = nn.Sequential(nn.Linear(4, 32), nn.ReLU(), nn.Linear(32, 2))
`;
    expect(usable(text)).toEqual({ 'Agent.net': [32, undefined, 2] });
    expect(makePlan(read(text, FILE)).program).toMatchObject({ axes: 'channels-first' });
  });

  it('not where the name belongs to another library or file', () => {
    const text = `import torch
from mylib.nets import Model
from .net import Sequential
net = Model(4, 2)
other = Sequential(net)
def main():
    return Model(3, 3)
`;
    const reading = read(text, FILE);
    expect([reading.models, reading.problems]).toEqual([[], []]);
  });
});

describe('from … import *', () => {
  it.each([
    ['from keras.models import *\nfrom keras.layers import *\n'],
    ['from tensorflow.keras.models import *\nfrom tensorflow.keras.layers import *\nfrom mine import *\n'],
    ['from keras import *\nfrom keras.layers import *\n'],
  ])('%j', (imports) => {
    expect(usable(imports + BUILD)).toEqual({ model: [24, 2] });
  });

  it('of PyTorch', () => {
    const text = `import torch
from torch.nn import *
from torch.nn.functional import *
class Net(Module):
    def __init__(self):
        super().__init__()
        self.a = Linear(4, 8)
        self.b = Linear(8, 2)

    def forward(self, x):
        return self.b(relu(self.a(x)))
`;
    expect(usable(text)).toEqual({ Net: [8, 2] });
  });
});

describe('what is added to a Sequential', () => {
  it.each([
    ['model.add(Attention2(4))', 'A layer of this model is not known: Attention2 is not declared'],
    [
      'if deep:\n    model.add(Dense(9))',
      'A layer of this model is not known: it depends on what is not known',
    ],
    ['for width in widths:\n    model.add(Dense(width))', 'A layer of this model is not known'],
    ['model.add(Dense(9, activation=lambda x: x))', 'Dense layers with a function as activation'],
  ])('is never left out: %s', (line, message) => {
    const text = `${KERAS}model = Sequential([Dense(8, input_dim=4)])\n${line}\nmodel.add(Dense(2))\n`;
    const reading = read(text, FILE);
    expect(reading.models.map((model) => model.name)).toEqual(['model']);
    expect(reading.problems.map((problem) => problem.message)).toEqual([expect.stringContaining(message)]);
    expect(() => makePlan(reading)).toThrow(message);
  });
});

describe('a functional model whose input is not known', () => {
  const functional = (hint: string, around = ''): string => `${KERAS}${around}
${hint}
inputs = Input(shape=(data.shape[1],))
x = Dense(64)(inputs)
model = Model(inputs=inputs, outputs=Dense(3)(x))
`;

  it('is listed, and says how to give it', () => {
    const reading = read(functional(''), FILE);
    expect(reading.models.map((model) => model.name)).toEqual(['model']);
    expect(reading.problems.map((problem) => problem.code)).toEqual(['unknown-input']);
    expect(() => makePlan(reading)).toThrow('write input=[…] into the model’s @shrink-model hint');
  });

  it('takes it from the hint, above the model or its input', () => {
    const hint = '# @shrink-model input=[24]';
    const below = functional('').replace('model =', `${hint}\nmodel =`);
    for (const text of [functional(hint), below]) {
      const { program } = makePlan(read(text, FILE));
      if (program.kind !== 'topology') throw new Error('not a topology');
      const [input] = (program.topology as FunctionalTopology).config.layers;
      expect(input?.config['batch_input_shape']).toEqual([null, 24]);
      expect(usable(text)).toEqual({ model: [64, 3] });
    }
  });

  it('takes it from the hint in a function, and in a Sequential', () => {
    const inside = functional('').slice(KERAS.length);
    expect(
      usable(`${KERAS}# @shrink-model input=[24]\ndef build(data):\n${indent(inside)}    return model\n`),
    ).toEqual({ build: [64, 3] });
    expect(
      usable(
        `${KERAS}# @shrink-model input=[24]\nmodel = Sequential([Dense(5, input_shape=(x.shape[1],)), Dense(2)])\n`,
      ),
    ).toEqual({ model: [5, 2] });
  });
});

describe('layers of no model that is read', () => {
  it.each([
    [
      'import keras\nfrom keras import layers\ndef block(x):\n    return layers.Dense(5)(x)\n',
      'no-model-read',
      'layers.Dense(5)',
    ],
    [
      'from torch import nn\nclass Lit:\n    def setup(self):\n        self.a = nn.Linear(3, 4)\n',
      'no-model-read',
      'nn.Linear(3, 4)',
    ],
    [
      `${KERAS}build = lambda: Sequential([Dense(3, input_dim=2)])\n`,
      'not-reached',
      'Sequential([Dense(3, input_dim=2)])',
    ],
    [`import keras\nmodel = Sequential([1])\n`, 'unknown-value', 'Sequential'],
  ])('are warned of: %j', (text, code, at) => {
    const { problems } = read(text, FILE);
    expect(
      problems.map(({ severity, code: found, range }) => [
        severity,
        found,
        text.slice(range.start, range.end),
      ]),
    ).toEqual([['warning', code, at]]);
  });
});

describe('what is missing is asked for', () => {
  const problemsOf = (text: string): string[] => read(text, FILE).problems.map((problem) => problem.message);

  it('as arguments, with an example made of the parameters', () => {
    expect(
      problemsOf(`${KERAS}def build(input_shape, num_classes, depth=2):
    return Sequential([Dense(8, input_dim=4), Dense(num_classes)])
`),
    ).toEqual([
      'units is not known: the parameter num_classes is not given; ' +
        'write args=[…] into the model’s @shrink-model hint, e.g. # @shrink-model args=[[28, 28, 1], 10].',
    ]);
    const handedOn = `${KERAS}class Agent:
    def __init__(self, size, actions):
        self.model = self.build(size)

    def build(self, size):
        return Sequential([Dense(8, input_dim=size), Dense(2)])
`;
    expect(problemsOf(handedOn)).toEqual([
      expect.stringMatching(/, e\.g\. # @shrink-model args=\[32, 10\]\.$/),
    ]);
    const agent = `${KERAS}class Agent:
    def __init__(self, size, actions):
        self.model = Sequential([Dense(8, input_dim=size), Dense(actions)])
`;
    expect(problemsOf(agent)).toEqual([
      expect.stringMatching(/input=\[…\].*, e\.g\. # @shrink-model args=\[32, 10\]\.$/),
    ]);
    expect(usable(agent.replace('class', '# @shrink-model args=[4, 2]\nclass'))).toEqual({
      'Agent.model': [8, 2],
    });
  });

  it('as a number, where a width is computed', () => {
    const text = `${KERAS}model = Sequential([Dense(8, input_dim=4), Dense(len(classes))])\n`;
    expect(problemsOf(text)).toEqual([
      'units is not known: its length is not known; write the number there, or a name that stands for one.',
    ]);
  });

  it.each([
    ['Embedding(500, 16, input_length=10)', [16, 2], [10]],
    ['Bidirectional(LSTM(6), input_shape=(10, 8))', [6, 2], [10, 8]],
    ['TimeDistributed(Dense(6), input_shape=(10, 8))', [6, 2], [10, 8]],
  ])('and not where %s tells the input', (layer, widths, shape) => {
    const text = `from keras.models import Sequential\nfrom keras.layers import *\nmodel = Sequential([${layer}, Dense(2)])\n`;
    expect(usable(text)).toEqual({ model: widths });
    const { program } = makePlan(read(text, FILE));
    if (program.kind !== 'topology') throw new Error('not a topology');
    const [input] = (program.topology as FunctionalTopology).config.layers;
    expect(input?.config['batch_input_shape']).toEqual([null, ...shape]);
  });
});
