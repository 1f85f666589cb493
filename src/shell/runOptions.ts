import type { TrainOptions } from '../core/options';
import { resolveOptions } from '../core/parseOptions';
import type { Plan } from '../core/plan';
import { isUsable } from '../core/sourceOptions';

/** One source of options; it names itself for messages. */
export type OptionLayer = Parameters<typeof resolveOptions>[0][number];

/**
 * The options of a run: what the source's training code says counts more than the defaults and less than everything
 * else. Those of its values that cannot be used here (a name, say) are left out: nobody wrote them for ShrinkNets.
 *
 * @param layers from weakest to strongest
 * @throws ShrinkError `bad-option` or `unknown-option`
 */
export function resolveRunOptions(plan: Plan, layers: readonly OptionLayer[]): TrainOptions {
  const source: Record<string, string> = {};
  for (const [key, text] of Object.entries(plan.sourceOptions ?? {}))
    if (isUsable(key, text)) source[key] = text;
  return resolveOptions([{ name: (key) => `${plan.file}: ${key}`, values: source }, ...layers]);
}
