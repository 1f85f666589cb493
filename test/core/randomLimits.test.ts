import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Analysis } from '../../src/core/analysis';
import { startWithin, type LimitsOf, type WidthLimits } from '../../src/core/constraints';
import {
  BudgetController,
  LambdaController,
  OriginalController,
  type Controller,
} from '../../src/core/controller';
import { costModel, totalCost, type Alive } from '../../src/core/cost';
import { seededRandom, type Random } from '../../src/core/random';
import { chain, limited, spliced, sum, widthsOf } from '../support/limitNets';

/** What a run does to switches, without a network: they reach 0, or are masked, by chance. */
class MadeUpRun {
  readonly alive: Alive;
  private readonly beta: Float64Array;
  private readonly masked: Float64Array;
  private fading = new Set<number>();
  private threshold: Float64Array;

  constructor(
    private readonly at: Analysis,
    private readonly mode: Mode,
    private readonly random: Random,
    limits: LimitsOf,
  ) {
    this.alive = startWithin(at, limits);
    this.beta = new Float64Array(at.classCount).fill(1);
    this.masked = new Float64Array(at.classCount);
    this.threshold = new Float64Array(at.classCount).fill(mode === 'budget' ? 0 : 1);
  }

  /** Channels that live and pass nothing. */
  get idle(): number {
    return this.classes.filter((c) => this.beta[c] === 0 || this.masked[c] === 1).length;
  }

  get classes(): number[] {
    return this.at.hubs.flatMap((hub) => [...hub.classes]).filter((c) => this.alive[c] === 1);
  }

  train(): void {
    for (const c of this.classes) {
      if (this.threshold[c] === 0 || this.random() > 0.4) continue;
      if (this.mode === 'original') this.masked[c] = 1;
      else this.beta[c] = 0;
    }
  }

  remove(step: number, controller: Controller): void {
    const { at, alive, beta, masked } = this;
    const score = beta.map(() => this.random());
    const fading = masked.map((value, c) => Math.max(value, this.fading.has(c) ? 1 : 0));
    const decision = controller.decide(step, at, costModel(at, 'params'), alive, { beta, score, fading });
    for (const c of decision.dead) {
      expect(alive[c]).toBe(1);
      alive[c] = 0;
    }
    for (const c of decision.revived) {
      expect(alive[c]).toBe(1);
      [beta[c], masked[c]] = [0.01, 0];
    }
    this.fading = new Set(decision.fading);
    this.threshold = decision.threshold;
  }
}

const MODES = ['budget', 'lambda', 'original'] as const;
type Mode = (typeof MODES)[number];

const limit: fc.Arbitrary<WidthLimits> = fc.record({
  multiple: fc.constantFrom(1, 1, 2, 3, 4, 8),
  min: fc.integer({ min: 1, max: 9 }),
  max: fc.constantFrom(20, Number.POSITIVE_INFINITY),
});

/** Least width of every layer, and the size at it; layers of a hub have the same channels. */
function smallest(
  at: Analysis,
  start: Alive,
  limits: LimitsOf,
): { widths: Record<string, number>; size: number } {
  const alive = Uint8Array.from(start);
  for (const hub of at.hubs) {
    const living = hub.classes.filter((c) => start[c] === 1);
    const fits = (width: number): boolean =>
      hub.layers.every(({ name }) => width >= limits(name).min && width % limits(name).multiple === 0);
    let width = living.length === 0 ? 0 : 1;
    while (width < living.length && !fits(width)) width += 1;
    for (const c of living.slice(width)) alive[c] = 0;
  }
  return { widths: widthsOf(at, alive), size: totalCost(costModel(at, 'params'), alive) };
}

describe.each(MODES)('random limits on random networks, mode %s', (mode) => {
  it('hold at every removal, leave no idle channel, and keep no size out of reach', () => {
    let removed = 0;
    let bound = 0;
    let reached = 0;
    fc.assert(
      fc.property(
        fc.constantFrom(chain, sum, spliced),
        fc.tuple(fc.integer({ min: 10, max: 30 }), fc.integer({ min: 10, max: 30 })),
        fc.record({ a: limit, b: limit, c: limit }),
        fc.double({ min: 0.02, max: 0.9, noNaN: true }),
        fc.noBias(fc.nat(1e6)),
        // Few steps, so that several groups go at once.
        fc.constantFrom(60, 115, 230, 500),
        (build, [one, two], byLayer, share, seed, steps) => {
          const at = build(one, two);
          const limits = limited(byLayer);
          let run: MadeUpRun;
          try {
            run = new MadeUpRun(at, mode, seededRandom(seed), limits);
          } catch (refused) {
            expect(String(refused)).toContain('No width fits');
            return;
          }
          const model = costModel(at, 'params');
          const start = totalCost(model, run.alive);
          const least = build === spliced ? undefined : smallest(at, run.alive, limits);
          const controller = {
            budget: () => new BudgetController(steps, start, start * share, limits),
            lambda: () => new LambdaController(1, () => 1, limits, undefined, undefined, steps),
            original: () => new OriginalController(1, () => 1, limits, undefined, undefined, steps),
          }[mode]();
          const before = run.classes.length;
          for (let step = 1; step <= steps; step += 1) {
            if (step % controller.everySteps !== 0 && step !== steps) continue;
            run.train();
            run.remove(step, controller);
            for (const [layer, width] of Object.entries(widthsOf(at, run.alive))) {
              if (layer === 'out') continue;
              const { min, max, multiple } = limits(layer);
              const said = `${layer} ${width}, min ${min} max ${max} multiple ${multiple}`;
              expect(width >= min && width <= max && width % multiple === 0, said).toBe(true);
            }
          }
          removed += before - run.classes.length;
          expect(run.idle).toBe(0);
          if (least === undefined) return;
          const widths = widthsOf(at, run.alive);
          if (Object.entries(least.widths).some(([layer, width]) => widths[layer] === width)) bound += 1;
          if (mode !== 'budget') return;
          const size = totalCost(model, run.alive);
          expect(size).toBeLessThanOrEqual(Math.max(start * share, least.size));
          reached += 1;
        },
      ),
      { numRuns: 200 },
    );
    // The property says nothing where nothing dies or no limit binds.
    expect(removed).toBeGreaterThan(500);
    expect(bound).toBeGreaterThan(10);
    if (mode === 'budget') expect(reached).toBeGreaterThan(50);
  });
});
