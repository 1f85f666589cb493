import { describe, expect, it } from 'vitest';
import { makePlan } from '../../src/language';
import type { FunctionalTopology } from '../../src/core/topology';
import { checkEdit } from './support/checkEdit';
import { read } from './support/parsers';

const FILE = '/project/model.py';

/** A module of PyTorch; `init` and `forward` are its lines. */
function torchModule(init: string, forward: string, hint = ''): string {
  const lines = (code: string): string => code.trim().replaceAll(/^/gm, '        ');
  return `import torch
from torch import nn
import torch.nn.functional as F
${hint}
class Net(nn.Module):
    def __init__(self):
        super().__init__()
${lines(init)}

    def forward(self, x):
${lines(forward)}
`;
}

function layersOf(text: string): FunctionalTopology['config']['layers'] {
  const { program } = makePlan(read(text, FILE));
  if (program.kind !== 'topology') throw new Error('not a topology');
  return (program.topology as FunctionalTopology).config.layers;
}

function problemsOf(text: string): string[] {
  return read(text, FILE).problems.map((problem) => problem.message);
}

const LINEAR = 'self.a = nn.Linear(4, 8)\nself.b = nn.Linear(8, 3)';

describe('numbers and tensors of PyTorch', () => {
  it.each([
    ['1.0 * x', undefined],
    ['x / 1', undefined],
    ['x + 0', undefined],
    ['2.0 * x', { scale: 2, offset: 0 }],
    ['x / 4', { scale: 0.25, offset: 0 }],
    ['1 - x', { scale: -1, offset: 1 }],
    ['x - 1', { scale: 1, offset: -1 }],
    ['-x', { scale: -1, offset: 0 }],
  ])('%s', (expression, config) => {
    const text = torchModule(LINEAR, `x = torch.tanh(self.a(x))\nreturn self.b(${expression})`);
    const rescaled = layersOf(text).filter((layer) => layer.class_name === 'Rescaling');
    expect(rescaled.map(({ config: { scale, offset } }) => ({ scale, offset }))).toEqual(
      config === undefined ? [] : [config],
    );
    expect(problemsOf(text)).toEqual([]);
  });

  it('take the difference and the mean of a duelling network', () => {
    const text = torchModule(
      'self.body = nn.Linear(4, ⟦16→5⟧)\nself.value = nn.Linear(⟦16→5⟧, 1)\nself.advantage = nn.Linear(⟦16→5⟧, 3)',
      `x = F.relu(self.body(x))
value, advantage = self.value(x), self.advantage(x)
return value + advantage - advantage.mean(dim=1, keepdim=True)`,
    );
    checkEdit(text, FILE);
    const layers = layersOf(text.replaceAll(/⟦(\d+)→\d+⟧/g, '$1'));
    expect(layers.map((layer) => layer.class_name).slice(4)).toEqual([
      'Dense',
      'Add',
      'Reshape',
      'GlobalAveragePooling1D',
      'Rescaling',
      'Add',
    ]);
  });

  it('clamp from 0 on as a ReLU', () => {
    const text = torchModule(LINEAR, 'return self.b(torch.clamp(self.a(x), 0, 6))');
    expect(layersOf(text).map(({ class_name: type, config }) => [type, config['max_value']])).toContainEqual([
      'ReLU',
      6,
    ]);
    expect(layersOf(text.replace(', 0, 6', ', min=0')).map((layer) => layer.class_name)).toContain('ReLU');
  });

  it.each([
    ['return self.b(torch.clamp(self.a(x), -1, 1))', 'clamp is supported from 0 on'],
    ['y, z = torch.split(self.a(x), 4, 1)\nreturn self.b(y)', 'torch.split is not supported'],
    ['return self.b(torch.split(self.a(x), 4, 1)[0])', 'torch.split is not supported'],
    ['return self.b(2 / self.a(x))', '/ of these is not supported'],
    ['return torch.exp(self.b(self.a(x)))', 'torch.exp is not supported'],
    ['return self.b(self.a(x).unsqueeze(1))', '.unsqueeze() of a tensor is not supported'],
  ])('say what is not supported by name: %s', (forward, message) => {
    expect(problemsOf(torchModule(LINEAR, forward))).toEqual([expect.stringContaining(message)]);
  });
});

describe('recurrent layers of PyTorch', () => {
  it.each([
    'x, (torch.zeros(1, x.size(0), 6).to(x.device), torch.zeros(1, x.size(0), 6).to(x.device))',
    'x, hx=(torch.zeros(1, 1, 6).cuda().requires_grad_(), torch.autograd.Variable(torch.zeros(1, 1, 6)))',
    'x, None',
  ])('begin with zeros, said or not: %s', (given) => {
    const text = torchModule(
      'self.lstm = nn.LSTM(4, 6, batch_first=True)\nself.b = nn.Linear(6, 3)',
      `out, _ = self.lstm(${given})\nreturn self.b(out[:, -1])`,
    );
    const layers = layersOf(text);
    expect(layers.map((layer) => layer.class_name)).toEqual(['InputLayer', 'LSTM', 'Dense']);
    const random = text.replace(given, 'x, (torch.randn(1, 1, 6), torch.randn(1, 1, 6))');
    expect(problemsOf(random)).toEqual([expect.stringContaining('A first state is not read here')]);
  });
});

describe('sizes of pictures', () => {
  it('84 × 84 are those of Atari games', () => {
    const text = torchModule(
      `self.a = nn.Conv2d(4, 32, 8, stride=4)
self.b = nn.Conv2d(32, 64, 4, stride=2)
self.c = nn.Conv2d(64, 64, 3)
self.d = nn.Linear(7 * 7 * 64, 512)
self.e = nn.Linear(512, 6)`,
      `x = F.relu(self.c(F.relu(self.b(F.relu(self.a(x))))))
return self.e(F.relu(self.d(x.view(x.size(0), -1))))`,
    );
    expect(layersOf(text)[0]?.config['batch_input_shape']).toEqual([null, 84, 84, 4]);
  });
});
