import '@tensorflow/tfjs-backend-cpu';
import { beforeAll, describe, expect, it } from 'vitest';
import { evaluatePlan } from '../../src/backend/userCode';
import * as tf from '../../src/engine/tf';
import { makePlan } from '../../src/language';
import { goldenFiles } from '../language/support/golden';
import { read } from '../language/support/parsers';

beforeAll(async () => {
  tf.env().set('IS_TEST', true);
  await tf.setBackend('cpu');
});

/** Builds a model of a golden file; with its parameters counted there can be no doubt that it is the right one. */
async function build(
  name: string,
  model?: string,
): Promise<{ params: number; sites: number; loss: unknown }> {
  const golden = goldenFiles().find((candidate) => candidate.file.endsWith(name));
  if (golden === undefined) throw new Error(`There is no golden file ${name}.`);
  const plan = makePlan(read(golden.text, golden.file), model);
  const evaluated = await evaluatePlan(plan);
  return {
    params: evaluated.model.countParams(),
    sites: new Set(Object.values(evaluated.siteOf)).size,
    loss: evaluated.model.loss,
  };
}

describe('golden TensorFlow.js files', () => {
  it('a convolutional network whose page trains it', async () => {
    const params = 16 * 10 + 32 * (9 * 16 + 1) + 64 * (800 + 1) + 10 * 65;
    expect(await build('mnistConv.js')).toEqual({ params, sites: 7, loss: 'categoricalCrossentropy' });
  });

  it('a residual network from helpers and loops', async () => {
    const result = await build('residual.ts');
    const conv = (kernel: number, from: number, to: number): number => kernel * kernel * from * to;
    const block = (from: number, to: number): number =>
      conv(3, from, to) + 4 * to + conv(3, to, to) + 4 * to + (from === to ? 0 : conv(1, from, to) + to);
    const stages = block(16, 16) * 2 + block(16, 32) + block(32, 32) + block(32, 64) + block(64, 64);
    expect(result.params).toBe(conv(3, 3, 16) + 64 + stages + 650);
  });
});

describe('golden Python files', () => {
  const conv = (kernel: number, from: number, to: number): number => kernel * kernel * from * to;
  // Of batch normalisation, all four vectors are counted.
  const resnet =
    conv(7, 3, 64) +
    256 +
    2 * (conv(3, 64, 64) + 256) +
    (conv(3, 64, 128) + conv(3, 128, 128) + conv(1, 64, 128) + 3 * 512) +
    2 * (conv(3, 128, 128) + 512) +
    1290;
  it.each([
    ['lenet.py', 61_706],
    ['mnistNet.py', 1_199_882 + 4 * 128],
    ['mlp.py', 669_706],
    ['resnet.py', resnet],
    ['kerasSequential.py', 41_866],
    ['kerasSubclassed.py', 269_322],
    ['kerasFunctional.py', 43_562],
    ['blocks.py', 19_594],
  ])('%s has as many parameters as in Python', async (name, params) => {
    expect((await build(name)).params).toBe(params);
  });
});
