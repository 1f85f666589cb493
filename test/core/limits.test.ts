import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { analyse, type Analysis } from '../../src/core/analysis';
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
  type Controller,
  type Decision,
} from '../../src/core/controller';
import { allAlive, costModel, countAlive, totalCost, type Alive } from '../../src/core/cost';
import { readGraph } from '../../src/core/graph';
import { seededRandom, type Random } from '../../src/core/random';
import type { Topology } from '../../src/core/topology';

type Layer = readonly [className: string, name: string, inputs: readonly string[], units?: number];

/** A network of layers by name, from 5 inputs `x` to 2 outputs behind the last of them. */
function analysisOf(layers: readonly Layer[]): Analysis {
  const last = layers.at(-1)?.[1] ?? 'x';
  const made = [...layers, ['Dense', 'out', [last], 2] as const].map(([class_name, name, inputs, units]) => ({
    class_name,
    name,
    config: { name, trainable: true, ...(units === undefined ? {} : { units, use_bias: true }) },
    inbound_nodes: [inputs.map((input) => [input, 0, 0, {}])],
  }));
  const input = { class_name: 'InputLayer', name: 'x', config: { name: 'x', batch_input_shape: [null, 5] } };
  const config = {
    name: 'm',
    layers: [{ ...input, inbound_nodes: [] }, ...made],
    input_layers: [['x', 0, 0]],
    output_layers: [['out', 0, 0]],
  };
  return analyse(readGraph({ class_name: 'Model', config } as unknown as Topology));
}

/** a and b behind each other. */
const chain = (a: number, b: number): Analysis =>
  analysisOf([
    ['Dense', 'a', ['x'], a],
    ['Dense', 'b', ['a'], b],
  ]);
/** a and b in a sum, and c behind it. */
const sum = (width: number, c: number): Analysis =>
  analysisOf([
    ['Dense', 'a', ['x'], width],
    ['Dense', 'b', ['x'], width],
    ['Add', 'sum', ['a', 'b']],
    ['Dense', 'c', ['sum'], c],
  ]);
/** b is added to a and c side by side: it shares some channels with either. */
const spliced = (a: number, c: number): Analysis =>
  analysisOf([
    ['Dense', 'a', ['x'], a],
    ['Dense', 'c', ['x'], c],
    ['Concatenate', 'side', ['a', 'c']],
    ['Dense', 'b', ['x'], a + c],
    ['Add', 'sum', ['side', 'b']],
  ]);

const limited =
  (limits: Readonly<Record<string, Partial<WidthLimits>>>): LimitsOf =>
  (layer) => ({ ...NO_LIMITS, ...limits[layer] });

const layersOf = (analysis: Analysis) => analysis.hubs.flatMap(({ layers }) => layers);
const widthsOf = (analysis: Analysis, alive: Alive): Record<string, number> =>
  Object.fromEntries(layersOf(analysis).map(({ name, classes }) => [name, countAlive(classes, alive)]));

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
