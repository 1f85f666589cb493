import { expect, it } from 'vitest';
import * as tf from '../../src/engine/tf';
import { findEngine } from '../../src/engine/registry';

// In a file of its own: a WebAssembly memory that was full is of no use afterwards.
it('wasm that runs out of memory is named', async () => {
  const engine = await findEngine('wasm').load();
  const step = await engine.compile(
    // 4.8 GB, more than a WebAssembly memory can be.
    ([x]) => [tf.sum(tf.mul(tf.fill([40_000, 30_000], 2), x as tf.Tensor))],
    [],
    [{ shape: [1], dtype: 'float32' }],
    [],
  );
  const attempt = step.run([Float32Array.of(1)], {});
  await expect(attempt).rejects.toMatchObject({ kind: 'environment', code: 'engine-failed' });
  await expect(attempt).rejects.toThrow(/^The engine wasm failed in a step: /u);
});
