import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as tf from '../../src/engine/tf';
import type { Engine, EngineStatus } from '../../src/engine/engine';
import { findEngine } from '../../src/engine/registry';
import { selfTest } from '../../src/engine/selfTest';
import { useSoftwareGpu } from '../support/softwareGpu';
import { layerCases } from './layerCases';
import { gradientsOn, relativeError, worstError } from './support';
import { networks, steady, train } from './trainNetworks';

useSoftwareGpu();

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
    const how = status.install === null ? '' : ` Get it with: ${status.install}.`;
    await expect(provider.load()).rejects.toThrow(
      `The engine ${name} cannot be used: ${status.missing}.${how} --engine auto takes the fastest`,
    );
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

  it.each(networks.map((network) => ({ network, title: network.name })))(
    'trains a $title network for 20 steps as cpu does, where it is',
    async ({ network }) => {
      // Said by the test before.
      if (!status.available) return;
      const expected = await train(await findEngine('cpu').load(), network, tf.train.sgd(1), steady(0.1));
      const found = await train(await provider.load(), network, tf.train.sgd(1), steady(0.1));
      expect(expected.losses.at(-1)).toBeLessThan(expected.losses[0] ?? 0);
      expect(relativeError(found.losses, expected.losses)).toBeLessThan(1e-3);
      expect(worstError(found.weights, expected.weights)).toBeLessThan(1e-3);
    },
    300_000,
  );
});
