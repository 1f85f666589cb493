import type { Analysis } from './analysis';
import { KAPPA, markChannels, rankByScorePerCost, scheduledSize, REMOVAL_STEPS } from './budget';
import { respectLimits, type LimitsOf } from './constraints';
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
    const dead = respectLimits(analysis, alive, candidates(analysis, weighed, alive, reading), this.limitsOf);
    const left = without(alive, dead);
    // One hundredth under the smallest size, so that rounding to whole channels still passes it.
    const target = scheduledSize(step + REMOVAL_STEPS, this.steps, this.start, this.end * 0.99);
    const last = step >= this.steps;
    const marks = last
      ? { classes: [], tau: 0 }
      : markChannels(analysis, model, weighed, left, reading.score, target, this.limitsOf);
    if (marks.classes.length > 0) this.tau = marks.tau;
    const costs = marginalCosts(weighed, left);
    const threshold = costs.map((cost) => KAPPA * Math.sqrt(this.tau * cost));
    return { dead, fading: marks.classes, threshold, lambda: KAPPA * Math.sqrt(this.tau * meanCost(costs)) };
  }
}

/** Largest share of the present size that one removal may take in `lambda` mode. */
const LARGEST_DROP = 0.2;

/**
 * Fixed λ with proximal steps (RECIPE.md, `lambda`): the weight of a channel is √(c / mean c), and a removal takes at
 * most a fifth of the size, the weakest first, so that a λ too large cannot empty the network within an epoch.
 */
export class LambdaController implements Controller {
  readonly everySteps = REMOVAL_STEPS;
  readonly tau = 0;

  /** @param lambdaAt penalty by layer: a hint's or the run's, 0 or more */
  constructor(
    private readonly lambda: number,
    private readonly lambdaAt: (layer: string) => number,
    private readonly limitsOf: LimitsOf,
    private readonly costWeight?: CostWeight,
    private readonly costsOf: CostsOf = costsWith(undefined),
  ) {}

  decide(
    _step: number,
    analysis: Analysis,
    model: CostModel,
    alive: Alive,
    reading: SwitchReading,
  ): Decision {
    const before = totalCost(model, alive);
    const costs = marginalCosts(model, alive);
    const zeros = candidates(analysis, model, alive, reading);
    const guarded: number[] = [];
    let gone = 0;
    for (const c of zeros) {
      if (gone + (costs[c] ?? 0) > LARGEST_DROP * before) break;
      gone += costs[c] ?? 0;
      guarded.push(c);
    }
    const dead = respectLimits(analysis, alive, guarded, this.limitsOf);
    const share = costShares(analysis, this.costWeight ?? model.kind, without(alive, dead), this.costsOf);
    const threshold = penalties(analysis, this.lambdaAt, (c) => Math.sqrt(share(c)));
    return { dead, fading: [], threshold, lambda: this.lambda };
  }
}

/**
 * The paper's form: a strategy masks channels step by step; the host lets them go, the weakest first, as far as the
 * limits allow. Every channel is charged the same, or what it costs where a cost weight is asked for.
 */
export class OriginalController implements Controller {
  readonly everySteps = 100;
  readonly tau = 0;

  /** @param lambdaAt penalty by layer, 0 or more */
  constructor(
    private readonly lambda: number,
    private readonly lambdaAt: (layer: string) => number,
    private readonly limitsOf: LimitsOf,
    private readonly costWeight: CostWeight = '1',
    private readonly costsOf: CostsOf = costsWith(undefined),
  ) {}

  decide(
    _step: number,
    analysis: Analysis,
    model: CostModel,
    alive: Alive,
    reading: SwitchReading,
  ): Decision {
    const masked = candidates(analysis, model, alive, reading).filter((c) => reading.fading[c] === 1);
    const dead = respectLimits(analysis, alive, masked, this.limitsOf);
    const share = costShares(analysis, this.costWeight, without(alive, dead), this.costsOf);
    const threshold = penalties(analysis, this.lambdaAt, share);
    return { dead, fading: [], threshold, lambda: this.lambda };
  }
}
