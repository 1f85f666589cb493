import { afterAll, expect, it } from 'vitest';
import { findEngine } from '../../src/engine/registry';
import { selfTest } from '../../src/engine/selfTest';
import * as tf from '../../src/engine/tf';
import { useSoftwareGpu } from '../support/softwareGpu';
import { layerCases } from './layerCases';
import { gradientsOn, relativeError, worstError } from './support';
import { networks, steady, train } from './trainNetworks';

useSoftwareGpu();
afterAll(() => tf.setBackend('cpu'));

/** ONNX Runtime's WebGPU, on a graphics device in software where one is (docs/engines.md). */
it('onnxruntime-webgpu has the gradients of every layer, where it is', async ({ skip }) => {
  const provider = findEngine('onnxruntime-webgpu');
  const status = await provider.probe();
  if (!status.available) skip(status.missing);
  expect(await selfTest(provider)).toBeNull();
  const wrong: string[] = [];
  for (const spec of layerCases) {
    const reference = await gradientsOn(await findEngine('cpu').load(), spec);
    const error = await gradientsOn(await provider.load(), spec).then(
      (found) => worstError(found, reference),
      (thrown: unknown) => String(thrown).slice(0, 150),
    );
    await tf.setBackend('cpu');
    if (typeof error === 'string' || error > 1e-4) wrong.push(`${spec.name}: ${error}`);
  }
  expect(wrong).toEqual([]);
  for (const network of networks) {
    const expected = await train(await findEngine('cpu').load(), network, tf.train.sgd(1), steady(0.1));
    const found = await train(await provider.load(), network, tf.train.sgd(1), steady(0.1));
    expect(relativeError(found.losses, expected.losses), network.name).toBeLessThan(1e-3);
    expect(worstError(found.weights, expected.weights), network.name).toBeLessThan(1e-3);
  }
}, 600_000);
