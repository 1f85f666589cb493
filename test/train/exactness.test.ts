import fc from 'fast-check';
import { beforeAll, describe, it, expect } from 'vitest';
import type { Engine } from '../../src/engine/engine';
import { findEngine } from '../../src/engine/registry';
import * as tf from '../../src/engine/tf';
import { expectSameAnswers, expectSameSteps, maskModel } from '../support/masked';
import { drawModel, modelSeeds } from '../support/randomModels';
import { OPTIMIZERS } from '../support/smallNet';

let engine: Engine;

beforeAll(async () => {
  engine = await findEngine('wasm').load();
});

/** A random model, filtered, with random switches of which a random part is dead. */
async function drawMasked(seed: number) {
  const { model, inputShapes, outputs } = drawModel(seed);
  return { ...(await maskModel(model, inputShapes, seed)), outputs };
}

describe('removing dead channels', () => {
  it('leaves the output of 300 random graphs as it was, and folding does', async () => {
    let removed = 0;
    await fc.assert(
      fc.asyncProperty(modelSeeds, async (seed) => {
        const before = tf.memory().numTensors;
        const masked = await drawMasked(seed);
        removed += await expectSameAnswers(masked);
        masked.network.dispose();
        // Layers that are used more than once included.
        expect(tf.memory().numTensors).toBe(before);
      }),
      { numRuns: 300, seed: 20261122 },
    );
    // The property says nothing if hardly anything was dead.
    expect(removed).toBeGreaterThan(300);
  }, 240_000);

  it.each(OPTIMIZERS.map((name, index) => ({ name, index })))(
    'leaves the next five steps as they were: $name',
    async ({ name, index }) => {
      let compared = 0;
      await fc.assert(
        fc.asyncProperty(modelSeeds, async (seed) => {
          const masked = await drawMasked(seed);
          compared += (await expectSameSteps(engine, masked, name, masked.outputs)) ? 1 : 0;
          masked.network.dispose();
        }),
        // Other graphs for each optimizer: more than 300 together.
        { numRuns: 45, seed: 7 + index },
      );
      expect(compared).toBeGreaterThanOrEqual(38);
    },
    120_000,
  );

  it('does so on onnxruntime', async () => {
    let compared = 0;
    const onnx = await findEngine('onnxruntime').load();
    await fc.assert(
      fc.asyncProperty(modelSeeds, async (seed) => {
        const masked = await drawMasked(seed);
        compared += (await expectSameSteps(onnx, masked, 'momentum', masked.outputs)) ? 1 : 0;
        masked.network.dispose();
      }),
      { numRuns: 45, seed: 71 },
    );
    expect(compared).toBeGreaterThanOrEqual(38);
  }, 240_000);
});
