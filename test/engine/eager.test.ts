import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as tf from '../../src/engine/tf';
import { findEngine, listEngines } from '../../src/engine/registry';
import { variablesOf } from './support';
import type { Engine } from '../../src/engine/engine';

const image = [3, 3, 1] as const;
const inputs = Float32Array.from({ length: 36 }, (_, i) => Math.sin(i * 1.7));
const targets = Float32Array.from({ length: 8 }, (_, i) => (i % 3 === 0 ? 1 : 0));

function buildModel(): tf.Sequential {
  const model = tf.sequential();
  model.add(tf.layers.conv2d({ inputShape: [...image], filters: 2, kernelSize: 2, activation: 'relu' }));
  model.add(tf.layers.maxPooling2d({ poolSize: 2 }));
  model.add(tf.layers.flatten());
  model.add(tf.layers.dense({ units: 2 }));
  const weights = model.getWeights().map((w, k) => {
    const values = Float32Array.from({ length: w.size }, (_, i) => Math.cos(i + k));
    return tf.tensor(values, w.shape);
  });
  model.setWeights(weights);
  tf.dispose(weights);
  return model;
}

/** Runs a few steps of gradient descent; returns the losses and the weights after them. */
async function descend(engine: Engine): Promise<{ losses: number[]; weights: Float32Array[] }> {
  const model = buildModel();
  const optimizer = tf.train.sgd(0.1);
  const variables = variablesOf(model);
  const compiled = await engine.compile(
    ([x, y], { rate = 0 }) => {
      if (x === undefined || y === undefined) throw new Error('no batch');
      optimizer.setLearningRate(rate);
      const loss = optimizer.minimize(
        () => tf.losses.meanSquaredError(y, model.apply(x, { training: true }) as tf.Tensor),
        true,
        variables,
      );
      return loss === null ? [] : [loss];
    },
    variables,
    [
      { shape: [4, ...image], dtype: 'float32' },
      { shape: [4, 2], dtype: 'float32' },
    ],
    ['rate'],
  );
  const losses: number[] = [];
  for (let step = 0; step < 5; step += 1)
    losses.push((await compiled.run([inputs, targets], { rate: 0.1 }))[0]?.[0] ?? NaN);
  await compiled.pull();
  const weights = await Promise.all(variables.map(async (v) => Float32Array.from(await v.data())));
  compiled.dispose();
  model.dispose();
  return { losses, weights };
}

describe('the eager engines', () => {
  let reference: Awaited<ReturnType<typeof descend>>;
  beforeAll(async () => {
    reference = await descend(await findEngine('cpu').load());
  });
  afterAll(async () => {
    await tf.setBackend('cpu');
  });

  it('learn', () => {
    expect(reference.losses[4]).toBeLessThan(reference.losses[0] ?? 0);
  });

  it('agree after five steps', async () => {
    const found = await descend(await findEngine('wasm').load());
    found.losses.forEach((loss, step) => expect(loss).toBeCloseTo(reference.losses[step] ?? NaN, 5));
    found.weights.forEach((values, k) =>
      values.forEach((value, i) => expect(value).toBeCloseTo(reference.weights[k]?.[i] ?? NaN, 4)),
    );
  });

  it('are listed', async () => {
    const names = (await listEngines()).map((status) =>
      status.available ? status.description.name : status.name,
    );
    expect(names).toEqual(expect.arrayContaining(['wasm', 'cpu']));
  });

  it('names the engines there are when asked for another', () => {
    expect(() => findEngine('abacus')).toThrow(/no engine abacus.*wasm, cpu/u);
  });

  it('refuses a batch of another size', async () => {
    const engine = await findEngine('wasm').load();
    const step = await engine.compile(([x]) => (x ? [x] : []), [], [{ shape: [2], dtype: 'float32' }], []);
    await expect(step.run([new Float32Array(3)], {})).rejects.toThrow(/holds 3 values.*\[2\] has 2/u);
  });
});
