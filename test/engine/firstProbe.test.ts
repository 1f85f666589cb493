import { expect, it } from 'vitest';
import '../../src/engine/tf';
import { ONNX_GPUS } from '../../src/engine/onnx/devices';
import { findEngine, listEngines } from '../../src/engine/registry';

// In a file of its own: no backend may have been active before.
it('engines are listed before any was loaded', async () => {
  expect(await findEngine('onnxruntime').probe()).toMatchObject({ available: true });
  for (const status of await listEngines())
    if (!status.available && ONNX_GPUS.some(({ engine }) => engine === status.name))
      expect(status.missing).not.toMatch(/undefined/u);
});
