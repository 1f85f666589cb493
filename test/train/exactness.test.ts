import fc from 'fast-check';
import { beforeAll, describe, it, expect } from 'vitest';
import type { Engine } from '../../src/engine/engine';
import { findEngine } from '../../src/engine/registry';
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
        const masked = await drawMasked(seed);
        removed += await expectSameAnswers(masked);
        masked.network.dispose();
      }),
      { numRuns: 300, seed: 20261122 },
    );
    // The property says nothing if hardly anything was dead.
    expect(removed).toBeGreaterThan(300);
  }, 240_000);

  it.each(OPTIMIZERS.map((name, index) => ({ name, index })))(
    'leaves the next five steps as they were: $name',
    async ({ name, index }) => {
      await fc.assert(
        fc.asyncProperty(modelSeeds, async (seed) => {
          const masked = await drawMasked(seed);
          await expectSameSteps(engine, masked, name, masked.outputs);
          masked.network.dispose();
        }),
        // Other graphs for each optimizer.
        { numRuns: 40, seed: 7 + index },
      );
    },
    120_000,
  );
});
