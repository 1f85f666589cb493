/**
 * Where a step's random numbers come from (dropout, noise). TensorFlow.js seeds a generator from `Math.random()` for
 * each tensor that it fills; while a step runs, that call answers with the next number of a seeded stream. So runs
 * repeat, resume exactly, and every engine draws the same numbers.
 */
import { seededRandom } from '../core/random';
import type { StepScalars } from './engine';

/** A scalar of this name seeds the random numbers of its step: a whole number, another one each step. */
export const RANDOM_SEED = 'randomSeed';

let stream = seededRandom(1);

/** Starts the stream of steps without a scalar `randomSeed`. */
export function seedSteps(seed: number): void {
  stream = seededRandom(seed);
}

/** The stream of one step. */
export function seedsOf(scalars: StepScalars): () => number {
  const seed = scalars[RANDOM_SEED];
  return seed === undefined ? stream : seededRandom(seed);
}

/**
 * Runs synchronous code in which `Math.random()` answers from `next`, whatever the code itself puts in its place: a
 * traced step must not freeze numbers of its own.
 */
export function withSeeds<T>(next: () => number, run: () => T): T {
  const original = Object.getOwnPropertyDescriptor(Math, 'random');
  Object.defineProperty(Math, 'random', { configurable: true, get: () => next, set: () => undefined });
  try {
    return run();
  } finally {
    if (original !== undefined) Object.defineProperty(Math, 'random', original);
  }
}
