import { BudgetController, LambdaController, OriginalController, type Controller } from '../core/controller';
import { costsWith } from '../core/cost';
import type { LatencyTable } from '../core/latency';
import { sizeUnit, type TrainOptions } from '../core/options';
import type { Batches } from './batches';
import { sampleOf } from './evaluate';
import type { Prepared, SessionInputs } from './prepare';
import type { TrunkSetup } from './trunk';

/** Rows on which outputs are compared before and after a collection. */
const SAMPLE_ROWS = 8;

/** What a trunk needs of a run. */
export function trunkSetup(options: TrainOptions, inputs: SessionInputs, batches: Batches): TrunkSetup {
  const { engine, prepared, optimizer, mode } = inputs;
  const { validation } = prepared.dataset;
  return {
    engine,
    head: prepared.head,
    sizing: prepared.sizing,
    optimizer,
    mode,
    cost: sizeUnit(options.cost),
    decayPower: options.power,
    lambda2: options.mode === 'budget' ? 0 : options.lambda2,
    seed: options.seed,
    batches,
    sample: sampleOf(validation, Math.min(SAMPLE_ROWS, validation.count)),
  };
}

/** Who decides which channels die. */
export function controllerFor(
  options: TrainOptions,
  { limitsOf, hintLambda }: Prepared,
  run: {
    readonly budgets: readonly number[];
    readonly startSize: number;
    readonly steps: number;
    readonly tau: number;
    readonly latency?: LatencyTable;
  },
): Controller {
  const { cost, costWeight, lambda, mode } = options;
  const costsOf = costsWith(run.latency);
  const smallest = run.budgets.at(-1);
  if (smallest !== undefined)
    return new BudgetController(run.steps, run.startSize, smallest, limitsOf, run.tau, cost, costsOf);
  const lambdaAt = (layer: string): number => hintLambda(layer) ?? lambda;
  return mode === 'lambda'
    ? new LambdaController(lambda, lambdaAt, limitsOf, costWeight ?? cost, costsOf, run.steps)
    : new OriginalController(lambda, lambdaAt, limitsOf, costWeight, costsOf, run.steps);
}
