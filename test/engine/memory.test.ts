import { afterAll, describe, expect, it } from 'vitest';
import * as tf from '../../src/engine/tf';
import type { CompiledStep, Engine } from '../../src/engine/engine';
import { findEngine } from '../../src/engine/registry';
import { noise, variablesOf } from './support';

const ROWS = 8;

function buildModel(): tf.Sequential {
  const model = tf.sequential();
  model.add(tf.layers.conv2d({ inputShape: [8, 8, 1], filters: 4, kernelSize: 3, activation: 'relu' }));
  model.add(tf.layers.batchNormalization());
  model.add(tf.layers.maxPooling2d({ poolSize: 2 }));
  model.add(tf.layers.flatten());
  model.add(tf.layers.dropout({ rate: 0.2 }));
  model.add(tf.layers.dense({ units: 4 }));
  return model;
}

interface Session {
  readonly step: CompiledStep;
  readonly dispose: () => void;
}

async function prepare(engine: Engine): Promise<Session> {
  const model = buildModel();
  const optimizer = tf.train.adam(0.01);
  const step = await engine.compile(
    ([x, y]) => {
      if (x === undefined || y === undefined) throw new TypeError('no batch');
      const loss = () =>
        tf.losses.meanSquaredError<tf.Tensor, tf.Scalar>(y, model.apply(x, { training: true }) as tf.Tensor);
      const cost = optimizer.minimize(loss, true, variablesOf(model));
      return cost === null ? [] : [cost];
    },
    variablesOf(model, 'all'),
    [
      { shape: [ROWS, 8, 8, 1], dtype: 'float32' },
      { shape: [ROWS, 4], dtype: 'float32' },
    ],
    ['randomSeed'],
  );
  const dispose = () => {
    step.dispose();
    model.dispose();
    optimizer.dispose();
    // What TensorFlow.js's own disposal forgets.
    const { accBeta1, accBeta2 } = optimizer as unknown as Record<string, tf.Variable>;
    tf.dispose([accBeta1, accBeta2]);
  };
  return { step, dispose };
}

const x = noise(ROWS * 64, 3);
const y = noise(ROWS * 4, 4);

async function runSteps(step: CompiledStep, count: number): Promise<void> {
  for (let i = 0; i < count; i += 1) await step.run([x, y], { randomSeed: i });
}

describe.each(['wasm', 'onnxruntime'])('memory of %s', (name) => {
  afterAll(() => tf.setBackend('cpu'));

  it('does not grow over 2,000 steps', async () => {
    const { step, dispose } = await prepare(await findEngine(name).load());
    await runSteps(step, 500);
    await step.pull();
    const tensors = tf.memory().numTensors;
    const before = process.memoryUsage().rss;
    await runSteps(step, 2000);
    await step.pull();
    expect(tf.memory().numTensors).toBe(tensors);
    // A leak of the smallest activation, 4.6 kB a step, would be 9 MB; a leak of a step's tensors far more. The
    // collector may let the heap grow by some MB before it runs.
    expect(process.memoryUsage().rss - before).toBeLessThan(60e6);
    dispose();
  });

  it('does not grow over 30 compilations', async () => {
    const engine = await findEngine(name).load();
    const once = async () => {
      const { step, dispose } = await prepare(engine);
      await runSteps(step, 2);
      await step.pull();
      dispose();
    };
    await once();
    const tensors = tf.memory().numTensors;
    for (let i = 0; i < 30; i += 1) await once();
    expect(tf.memory().numTensors).toBe(tensors);
  });
});
