import type { TrainOptions } from './options';
import type { Plan } from './plan';

/**
 * What a run took from the source's own training code, as a note.
 *
 * @returns undefined if nothing was taken: there is nothing, or hints, flags or settings say otherwise
 */
export function describeSourceOptions(
  plan: Pick<Plan, 'sourceOptions'>,
  options: TrainOptions,
): string | undefined {
  const taken = Object.entries(plan.sourceOptions ?? {}).filter(([key, text]) => {
    const used = options[key as keyof TrainOptions];
    return typeof used === 'number' ? used === Number(text) : used === text;
  });
  if (taken.length === 0) return undefined;
  return `taken from the source: ${taken.map(([key, text]) => `${key} ${text}`).join(', ')}`;
}
