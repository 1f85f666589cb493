/**
 * Recognises tensors of random numbers. TensorFlow.js fills them on the host, so that a trace sees only constants, and
 * a dropout mask would be frozen into the graph. The generator's seed is known (random.ts), so the same numbers can
 * be drawn again and compared: a constant that is `offset + scale * draw` becomes an input, drawn anew each step.
 */
import { alea } from 'seedrandom';

export interface Draw {
  readonly kind: 'uniform' | 'normal';
  /** Least value, or mean. */
  readonly offset: number;
  /** Largest minus least value, or standard deviation. */
  readonly scale: number;
}

/** Endless numbers of a distribution in its standard form, from the generator that TensorFlow.js makes of a seed. */
function standardDraws(kind: Draw['kind'], seed: number): () => number {
  const random = alea(seed.toString());
  if (kind === 'uniform') return random;
  let spare: number | null = null;
  // Marsaglia's polar method, step by step as tfjs-core's MPRandGauss does it, or the numbers would differ.
  return () => {
    if (spare !== null) {
      const value = spare;
      spare = null;
      return value;
    }
    let first: number;
    let second: number;
    let square: number;
    do {
      first = 2 * random() - 1;
      second = 2 * random() - 1;
      square = first * first + second * second;
    } while (square >= 1 || square === 0);
    const factor = Math.sqrt((-2 * Math.log(square)) / square);
    spare = second * factor;
    return first * factor;
  };
}

/** How many values are compared; a chance agreement of so many is out of the question. */
const COMPARED = 64;

function fits(kind: Draw['kind'], seed: number, values: ArrayLike<number>): Draw | null {
  const next = standardDraws(kind, seed);
  const draws = Array.from({ length: Math.min(values.length, COMPARED) }, next);
  const [a = 0, b = 0] = draws;
  // Two values give offset and scale; with fewer than three there is nothing to check them by, so only the
  // standard form is believed.
  const scale = draws.length > 2 ? ((values[1] ?? 0) - (values[0] ?? 0)) / (b - a) : 1;
  const offset = draws.length > 2 ? (values[0] ?? 0) - scale * a : 0;
  const tolerance = 1e-5 * (Math.abs(scale) + Math.abs(offset));
  const agrees = draws.every((draw, i) => Math.abs(offset + scale * draw - (values[i] ?? 0)) <= tolerance);
  return agrees && scale !== 0 ? { kind, offset: tidyUp(offset), scale: tidyUp(scale) } : null;
}

/** The numbers are found from single precision values; what they were written as is round. */
function tidyUp(value: number): number {
  const rounded = Number(value.toPrecision(4));
  return Math.abs(rounded - value) < 2e-5 ? rounded : value;
}

/** The distribution that the values were drawn from with this seed, or null. */
export function recogniseDraw(seed: number, values: ArrayLike<number>): Draw | null {
  return fits('uniform', seed, values) ?? fits('normal', seed, values);
}

/**
 * The first of the seeds whose first normal number lies beyond two standard deviations: a truncated normal
 * distribution leaves that number out, so that it cannot be taken for a whole one.
 */
export function revealingSeed(next: () => number): number {
  for (;;) {
    const seed = next();
    if (Math.abs(standardDraws('normal', seed)()) > 2.01) return seed;
  }
}

/** Fills a tensor as TensorFlow.js would with this seed. */
export function drawInto(target: Float32Array, draw: Draw, seed: number): void {
  const next = standardDraws(draw.kind, seed);
  for (let i = 0; i < target.length; i += 1) target[i] = draw.offset + draw.scale * next();
}
