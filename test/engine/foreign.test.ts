import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as tf from '../../src/engine/tf';
import type { Engine, EngineStatus } from '../../src/engine/engine';
import { findEngine } from '../../src/engine/registry';
import { selfTest } from '../../src/engine/selfTest';
import { layerCases } from './layerCases';
import { gradientsOn, worstError } from './support';

/**
 * Engines of the user's project. They are tested where `SHRINKNETS_ENGINES` names a folder that has them
 * (docs/engines.md says how to make one); elsewhere only what they say of themselves.
 */
describe.each(['tfjs-node', 'tfjs-node-gpu', 'webgpu'])('%s', (name) => {
  const provider = findEngine(name);
  let status: EngineStatus;
  beforeAll(async () => {
    status = await provider.probe();
  });
  afterAll(() => tf.setBackend('cpu'));

  it('says what it is, or what is missing and how to get it', async () => {
    if (status.available) {
      expect(status.description).toMatchObject({ name, version: expect.stringMatching(/^\d+\./u) as string });
      return;
    }
    expect(status.name).toBe(name);
    expect(status.missing).not.toBe('');
    await expect(provider.load()).rejects.toThrow(`The engine ${name} cannot be used: ${status.missing}.`);
  });

  it('passes the self-test and trains every layer, where it is', async ({ skip }) => {
    if (!status.available) skip(status.missing);
    expect(await selfTest(provider)).toBeNull();
    const cpu: Engine = await findEngine('cpu').load();
    const wrong: string[] = [];
    for (const spec of layerCases) {
      const reference = await gradientsOn(cpu, spec);
      const engine = await provider.load();
      const error = await gradientsOn(engine, spec).then(
        (found) => worstError(found, reference),
        (thrown: unknown) => String(thrown).slice(0, 150),
      );
      await tf.setBackend('cpu');
      if (typeof error === 'string' || error > 1e-4) wrong.push(`${spec.name}: ${error}`);
    }
    expect(wrong).toEqual([]);
  }, 600_000);
});
