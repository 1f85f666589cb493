import { describe, expect, it } from 'vitest';
import type { Analysis } from '../../src/core/analysis';
import {
  classesThatStay,
  legalSteps,
  NO_LIMITS,
  startWithin,
  type LimitsOf,
  type WidthLimits,
} from '../../src/core/constraints';
import {
  BudgetController,
  LambdaController,
  OriginalController,
  type Decision,
} from '../../src/core/controller';
import { allAlive, costModel, totalCost } from '../../src/core/cost';
import { chain, limited, spliced, sum, widthsOf } from '../support/limitNets';

describe('the widths that a run starts with', () => {
  const startOf = (analysis: Analysis, limits: Record<string, Partial<WidthLimits>>) =>
    widthsOf(analysis, startWithin(analysis, limited(limits)));

  it('are a common multiple where layers are joined', () => {
    expect(startOf(sum(44, 3), { a: { multiple: 4 }, b: { multiple: 6 } })).toMatchObject({ a: 36, b: 36 });
    expect(startOf(sum(44, 3), { a: { max: 40 }, b: { multiple: 3 } })).toMatchObject({ a: 39, b: 39 });
    expect(startOf(spliced(9, 8), { a: { multiple: 4 }, b: { multiple: 3 } })).toMatchObject({ a: 8, b: 15 });
  });

  it('are refused by name where there are none', () => {
    expect(() => startOf(sum(12, 3), { a: { min: 6, multiple: 4 }, b: { multiple: 5 } })).toThrow(
      'No width fits a (12 channels, min=6, multiple=4) and b (12 channels, multiple=5) together',
    );
    expect(() => startOf(chain(12, 3), { a: { min: 5, max: 7, multiple: 8 } })).toThrow(
      'No width fits a (12 channels, min=5, max=7, multiple=8); change its @shrink hint.',
    );
    expect(() => startOf(chain(12, 3), { a: { min: 13 } })).toThrow('No width fits a (12 channels, min=13)');
  });
});

describe('what may go together', () => {
  it('is one channel, or a common multiple of those that share it', () => {
    const at = sum(24, 6);
    const limits = limited({ a: { multiple: 4, min: 5 }, b: { multiple: 6 } });
    const classes = at.hubs.flatMap((hub) => [...hub.classes]);
    const steps = legalSteps(at, allAlive(at), classes, limits);
    expect(steps.map(({ length }) => length).sort((a, b) => a - b)).toEqual([1, 1, 1, 1, 1, 12]);
    const left = allAlive(at);
    for (const c of steps.flat()) left[c] = 0;
    expect(widthsOf(at, left)).toMatchObject({ a: 12, b: 12, c: 1 });
    expect(classesThatStay(at, left, limits).size).toBe(13);
    expect(classesThatStay(at, allAlive(at), limits).size).toBe(0);
  });

  it('may be channels of several layers that only together are even', () => {
    const at = spliced(3, 3);
    const steps = legalSteps(
      at,
      allAlive(at),
      at.hubs.flatMap((hub) => [...hub.classes]).filter((_, i) => i % 3 < 2),
      limited({ b: { multiple: 4, min: 1 } }),
    );
    // From 6 to 4 is even.
    expect(steps.map(({ length }) => length)).toEqual([2]);
  });
});

const reading = (at: Analysis, beta: (c: number) => number, score: (c: number) => number = () => 1) => ({
  beta: Float64Array.from({ length: at.classCount }, (_, c) => beta(c)),
  score: Float64Array.from({ length: at.classCount }, (_, c) => score(c)),
  fading: new Float64Array(at.classCount),
});
const lengths = ({ dead }: Decision, at: Analysis): number[] =>
  at.hubs
    .filter((hub) => hub.classes.length > 0)
    .map((hub) => hub.classes.filter((c) => dead.includes(c)).length);

describe('mode lambda', () => {
  const decide = (at: Analysis, limits: LimitsOf, beta: (c: number) => number, step = 23): Decision =>
    new LambdaController(0.1, () => 0.1, limits, undefined, undefined, 230).decide(
      step,
      at,
      costModel(at, 'params'),
      allAlive(at),
      reading(at, beta, (c) => c),
    );

  it('lets a whole group go although it is more than a fifth of the size, and one at a time', () => {
    const at = chain(64, 64);
    const both = limited({ a: { multiple: 16 }, b: { multiple: 16 } });
    const { dead } = decide(at, both, () => 0);
    expect(dead).toHaveLength(16);
    expect(new Set(dead.map((c) => at.switchOf(c)?.hub.name)).size).toBe(1);
  });

  it('lets a single channel go that is dearer than the guard', () => {
    const at = chain(2, 2);
    expect(
      decide(
        at,
        () => NO_LIMITS,
        () => 0,
      ).dead,
    ).toHaveLength(1);
  });

  it('takes no more than a fifth otherwise, and at the end all that may go', () => {
    const at = chain(64, 64);
    const cost = costModel(at, 'params');
    const { dead } = decide(
      at,
      () => NO_LIMITS,
      () => 0,
    );
    const left = allAlive(at);
    for (const c of dead) left[c] = 0;
    expect(dead.length).toBeGreaterThan(1);
    expect(totalCost(cost, left)).toBeGreaterThanOrEqual(0.8 * totalCost(cost, allAlive(at)));
    expect(
      lengths(
        decide(
          at,
          () => NO_LIMITS,
          () => 0,
          230,
        ),
        at,
      ),
    ).toEqual([63, 63]);
  });

  it('keeps the strongest of a layer that wants to die alive, unpenalised, and says so', () => {
    const at = chain(16, 4);
    const [a] = at.hubs;
    const limits = limited({ a: { min: 3, multiple: 4 } });
    const decision = decide(at, limits, (c) => (a?.classes.includes(c) === true ? 0 : 1));
    const strongest = [...(a?.classes ?? [])].slice(-4);
    expect(decision.revived).toEqual(strongest);
    expect(strongest.map((c) => decision.threshold[c])).toEqual([0, 0, 0, 0]);
    // The guard holds this one back.
    expect(decision.dead).not.toContain(a?.classes[11]);
    expect(decision.threshold[a?.classes[11] ?? -1]).toBeGreaterThan(0);
    expect(decision.kept).toEqual({ a: 4 });
  });

  it('lets who waits for a group wait, until the end is near', () => {
    const at = chain(16, 4);
    const [a] = at.hubs;
    const zeros = new Set([...(a?.classes ?? [])].slice(0, 3));
    const limits = limited({ a: { multiple: 8 } });
    const early = decide(at, limits, (c) => (zeros.has(c) ? 0 : 1));
    expect([early.dead, early.revived, early.kept]).toEqual([[], [], {}]);
    expect(early.threshold[a?.classes[0] ?? -1]).toBeGreaterThan(0);
    const late = decide(at, limits, (c) => (zeros.has(c) ? 0 : 1), 184);
    expect(new Set(late.revived)).toEqual(zeros);
    expect([...(a?.classes ?? [])].map((c) => late.threshold[c])).toEqual(new Array(16).fill(0));
  });
});

describe('mode budget', () => {
  const decide = (at: Analysis, limits: LimitsOf, end: number, beta: (c: number) => number = () => 1) => {
    const model = costModel(at, 'params');
    const controller = new BudgetController(230, totalCost(model, allAlive(at)), end, limits, 1);
    return controller.decide(
      207,
      at,
      model,
      allAlive(at),
      reading(at, beta, (c) => (c * 7) % 13),
    );
  };

  it('does not penalise what min keeps, and revives it', () => {
    const at = chain(8, 8);
    const [a, b] = at.hubs;
    const decision = decide(at, limited({ a: { min: 8 } }), 110, (c) => (a?.classes[2] === c ? 0 : 1));
    expect([...(a?.classes ?? [])].map((c) => decision.threshold[c])).toEqual(new Array(8).fill(0));
    expect(decision.revived).toEqual([a?.classes[2]]);
    const lives = [...(b?.classes ?? [])].filter((c) => !decision.fading.includes(c));
    expect(lives.length).toBeGreaterThan(1);
    for (const c of lives) expect(decision.threshold[c]).toBeGreaterThan(0);
  });

  it('marks whole groups of the lowest score per cost, and no more of them than it takes', () => {
    const at = chain(128, 128);
    const model = costModel(at, 'params');
    const limits = limited({ a: { min: 16, multiple: 8 }, b: { min: 16, multiple: 8 } });
    const scores = reading(
      at,
      () => 1,
      (c) => (at.hubs[0]?.classes.includes(c) === true ? 2 : 1),
    );
    const full = totalCost(model, allAlive(at));
    const end = full * 0.9;
    const { fading } = new BudgetController(230, full, end, limits).decide(
      207,
      at,
      model,
      allAlive(at),
      scores,
    );
    const left = allAlive(at);
    for (const c of fading) left[c] = 0;
    expect(widthsOf(at, left)).toMatchObject({ a: 128, b: 112 });
    expect(totalCost(model, left)).toBeLessThanOrEqual(end);
  });

  it('comes down to what it can reach with the last that it marks', () => {
    for (const limits of [() => NO_LIMITS, limited({ a: { multiple: 32 }, b: { multiple: 32 } })]) {
      const at = chain(128, 128);
      const left = allAlive(at);
      const { fading } = decide(at, limits, 1443);
      for (const c of fading) left[c] = 0;
      expect(totalCost(costModel(at, 'params'), left)).toBeLessThanOrEqual(1443);
    }
  });
});

describe('mode original', () => {
  it('does not penalise what limits keep, and revives it', () => {
    const at = chain(4, 4);
    const [a] = at.hubs;
    const masked = {
      ...reading(
        at,
        () => -1,
        (c) => -c,
      ),
      fading: new Float64Array(at.classCount).fill(1),
    };
    const controller = new OriginalController(0.1, () => 0.1, limited({ a: { min: 2 } }));
    const decision = controller.decide(100, at, costModel(at, 'params'), allAlive(at), masked);
    expect(lengths(decision, at)).toEqual([2, 3]);
    // Scores are negative: the first channels are the strongest.
    const strongest = [...(a?.classes ?? [])].slice(0, 2);
    expect(decision.revived.filter((c) => a?.classes.includes(c) === true).sort()).toEqual(strongest);
    for (const c of decision.revived) expect(decision.threshold[c]).toBe(0);
    expect(decision.kept).toEqual({ a: 2, b: 1 });
  });

  it('says nothing of a layer of which some channels want to live', () => {
    const at = chain(16, 4);
    const [a] = at.hubs;
    const fading = new Float64Array(at.classCount);
    for (const c of [...(a?.classes ?? [])].slice(0, 7)) fading[c] = 1;
    const controller = new OriginalController(0.1, () => 0.1, limited({ a: { multiple: 8 } }));
    const seen = { ...reading(at, () => 1), fading };
    const decision = controller.decide(100, at, costModel(at, 'params'), allAlive(at), seen);
    expect([decision.dead.length, decision.revived.length, decision.kept]).toEqual([0, 7, {}]);
  });
});
