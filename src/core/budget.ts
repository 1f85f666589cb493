import type { Analysis } from './analysis';
import { legalSteps, type LimitsOf } from './constraints';
import { marginalCosts, totalCost, type Alive, type CostModel } from './cost';
import type { Size } from './options';

/**
 * The budget path of RECIPE.md: a schedule on size instead of a λ. One run passes through every requested size; at
 * each the network is kept and finished.
 */

/** Share of the trunk that runs at full size before anything is removed. */
export const HOLD = 0.2;
/** Factor by which a marked channel's switch falls each step. */
export const FADE = 0.86;
/** Strength of the implied penalty: λ = KAPPA · √τ. */
export const KAPPA = 0.3;
/** Steps between two removals; a marked channel has then faded to 0.86²³ ≈ 3 %. */
export const REMOVAL_STEPS = 23;
/** Forgetting factor of the Fisher score, and the weight of a new observation. */
export const SCORE_KEEP = 0.99;

/**
 * The size to be at after `step` of `steps`: S0 · (Smin / S0)^clip((t/T − 0.2) / 0.8, 0, 1).
 *
 * @param start size at the beginning, in units of cost
 * @param end smallest size asked for
 */
export function scheduledSize(step: number, steps: number, start: number, end: number): number {
  const progress = Math.min(1, Math.max(0, (step / steps - HOLD) / (1 - HOLD)));
  return start * (end / start) ** progress;
}

/**
 * The step at which {@link scheduledSize} passes a size.
 *
 * @param share of the starting size, under 1; `smallest` is the last one's
 */
export function stepOfSize(share: number, steps: number, smallest: number): number {
  return steps * (HOLD + (1 - HOLD) * Math.min(1, Math.log(share) / Math.log(smallest)));
}

export interface Marks {
  /** Classes that fade from now on and are removed next time. */
  readonly classes: readonly number[];
  /** τ, the score per cost of the last one marked; 0 when none was. */
  readonly tau: number;
}

/**
 * Marks channels in increasing score per marginal cost until the sum of their costs brings the size to `target`. Where
 * a layer loses several at a time, a group's rate is the sum of its scores per the sum of its costs.
 *
 * @param model what the size is counted in
 * @param weighed what scores are divided by
 * @param scores Fisher score by class
 * @param atMost size that what is left must not be over, if limits allow it: the sum says too much where neighbours
 *   go together
 */
export function markChannels(
  analysis: Analysis,
  model: CostModel,
  weighed: CostModel,
  alive: Alive,
  scores: Float64Array,
  target: number,
  limitsOf: LimitsOf,
  atMost = Number.POSITIVE_INFINITY,
): Marks {
  const size = totalCost(model, alive);
  if (size <= target) return { classes: [], tau: 0 };
  const costs = marginalCosts(model, alive);
  const weights = weighed === model ? costs : marginalCosts(weighed, alive);
  const sumOf = (values: Float64Array, step: readonly number[]): number =>
    step.reduce((sum, c) => sum + (values[c] ?? 0), 0);
  const rateOf = (step: readonly number[]): number => sumOf(scores, step) / sumOf(weights, step);
  const steps = legalSteps(analysis, alive, rankByScorePerCost(analysis, alive, scores, weights), limitsOf);
  // Single channels are in order already; the rank of a group is not that of its last channel.
  if (steps.some(({ length }) => length > 1)) steps.sort((a, b) => rateOf(a) - rateOf(b));
  const left = Uint8Array.from(alive);
  const chosen: (readonly number[])[] = [];
  const take = (excess: number): void => {
    let sum = 0;
    while (sum < excess && chosen.length < steps.length) {
      const step = steps[chosen.length] ?? [];
      for (const c of step) left[c] = 0;
      sum += sumOf(costs, step);
      chosen.push(step);
    }
  };
  take(size - target);
  if (atMost < size)
    for (
      let over = totalCost(model, left) - atMost;
      over > 0 && chosen.length < steps.length;
      over = totalCost(model, left) - atMost
    )
      take(over);
  const last = chosen.at(-1);
  return { classes: chosen.flat(), tau: last === undefined ? 0 : rateOf(last) };
}

/** Living classes that have a switch, weakest per cost first. */
export function rankByScorePerCost(
  analysis: Analysis,
  alive: Alive,
  scores: Float64Array,
  costs: Float64Array,
): number[] {
  const living = analysis.hubs.flatMap((hub) => [...hub.classes.filter((c) => alive[c] === 1)]);
  const rates = scores.map((score, c) => score / (costs[c] ?? 1));
  return living.sort((a, b) => (rates[a] ?? 0) - (rates[b] ?? 0) || a - b);
}

/**
 * The requested sizes in units of cost, largest first, without those the network is already under.
 *
 * @param start the starting size
 */
export function budgetsInUnits(sizes: readonly Size[], start: number): number[] {
  const units = sizes.map((size) => (size.unit === 'percent' ? (size.value / 100) * start : size.value));
  return [...new Set(units)].filter((size) => size < start).sort((a, b) => b - a);
}
