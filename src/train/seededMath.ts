import { seededRandom } from '../core/random';

/**
 * Runs `work` with a seeded `Math.random`. TensorFlow.js draws the seeds of dropout masks, noise and initial weights
 * from `Math.random`, and offers no other way in; `work` is synchronous, so that nothing else sees the replacement.
 */
export function withSeededMath<T>(seed: number, work: () => T): T {
  const before = Math.random;
  Math.random = seededRandom(seed);
  try {
    return work();
  } finally {
    Math.random = before;
  }
}
