import { expect, it } from 'vitest';
import { describeLeftOut, describeSourceOptions } from '../../src/core/sourceOptions';
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

const COMPILE = (loss: string): string => `import keras
model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3), keras.layers.Dense(2)])
model.compile(optimizer="adam", loss=${loss})
`;

it.each([
  ['"mse"', 'meanSquaredError'],
  ['"mae"', 'meanAbsoluteError'],
  ['["huber", "hinge"]', 'huber,hinge'],
  ['["sparse_categorical_crossentropy", "mse"]', 'sparseCategoricalCrossentropy,meanSquaredError'],
  [
    '{"kind": keras.losses.BinaryCrossentropy(), "sum": "mse"}',
    'kind:binaryCrossentropy,sum:meanSquaredError',
  ],
])('takes a loss for each output: %s', (text, loss) => {
  const plan = planOf(COMPILE(text), 'model', '/project/model.py');
  const options = resolveRunOptions(plan, []);
  expect(options.loss).toBe(loss);
  expect(describeLeftOut(plan, options)).toBeUndefined();
});

it('says which loss it does not know, unless another is given', () => {
  const plan = planOf(COMPILE('keras.losses.Huber(delta=2.0)'), 'model', '/project/model.py');
  const options = resolveRunOptions(plan, []);
  expect(options.loss).toBeUndefined();
  expect(describeLeftOut(plan, options)).toBe(
    'not known here and not taken from the source: loss Huber(delta=2.0); loss= in the hint gives another',
  );
  expect(
    describeLeftOut(plan, resolveRunOptions(plan, [layer({ loss: 'meanSquaredError' })])),
  ).toBeUndefined();
});

it.each([
  ['mae', 'meanAbsoluteError'],
  ['mean_squared_error', 'meanSquaredError'],
  ['a:mse, b: kl_divergence', 'a:meanSquaredError,b:kullbackLeiblerDivergence'],
])('takes the loss %s by the spelling of a source', (loss, known) => {
  expect(resolveRunOptions(planOf(SOURCE, 'model', '/project/model.py'), [layer({ loss })]).loss).toBe(known);
});

it.each(['meanSquaredError,mean', 'kind:focal', ','])('refuses the loss %s', (loss) => {
  expect(() => resolveRunOptions(planOf(SOURCE, 'model', '/project/model.py'), [layer({ loss })])).toThrow(
    '--loss is',
  );
});
