import type { Analysis } from './analysis';
import { KAPPA, markChannels, rankByScorePerCost, scheduledSize, REMOVAL_STEPS, type Marks } from './budget';
import { classesThatStay, goesInGroups, legalSteps, respectLimits, type LimitsOf } from './constraints';
import { costsWith, marginalCosts, totalCost, type Alive, type CostModel, type CostsOf } from './cost';
import type { Cost, CostWeight } from './options';

/** What is known of the switches at a removal, by channel class. */
export interface SwitchReading {
  readonly beta: Float64Array;
  readonly score: Float64Array;
  /** 1 where the channel has faded since the last removal. */
  readonly fading: Float64Array;
}

export interface Decision {
  /** Classes that are dead from now on; their switches are 0 for good. */
  readonly dead: readonly number[];
  /** Classes whose switches fade from now on. */
  readonly fading: readonly number[];
  /** Classes that should have died and live on, since limits keep them: their switches work again from now on. */
  readonly revived: readonly number[];
  /** Hubs of which every channel should have died, by name, with the number of channels that limits keep. */
  readonly kept: Readonly<Record<string, number>>;
  /** Strength of each class's penalty: the soft threshold of a proximal step, or λ of a subgradient, by class. */
  readonly threshold: Float64Array;
  /** Strength of the penalty on a channel of average cost, to be shown. */
  readonly lambda: number;
}

/** Decides at every removal who dies and how hard the others are pulled. Plain state, so that a run can resume. */
export interface Controller {
  readonly everySteps: number;
  decide(step: number, analysis: Analysis, model: CostModel, alive: Alive, reading: SwitchReading): Decision;
  /** The score per cost at which the last channel was marked (τ); all there is to remember. */
  readonly tau: number;
}

/** The classes that should go, weakest first: those that have faded, then those whose switch is exactly 0. */
function candidates(analysis: Analysis, model: CostModel, alive: Alive, reading: SwitchReading): number[] {
  // As a rule there are none, and ranking is the most that a removal costs.
  const goes = (c: number): boolean => alive[c] === 1 && (reading.fading[c] === 1 || reading.beta[c] === 0);
  if (!analysis.hubs.some((hub) => hub.classes.some(goes))) return [];
  const ranked = rankByScorePerCost(analysis, alive, reading.score, marginalCosts(model, alive));
  const faded = ranked.filter((c) => reading.fading[c] === 1);
  return [...faded, ...ranked.filter((c) => reading.beta[c] === 0 && reading.fading[c] !== 1)];
}

function without(alive: Alive, dead: readonly number[]): Alive {
  const left = Uint8Array.from(alive);
  for (const c of dead) left[c] = 0;
  return left;
}

/** Mean marginal cost of the living classes. */
function meanCost(costs: Float64Array): number {
  let sum = 0;
  let count = 0;
  for (const cost of costs)
    if (cost > 0) {
      sum += cost;
      count += 1;
    }
  return count === 0 ? 1 : sum / count;
}

/**
 * What the penalty of a channel is weighed by: its marginal cost at the present widths, in units of the mean over the
 * living, so that λ keeps its meaning as the network shrinks; or 1 for all.
 */
function costShares(
  analysis: Analysis,
  weight: CostWeight,
  alive: Alive,
  costsOf: CostsOf,
): (c: number) => number {
  if (weight === '1') return () => 1;
  const costs = marginalCosts(costsOf(analysis, weight), alive);
  const mean = meanCost(costs);
  return (c) => (costs[c] ?? 0) / mean;
}

/** λ of every class: that of its layer (the largest of those that share it) times what it is weighed by. */
function penalties(
  analysis: Analysis,
  lambdaAt: (layer: string) => number,
  weight: (c: number) => number,
): Float64Array {
  const lambdas = new Float64Array(analysis.classCount);
  for (const hub of analysis.hubs) {
    const lambda = Math.max(...hub.layers.map((layer) => lambdaAt(layer.name)));
    for (const c of hub.classes) lambdas[c] = lambda * weight(c);
  }
  return lambdas;
}

/** No penalty on who limits keep: it would pull to 0 what has to work. */
function spare(threshold: Float64Array, classes: Iterable<number>): void {
  for (const c of classes) threshold[c] = 0;
}

/** {@link Decision.kept}. @param left what is alive once all have gone that may */
function keptOf(
  analysis: Analysis,
  alive: Alive,
  wanted: ReadonlySet<number>,
  left: Alive,
): Record<string, number> {
  const kept: Record<string, number> = {};
  for (const { name, classes } of analysis.hubs) {
    const living = classes.filter((c) => alive[c] === 1);
    if (living.length > 0 && living.every((c) => wanted.has(c)))
      kept[name] = classes.filter((c) => left[c] === 1).length;
  }
  return kept;
}

/** Share of the trunk at whose end layers that lose several channels at a time wait for no further group. */
const SETTLING = 0.2;

/** Classes of such layers, once the end is near: who waits for others to go with lives on, and learns again. */
function settled(analysis: Analysis, limitsOf: LimitsOf, step: number, steps: number): number[] {
  if (step < (1 - SETTLING) * steps) return [];
  return analysis.hubs.filter((hub) => goesInGroups(hub, limitsOf)).flatMap(({ classes }) => [...classes]);
}

/** The budget path (RECIPE.md, steps 2 to 5). */
export class BudgetController implements Controller {
  readonly everySteps = REMOVAL_STEPS;

  /**
   * @param steps of the whole trunk
   * @param start size at its beginning, in units of cost
   * @param end smallest size asked for
   * @param weight what scores are divided by; what sizes are counted in, unless it is given
   */
  constructor(
    private readonly steps: number,
    private readonly start: number,
    private readonly end: number,
    private readonly limitsOf: LimitsOf,
    public tau = 0,
    private readonly weight?: Cost,
    private readonly costsOf: CostsOf = costsWith(undefined),
  ) {}

  decide(step: number, analysis: Analysis, model: CostModel, alive: Alive, reading: SwitchReading): Decision {
    const weighed = this.weight === undefined ? model : this.costsOf(analysis, this.weight);
    const wanted = candidates(analysis, weighed, alive, reading);
    const dead = respectLimits(analysis, alive, wanted, this.limitsOf);
    const left = without(alive, dead);
    const marks = this.mark(step, analysis, model, weighed, left, reading.score);
    if (marks.classes.length > 0) this.tau = marks.tau;
    const costs = marginalCosts(weighed, left);
    const threshold = costs.map((cost) => KAPPA * Math.sqrt(this.tau * cost));
    const revived = wanted.filter((c) => left[c] === 1);
    spare(threshold, revived);
    spare(threshold, classesThatStay(analysis, without(left, marks.classes), this.limitsOf));
    return {
      dead,
      fading: marks.classes,
      revived,
      kept: keptOf(analysis, alive, new Set(wanted), left),
      threshold,
      lambda: KAPPA * Math.sqrt(this.tau * meanCost(costs)),
    };
  }

  private mark(
    step: number,
    analysis: Analysis,
    model: CostModel,
    weighed: CostModel,
    alive: Alive,
    scores: Float64Array,
  ): Marks {
    const { steps, start, end, limitsOf } = this;
    if (step >= steps) return { classes: [], tau: 0 };
    const next = step + REMOVAL_STEPS;
    const grouped = analysis.hubs.some((hub) => goesInGroups(hub, limitsOf));
    // One hundredth under the smallest size, so that rounding to whole channels still passes it. Groups are marked
    // by what really goes: another one for a hundredth would be a large step.
    const target = scheduledSize(next, steps, start, grouped ? end : end * 0.99);
    // What is marked now is the last to go: nothing can make up for it.
    const last = next >= steps;
    const atMost = grouped ? target : last ? end : Number.POSITIVE_INFINITY;
    return markChannels(analysis, model, weighed, alive, scores, target, limitsOf, atMost);
  }
}

/** Largest share of the present size that one removal may take in `lambda` mode. */
const LARGEST_DROP = 0.2;

/**
 * The steps that one removal takes: at least one, or a layer whose channels are dear would never lose any, and the
 * weakest as long as all together are within the largest drop.
 */
function guarded(
  steps: readonly (readonly number[])[],
  model: CostModel,
  alive: Alive,
): readonly (readonly number[])[] {
  const costs = marginalCosts(model, alive);
  const most = LARGEST_DROP * totalCost(model, alive);
  let gone = 0;
  const stop = steps.findIndex((step, i) => {
    gone += step.reduce((sum, c) => sum + (costs[c] ?? 0), 0);
    return i > 0 && gone > most;
  });
  return stop < 0 ? steps : steps.slice(0, stop);
}

/**
 * Fixed λ with proximal steps (RECIPE.md, `lambda`): the weight of a channel is √(c / mean c), and a removal takes at
 * most a fifth of the size, the weakest first, so that a λ too large cannot empty the network within an epoch.
 * Channels that wait for the guard, or for a whole group, stay at 0 and may come back. At the end nobody waits: who
 * may go goes, which changes nothing, since their switches are 0, and who may not is revived.
 */
export class LambdaController implements Controller {
  readonly everySteps = REMOVAL_STEPS;
  readonly tau = 0;

  /**
   * @param lambdaAt penalty by layer: a hint's or the run's, 0 or more
   * @param steps of the whole trunk; without it, none is the last
   */
  constructor(
    private readonly lambda: number,
    private readonly lambdaAt: (layer: string) => number,
    private readonly limitsOf: LimitsOf,
    private readonly costWeight?: CostWeight,
    private readonly costsOf: CostsOf = costsWith(undefined),
    private readonly steps = Number.POSITIVE_INFINITY,
  ) {}

  decide(step: number, analysis: Analysis, model: CostModel, alive: Alive, reading: SwitchReading): Decision {
    const { limitsOf } = this;
    const zeros = candidates(analysis, model, alive, reading);
    const possible = legalSteps(analysis, alive, zeros, limitsOf);
    const dead = (step >= this.steps ? possible : guarded(possible, model, alive)).flat();
    const share = costShares(analysis, this.costWeight ?? model.kind, without(alive, dead), this.costsOf);
    const threshold = penalties(analysis, this.lambdaAt, (c) => Math.sqrt(share(c)));
    const left = without(alive, possible.flat());
    const stay = new Set([
      ...classesThatStay(analysis, left, limitsOf),
      ...settled(analysis, limitsOf, step, this.steps).filter((c) => left[c] === 1),
    ]);
    spare(threshold, stay);
    return {
      dead,
      fading: [],
      revived: zeros.filter((c) => stay.has(c)),
      kept: keptOf(analysis, alive, new Set(zeros), left),
      threshold,
      lambda: this.lambda,
    };
  }
}

/**
 * The paper's form: a strategy masks channels step by step; the host lets them go, the weakest first, as far as the
 * limits allow. Every channel is charged the same, or what it costs where a cost weight is asked for.
 */
export class OriginalController implements Controller {
  readonly everySteps = 100;
  readonly tau = 0;

  /**
   * @param lambdaAt penalty by layer, 0 or more
   * @param steps of the whole trunk; without it, none is the last
   */
  constructor(
    private readonly lambda: number,
    private readonly lambdaAt: (layer: string) => number,
    private readonly limitsOf: LimitsOf,
    private readonly costWeight: CostWeight = '1',
    private readonly costsOf: CostsOf = costsWith(undefined),
    private readonly steps = Number.POSITIVE_INFINITY,
  ) {}

  decide(
    step: number,
    analysis: Analysis,
    _model: CostModel,
    alive: Alive,
    reading: SwitchReading,
  ): Decision {
    const { limitsOf } = this;
    // By strength alone: what a channel costs is no part of the paper's form, and θ may be negative.
    const masked = rankByStrength(analysis, alive, reading.score).filter((c) => reading.fading[c] === 1);
    const dead = respectLimits(analysis, alive, masked, limitsOf);
    const left = without(alive, dead);
    const share = costShares(analysis, this.costWeight, left, this.costsOf);
    const threshold = penalties(analysis, this.lambdaAt, share);
    spare(threshold, classesThatStay(analysis, left, limitsOf));
    spare(threshold, settled(analysis, limitsOf, step, this.steps));
    return {
      dead,
      fading: [],
      revived: masked.filter((c) => left[c] === 1),
      kept: keptOf(analysis, alive, new Set(masked), left),
      threshold,
      lambda: this.lambda,
    };
  }
}

/** Living classes that have a switch, weakest first. */
function rankByStrength(analysis: Analysis, alive: Alive, strength: Float64Array): number[] {
  return rankByScorePerCost(analysis, alive, strength, new Float64Array(strength.length).fill(1));
}
