/**
 * Where a step's random numbers come from (dropout, noise). TensorFlow.js seeds a generator from `Math.random()` for
 * each tensor that it fills; while a step runs, that call answers with the next number of one seeded stream. So runs
 * repeat, a checkpoint can hold the stream's state, and every engine draws the same numbers.
 */

let state = 1;

/** Starts the stream. @param seed any integer */
export function seedSteps(seed: number): void {
  state = seed >>> 0;
}

/** The stream's state, an unsigned 32-bit integer, for a checkpoint. */
export function stepRandomState(): number {
  return state;
}

/** Goes on from a state that {@link stepRandomState} gave. */
export function restoreStepRandom(saved: number): void {
  state = saved >>> 0;
}

/** The next number of the stream, in (0, 1): mulberry32 (Tommy Ettinger, public domain). */
export function nextSeed(): number {
  state = (state + 0x6d2b79f5) >>> 0;
  let mixed = Math.imul(state ^ (state >>> 15), state | 1);
  mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
  // Never 0, which TensorFlow.js takes for no seed at all.
  return (((mixed ^ (mixed >>> 14)) >>> 0) + 0.5) / 4294967296;
}

/** Runs synchronous code in which `Math.random()` answers from `next`. */
export function withSeeds<T>(next: () => number, run: () => T): T {
  const original = Math.random;
  Math.random = next;
  try {
    return run();
  } finally {
    Math.random = original;
  }
}
