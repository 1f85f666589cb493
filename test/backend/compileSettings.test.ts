import { beforeAll, describe, expect, it } from 'vitest';
import { compileSettings, settingsAsText } from '../../src/backend/compileSettings';
import { lossNamed } from '../../src/core/losses';
import { findEngine } from '../../src/engine/registry';
import * as tf from '../../src/engine/tf';

beforeAll(() => findEngine('cpu').load());

type Compile = Required<Parameters<tf.LayersModel['compile']>[0]>;

function settingsOf(given: Partial<Compile>) {
  const model = tf.sequential({ layers: [tf.layers.dense({ inputShape: [2], units: 1, name: 'price' })] });
  model.compile({ optimizer: 'sgd', loss: 'meanSquaredError', ...given });
  const settings = compileSettings(model);
  model.dispose();
  return settings;
}

const ownLoss = (y: tf.Tensor, p: tf.Tensor): tf.Tensor => tf.sub(y, p);

describe('what a model is compiled with', () => {
  it.each([
    ['meanAbsoluteError', 'meanAbsoluteError'],
    [tf.losses.huberLoss, 'huber'],
    [tf.losses.absoluteDifference, 'meanAbsoluteError'],
    [tf.losses.hingeLoss, 'hinge'],
    [tf.losses.logLoss, 'binaryCrossentropy'],
    [tf.metrics.MAPE, 'meanAbsolutePercentageError'],
    [tf.metrics.cosineProximity, 'cosineProximity'],
    [tf.losses.cosineDistance, undefined],
    [ownLoss, undefined],
  ])('names the loss %s', (given, known) => {
    const { loss } = settingsOf({ loss: given as Compile['loss'] });
    expect(typeof loss === 'string' ? lossNamed(loss) : loss).toBe(known);
  });

  it('says which function of the author’s own a loss is', () => {
    expect(settingsAsText(settingsOf({ loss: ownLoss }))).toMatchObject({
      loss: 'function ownLoss',
    });
  });

  it('knows a function of TensorFlow.js by more than its name, which a bundle may change', () => {
    const { name } = tf.metrics.meanAbsoluteError;
    Object.defineProperty(tf.metrics.meanAbsoluteError, 'name', {
      value: 'meanAbsoluteError2',
      configurable: true,
    });
    try {
      expect(settingsOf({ metrics: [tf.metrics.meanAbsoluteError] }).metrics).toEqual(['meanAbsoluteError']);
    } finally {
      Object.defineProperty(tf.metrics.meanAbsoluteError, 'name', { value: name, configurable: true });
    }
  });

  it('names metrics for all outputs or for each, and functions without a name', () => {
    const { metrics } = settingsOf({ metrics: ['mae', (y: tf.Tensor) => y] as Compile['metrics'] });
    expect(metrics).toEqual(['mae', 'function without a name']);
    expect(
      settingsOf({ metrics: { price: ['mse', 'mae'] } as unknown as Compile['metrics'] }).metrics,
    ).toEqual({
      byName: { price: ['mse', 'mae'] },
    });
  });
});
