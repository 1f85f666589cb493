import type { TrainOptions } from './options';
import { resolveOptions } from './parseOptions';
import type { Plan } from './plan';

/**
 * What a run took from the source's own training code, as a note.
 *
 * @param compiled what a model that was run is compiled with, as text by option key
 * @returns undefined if nothing was taken: there is nothing, or hints, flags or settings say otherwise
 */
export function describeSourceOptions(
  plan: Pick<Plan, 'sourceOptions'>,
  options: TrainOptions,
  compiled: Readonly<Record<string, string>> = {},
): string | undefined {
  const fromText = Object.entries(plan.sourceOptions ?? {}).filter(([key, text]) => {
    const used = options[key as keyof TrainOptions];
    return typeof used === 'number' ? used === Number(text) : used === text;
  });
  const run = Object.entries(compiled).filter(([key]) => options[key as keyof TrainOptions] === undefined);
  const taken = [...run, ...fromText];
  if (taken.length === 0) return undefined;
  return `taken from the source: ${taken.map(([key, text]) => `${key} ${text}`).join(', ')}`;
}

/** Whether a value that a source has for itself can be used here: nobody wrote it for ShrinkNets. */
export function isUsable(key: string, text: string): boolean {
  try {
    resolveOptions([{ name: () => key, values: { [key]: text } }]);
    return true;
  } catch {
    return false;
  }
}

/** What of the source's own training code cannot be used, where nothing else gives it, as a note. */
export function describeLeftOut(
  { sourceOptions = {} }: Pick<Plan, 'sourceOptions'>,
  options: TrainOptions,
): string | undefined {
  const left = Object.entries(sourceOptions).filter(
    ([key, text]) => options[key as keyof TrainOptions] === undefined && !isUsable(key, text),
  );
  if (left.length === 0) return undefined;
  const keys = left.map(([key]) => `${key}=`).join(' and ');
  return `not known here and not taken from the source: ${left.map(([key, text]) => `${key} ${text}`).join(', ')}; ${keys} in the hint gives another`;
}
