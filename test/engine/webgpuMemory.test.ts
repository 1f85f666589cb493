import { afterAll, expect, it } from 'vitest';
import { findEngine } from '../../src/engine/registry';
import * as tf from '../../src/engine/tf';
import { useSoftwareGpu } from '../support/softwareGpu';

useSoftwareGpu();
afterAll(() => tf.setBackend('cpu'));

interface GpuMemory extends tf.MemoryInfo {
  readonly numBytesInGPU: number;
  readonly numBytesAllocatedInGPU: number;
}

it('webgpu keeps no memory of steps whose shapes are gone, where it is', async ({ skip }) => {
  const provider = findEngine('webgpu');
  const status = await provider.probe();
  if (!status.available) skip(status.missing);
  const engine = await provider.load();
  const weights = tf.variable(tf.ones([64, 1]));
  const unused: number[] = [];
  for (let rows = 1000; rows < 1008; rows += 1) {
    const step = await engine.compile(
      ([x]) => [tf.sum(tf.relu(tf.mul(x as tf.Tensor, 2))), tf.sum(tf.matMul(x as tf.Tensor2D, weights))],
      [weights],
      [{ shape: [rows, 64], dtype: 'float32' }],
      [],
    );
    const { numBytesInGPU, numBytesAllocatedInGPU } = tf.memory() as GpuMemory;
    unused.push(numBytesAllocatedInGPU - numBytesInGPU);
    // Twice, so that the second finds buffers of the first.
    for (let time = 0; time < 2; time += 1) {
      const [doubled, sum] = await step.run([new Float32Array(rows * 64).fill(1)], {});
      expect([doubled?.[0], sum?.[0]]).toEqual([2 * 64 * rows, 64 * rows]);
    }
  }
  weights.dispose();
  expect(Math.max(...unused)).toBeLessThan(1e5);
}, 120_000);
