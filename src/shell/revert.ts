import { badInput } from '../core/errors';
import type { ResultEvent } from '../core/events';
import type { Plan } from '../core/plan';
import { planEdits, type SourceReading } from '../language';
import { changesOf } from './changesOf';
import { emissionOfEdits, type Emission } from './emission';
import { allSizes, hasWidths, learnedBySite } from './results';

/**
 * Plans the edits that put the widths from before training back, wherever the learned ones stand now: those of the size
 * that the source has, or else of the chosen one.
 *
 * @throws ShrinkError `nothing-to-revert` or `edit-refused`
 */
export function planRevert(reading: SourceReading, plan: Plan, result: ResultEvent): Emission {
  const model = reading.models.find((candidate) => candidate.name === plan.model);
  if (model?.sites.length !== plan.sites.length)
    throw badInput(
      'source-changed',
      `${plan.file}: the layers of ${plan.model} changed since the run; undo the changes or edit the widths by hand.`,
    );
  const sizes = allSizes(result).map(learnedBySite);
  const learned = sizes.find((widths) => hasWidths(model.sites, widths)) ?? learnedBySite(result);
  const before: Record<number, number> = {};
  for (const site of plan.sites) {
    const now = model.sites[site.id]?.width;
    if (site.width === undefined || now === undefined) continue;
    before[site.id] = now === learned[site.id] ? site.width : now;
  }
  const emission = emissionOfEdits(reading, planEdits(reading, plan.model, before), '');
  if (changesOf(emission).length === 0)
    throw badInput('nothing-to-revert', `${plan.file} does not have the widths that this run learned.`);
  return emission;
}
