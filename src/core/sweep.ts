import { badInput } from './errors';

/** A sweep: one model trained with one λ after the other, each in a run of its own. */

/** Which trial of which sweep a run is. Every run of a sweep knows all of it, so that the next can follow by itself. */
export interface SweepPlace {
  /** Name of the sweep: that of its runs without their numbers. */
  readonly id: string;
  /** 0-based index into `lambdas`. */
  readonly trial: number;
  readonly lambdas: readonly number[];
}

/** What is tried if nobody says otherwise: around the default of the option, each twice as strong as the one before. */
export const DEFAULT_LAMBDAS = '0.001, 0.002, 0.004, 0.008, 0.016';

const MOST_TRIALS = 100;

/**
 * Reads a list of λ, smallest first.
 *
 * @param text numbers above 0, separated by commas
 * @throws ShrinkError `bad-option`, saying what is allowed
 */
export function parseLambdas(text: string, shown: string): number[] {
  const parts = text.split(',').map((part) => part.trim());
  const values = parts.map((part) => (part === '' ? Number.NaN : Number(part)));
  const bad = parts.find((_, i) => !(Number.isFinite(values[i]) && (values[i] ?? 0) > 0));
  if (bad !== undefined)
    throw badInput(
      'bad-option',
      `${shown} has ${JSON.stringify(bad)}; give numbers above 0 with commas, e.g. ${DEFAULT_LAMBDAS}.`,
    );
  const distinct = [...new Set(values)].sort((a, b) => a - b);
  if (distinct.length < 2 || distinct.length > MOST_TRIALS)
    throw badInput(
      'bad-option',
      `${shown} has ${distinct.length} different values; a sweep takes 2 to ${MOST_TRIALS}.`,
    );
  return distinct;
}

/** Index of the next trial; undefined after the last. */
export function nextTrialOf(place: SweepPlace): number | undefined {
  return place.trial + 1 < place.lambdas.length ? place.trial + 1 : undefined;
}

/** A network by what it costs and how good it is. */
export interface Rated {
  readonly params: number;
  /** Accuracy, or minus the loss. */
  readonly goodness: number;
}

/** Which ones no other beats: none is as small and better, or as good and smaller. @returns indices in their order */
export function paretoFront(rated: readonly Rated[]): number[] {
  const beats = (a: Rated, b: Rated): boolean =>
    a.params <= b.params && a.goodness >= b.goodness && (a.params < b.params || a.goodness > b.goodness);
  return rated.flatMap((each, i) => (rated.some((other) => beats(other, each)) ? [] : [i]));
}
