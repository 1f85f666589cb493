import { describe, expect, it } from 'vitest';
import { firstStatistics, observe, type RemovalSettings } from '../../src/core/removal';

/** Steps from a sign flip that stays to death; undefined when it lives on for 1000 steps. */
function stepsToDeath(settings: RemovalSettings, betas: (step: number) => number): number | undefined {
  let statistics = firstStatistics(1);
  for (let step = 1; step <= 1000; step += 1) {
    const seen = observe(settings, betas(step), statistics);
    statistics = seen.statistics;
    if (seen.dead) return step;
  }
  return undefined;
}

const variance = (gamma: number): RemovalSettings => ({ strategy: 'sign-variance', gamma, threshold: 0.5 });

describe('sign variance', () => {
  // PAPER.md §3.
  it.each([
    [0, 1],
    [0.5, 1],
    [0.9, 2],
    [0.95, 3],
    [0.99, 16],
    [0.999, 159],
  ])('with γ = %d a sign flip that stays kills after %d steps', (gamma, steps) => {
    expect(stepsToDeath(variance(gamma), () => -0.3)).toBe(steps);
  });

  it.each([
    [0, 1],
    [0.5, 1],
    [0.9, undefined],
    [0.95, undefined],
    [0.99, undefined],
  ])('with γ = %d a flip of one step kills after %s', (gamma, steps) => {
    expect(stepsToDeath(variance(gamma), (step) => (step === 1 ? -0.3 : 0.3))).toBe(steps);
  });

  it('lets a channel that was born negative live', () => {
    expect(observe(variance(0), -0.5, firstStatistics(-0.5)).dead).toBe(false);
  });
});

describe('the other strategies', () => {
  const dead = (settings: Partial<RemovalSettings>, beta: number, born = 1): boolean =>
    observe({ strategy: 'relu', gamma: 0.9, threshold: 0.1, ...settings }, beta, firstStatistics(born)).dead;

  it('relu kills at zero and below', () => {
    expect([0.01, 0, -0.01].map((beta) => dead({ strategy: 'relu' }, beta))).toEqual([false, true, true]);
  });
  it('threshold kills what is small, of either sign', () => {
    expect([0.2, 0.05, -0.05, -0.2].map((beta) => dead({ strategy: 'threshold' }, beta))).toEqual([
      false,
      true,
      true,
      false,
    ]);
  });
  it('sign change kills at the first other sign', () => {
    expect(dead({ strategy: 'sign-change' }, 0.1, 1)).toBe(false);
    expect(dead({ strategy: 'sign-change' }, -0.1, 1)).toBe(true);
    expect(dead({ strategy: 'sign-change' }, -0.1, -1)).toBe(false);
  });
  it('randomized drops with probability v / t until it kills', () => {
    const settings: RemovalSettings = { strategy: 'randomized', gamma: 0.99, threshold: 0.5 };
    const seen = observe(settings, -0.3, firstStatistics(1));
    expect(seen.statistics.variance).toBeCloseTo(0.04, 10);
    expect(seen.dropProbability).toBeCloseTo(0.08, 10);
    expect(seen.dead).toBe(false);
  });
});
