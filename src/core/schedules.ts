import type { TrainOptions } from './options';

/** Share of the trunk in which a warm-up brings λ to its value. */
const WARM_UP = 0.25;
/** A ramp begins at this share of λ and rises geometrically. */
const RAMP_START = 0.01;

/**
 * The factor that λ is multiplied by at a step.
 *
 * @param progress share of the trunk that is done, 0..1
 */
export function lambdaFactor(schedule: TrainOptions['lambdaSchedule'], progress: number): number {
  switch (schedule) {
    case 'constant':
      return 1;
    case 'warmup':
      return Math.min(1, progress / WARM_UP);
    case 'ramp':
      return RAMP_START ** (1 - Math.min(1, progress));
  }
}

/** Epochs without a better validation after which the learning rate falls, and by what (PAPER.md §6). */
const PATIENCE = 5;
const FALL = 0.1;

/** What a falling learning rate remembers. */
export interface Plateau {
  readonly factor: number;
  readonly best: number;
  /** Epochs since the best. */
  readonly waiting: number;
}

export const NO_PLATEAU: Plateau = { factor: 1, best: Number.NEGATIVE_INFINITY, waiting: 0 };

/** The learning rate under which training is over (PAPER.md §6). */
export const SMALLEST_RATE = 1e-7;

/** @param quality of an epoch's validation, larger is better */
export function afterEpoch(plateau: Plateau, quality: number): Plateau {
  if (quality > plateau.best) return { ...plateau, best: quality, waiting: 0 };
  if (plateau.waiting + 1 < PATIENCE) return { ...plateau, waiting: plateau.waiting + 1 };
  return { factor: plateau.factor * FALL, best: plateau.best, waiting: 0 };
}
