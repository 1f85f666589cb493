import { describe, expect, it } from 'vitest';
import { makePlan } from '../../src/language';
import { goldenFiles } from './support/golden';
import { read } from './support/parsers';

const TORCH = 'import torch\nfrom torch import nn\nimport torch.nn.functional as F\n';
const FILE = '/project/model.py';

describe('training options in Python', () => {
  it.each([
    ['lenet', { loss: 'sparseCategoricalCrossentropy', optimizer: 'adam', learningRate: '1e-3' }],
    ['kerasSequential', { loss: 'categoricalCrossentropy', optimizer: 'adam', batchSize: '128' }],
    ['mlp', { loss: 'sparseCategoricalCrossentropy' }],
    ['resnet', {}],
  ])('are read from %s', (name, options) => {
    const golden = goldenFiles().find((candidate) => candidate.file.endsWith(`${name}.py`));
    expect(makePlan(read(golden?.text ?? '', golden?.file)).sourceOptions).toEqual(options);
  });

  const KERAS = `import keras
model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3), keras.layers.Dense(1)])
`;
  it.each([
    ['"mae"', 'meanAbsoluteError'],
    ['"mean_absolute_percentage_error"', 'meanAbsolutePercentageError'],
    ['"msle"', 'meanSquaredLogarithmicError'],
    ['"huber"', 'huber'],
    ['"log_cosh"', 'logcosh'],
    ['"kl_divergence"', 'kullbackLeiblerDivergence'],
    ['"cosine_similarity"', 'cosineProximity'],
    ['"squared_hinge"', 'squaredHinge'],
    ['"categorical_hinge"', 'categoricalHinge'],
    ['"poisson"', 'poisson'],
    ['keras.losses.LogCosh()', 'logcosh'],
    ['keras.losses.Huber(1.0, name="h", reduction="sum_over_batch_size")', 'huber'],
    ['keras.losses.CategoricalCrossentropy(from_logits=True)', 'categoricalCrossentropy'],
    ['keras.losses.mean_absolute_error', 'meanAbsoluteError'],
    ['keras.losses.Huber(delta=2.0)', 'Huber(delta=2.0)'],
    ['keras.losses.Hinge(reduction="sum")', 'Hinge(reduction="sum")'],
    [
      'keras.losses.CategoricalCrossentropy(\n    label_smoothing=0.1,\n)',
      'CategoricalCrossentropy( label_smoothing=0.1, )',
    ],
    ['focal_loss', 'focal_loss'],
    ['{"a": "mae", "b": keras.losses.Huber()}', 'a:meanAbsoluteError,b:huber'],
    ['["mae", keras.losses.Huber(delta=3)]', 'meanAbsoluteError,Huber(delta=3)'],
  ])('say the loss %s of Keras, or how it is written', (written, loss) => {
    const text = `${KERAS}model.compile(loss=${written})\n`;
    expect(makePlan(read(text, FILE)).sourceOptions).toEqual({ loss });
  });

  it.each([
    ['nn.L1Loss()', 'meanAbsoluteError'],
    ['nn.SmoothL1Loss()', 'huber'],
    ['nn.HuberLoss(delta=0.5)', 'HuberLoss(delta=0.5)'],
    ['nn.PoissonNLLLoss(log_input=False)', 'poisson'],
    ['nn.PoissonNLLLoss()', 'PoissonNLLLoss()'],
    ['nn.CrossEntropyLoss(weight=w)', 'CrossEntropyLoss(weight=w)'],
    ['nn.MultiMarginLoss()', 'MultiMarginLoss()'],
    ['F.smooth_l1_loss(model(x), y)', 'huber'],
  ])('say the loss %s of PyTorch, or how it is written', (written, loss) => {
    const text = `${TORCH}model = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2))\nloss = ${written}\n`;
    expect(makePlan(read(text, FILE)).sourceOptions).toEqual({ loss });
  });

  it('take no metric and no random number for a loss', () => {
    const text = `${KERAS}m = keras.metrics.MeanAbsoluteError()\nn = rng.poisson(3)\nmodel.compile(loss="mse")\n`;
    expect(makePlan(read(text, FILE)).sourceOptions).toEqual({ loss: 'meanSquaredError' });
  });

  it.each([
    ['["mae", keras.metrics.AUC()]', ['mae', 'AUC']],
    ['"mae"', ['mae']],
    ['{"a": "mae", "b": ["acc", "mse"]}', { byName: { a: ['mae'], b: ['acc', 'mse'] } }],
    ['[["mae"], None]', { byPlace: [['mae'], []] }],
  ])('say the metrics %s', (written, metrics) => {
    const text = `${KERAS}model.compile(loss="mse", metrics=${written})\n`;
    expect(makePlan(read(text, FILE)).sourceMetrics).toEqual(metrics);
  });

  it('follow a constant and see momentum', () => {
    const text = `${TORCH}LR = 0.1\nmodel = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2))
opt = torch.optim.SGD(model.parameters(), lr=LR, momentum=0.9)\n`;
    expect(makePlan(read(text, FILE)).sourceOptions).toEqual({ optimizer: 'momentum', learningRate: '0.1' });
  });
});
