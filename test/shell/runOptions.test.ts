import { expect, it } from 'vitest';
import { describeSourceOptions } from '../../src/core/sourceOptions';
import { resolveRunOptions, type OptionLayer } from '../../src/shell/runOptions';
import { planOf } from '../language/support/parsers';

const SOURCE = `from torch import nn, optim
# @shrink-model batchSize=32
model = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2))
loss_fn = nn.CrossEntropyLoss()
optimizer = optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
loader = DataLoader(data, batch_size=256)
`;

function layer(values: Record<string, string>): OptionLayer {
  return { name: (key) => `--${key}`, values };
}

it('takes from the source what nothing else says, and says what', () => {
  const plan = planOf(SOURCE, 'model', '/project/model.py');
  const options = resolveRunOptions(plan, [layer(plan.modelHint), layer({ optimizer: 'adam' })]);
  expect(options).toMatchObject({
    loss: 'sparseCategoricalCrossentropy',
    learningRate: 0.05,
    optimizer: 'adam',
    batchSize: 32,
  });
  expect(describeSourceOptions(plan, options)).toBe(
    'taken from the source: loss sparseCategoricalCrossentropy, learningRate 0.05',
  );
});

it('leaves out what cannot be used, and says nothing where nothing was taken', () => {
  const plan = { ...planOf(SOURCE, 'model', '/project/model.py'), sourceOptions: { batchSize: '0' } };
  const options = resolveRunOptions(plan, []);
  expect(options.batchSize).toBeGreaterThan(0);
  expect(describeSourceOptions(plan, options)).toBeUndefined();
});
