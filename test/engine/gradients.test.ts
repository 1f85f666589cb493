import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as tf from '../../src/engine/tf';
import type { Engine } from '../../src/engine/engine';
import { findEngine } from '../../src/engine/registry';
import { layerCases } from './layerCases';
import { gradientsOn, worstError } from './support';

describe.each(['wasm', 'onnxruntime'])('gradients of %s against cpu', (name) => {
  let engine: Engine;
  let cpu: Engine;
  beforeAll(async () => {
    engine = await findEngine(name).load();
    cpu = await findEngine('cpu').load();
  });
  afterAll(() => tf.setBackend('cpu'));

  it.each(layerCases.map((spec) => ({ spec, name: spec.name })))('$name', async ({ spec }) => {
    const reference = await gradientsOn(cpu, spec);
    expect(worstError(await gradientsOn(engine, spec), reference)).toBeLessThan(1e-4);
  });
});
