/**
 * The removal strategies of PAPER.md §3: once per optimizer step, which channels are dead? One interface, on plain
 * numbers; `train/switchModes.ts` does the same on tensors, and a test holds the two together.
 */

export const STRATEGIES = ['relu', 'threshold', 'sign-change', 'sign-variance', 'randomized'] as const;
export type Strategy = (typeof STRATEGIES)[number];

/** A group is dead when all its weights are under this in absolute value (PAPER.md §6). */
export const DEAD_WEIGHT = 1e-3;

export interface RemovalSettings {
  readonly strategy: Strategy;
  /** Forgetting factor γ of the sign statistics, 0..1. */
  readonly gamma: number;
  /** t: least size of a switch (`threshold`), largest variance of its sign (`sign-variance`, `randomized`). */
  readonly threshold: number;
}

/** What a strategy remembers of one channel. */
export interface SignStatistics {
  /** Mean of the sign. */
  readonly mean: number;
  /** Variance of the sign. */
  readonly variance: number;
  /** Sign at the start. */
  readonly first: number;
}

/** Statistics of a new switch: the mean starts at the sign itself, or every channel born negative would die at once. */
export function firstStatistics(beta: number): SignStatistics {
  return { mean: Math.sign(beta), variance: 0, first: Math.sign(beta) };
}

/**
 * One step: d = sign(β) − m; v ← γ v + (1 − γ) d²; then m ← γ m + (1 − γ) sign(β).
 *
 * @returns the statistics after it, whether the channel is dead, and the probability with which it is dropped in the
 *   next step while it is not
 */
export function observe(
  settings: RemovalSettings,
  beta: number,
  statistics: SignStatistics,
): { readonly statistics: SignStatistics; readonly dead: boolean; readonly dropProbability: number } {
  const { strategy, gamma, threshold } = settings;
  const sign = Math.sign(beta);
  const off = sign - statistics.mean;
  const variance = gamma * statistics.variance + (1 - gamma) * off * off;
  const mean = gamma * statistics.mean + (1 - gamma) * sign;
  const next = { mean, variance, first: statistics.first };
  const dropProbability = strategy === 'randomized' ? Math.min(1, variance / threshold) : 0;
  switch (strategy) {
    case 'relu':
      return { statistics: next, dead: beta <= 0, dropProbability };
    case 'threshold':
      return { statistics: next, dead: Math.abs(beta) < threshold, dropProbability };
    case 'sign-change':
      return { statistics: next, dead: sign !== statistics.first, dropProbability };
    case 'sign-variance':
    case 'randomized':
      return { statistics: next, dead: variance > threshold, dropProbability };
  }
}
