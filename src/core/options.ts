import type { Strategy } from './removal';

/** The options of a run, parsed. What each may hold and is for stands in `optionTable`. */

/** A size to reach: a share of the starting size, or a number of parameters (or MACs). */
export interface Size {
  readonly value: number;
  readonly unit: 'percent' | 'count';
}

export type Mode = 'budget' | 'lambda' | 'original';
export type CostKind = 'params' | 'macs';
/** What a channel can cost; latency is measured on the run's own engine. Sizes are never counted in it. */
export type Cost = CostKind | 'latency';
/** What a channel's penalty is weighed by: nothing (the paper), or what goes when it goes. */
export type CostWeight = '1' | Cost;

/** `full`: as many epochs as every size; `short`: what it had when the first channel went, and a finish; `off`: not. */
export type Baseline = 'full' | 'short' | 'off';

export interface TrainOptions {
  readonly mode: Mode;
  readonly budget: readonly Size[];
  /** Percentage points of validation accuracy that may be given up. */
  readonly maxDrop: number;
  readonly cost: Cost;
  /** Epochs of the trunk, in which widths are learned. */
  readonly epochs: number;
  /** Epochs in which each size is finished: no penalty, learning rate to 0. */
  readonly finish: number;
  /** How the starting size is trained, for comparison. */
  readonly baseline: Baseline;
  readonly batchSize: number;
  /** Overrides the learning rate of the source's optimizer. */
  readonly learningRate?: number;
  readonly optimizer?: string;
  readonly loss?: string;
  /** What shrinks channels in mode original: switches (eq. 2), or the norms of their weights (eq. 5). */
  readonly regularizer: 'switches' | 'group';
  readonly lambda: number;
  /** Without it, the mode's own: 1 in `original`, the square root of `cost` in `lambda`. */
  readonly costWeight?: CostWeight;
  readonly lambda2: number;
  /** p of the λ2 term. */
  readonly power: 1 | 2;
  /** How λ moves over the trunk. */
  readonly lambdaSchedule: 'constant' | 'warmup' | 'ramp';
  /** How the learning rate moves over the trunk. */
  readonly rateSchedule: 'constant' | 'plateau';
  /** How a switch acts (mode original). */
  readonly form: 'relu' | 'signed';
  readonly strategy: Strategy;
  readonly gamma: number;
  readonly threshold: number;
  /** Share of the finish's loss that compares with the finished starting network; 0 for none. */
  readonly distill: number;
  /** Temperature at which both are compared. */
  readonly temperature: number;
  readonly seed: number;
  readonly engine: string;
  /** Module, file or folder, relative to the source file. */
  readonly data?: string;
  readonly target?: string;
  readonly test?: string;
  /** Whether columns are shifted and scaled to mean 0 and deviation 1; auto does it for tables. */
  readonly standardize: 'auto' | 'on' | 'off';
  /** Megabytes that rows may take in memory; data that takes more stays on disk. */
  readonly dataMemory?: number;
  /** Share of the training rows held out for validation. */
  readonly validation: number;
  /** JSON array of arguments for a model function with parameters. */
  readonly args?: string;
  /** JSON array: features of one input in the source's axis order, for Python models that do not say it. */
  readonly input?: string;
}

/** What sizes are counted in: with latency as the cost, parameters. */
export function sizeUnit(cost: Cost): CostKind {
  return cost === 'latency' ? 'params' : cost;
}

/** Whether a run weighs channels by what they take on its engine. */
export function weighsLatency({
  cost,
  costWeight,
  mode,
}: Pick<TrainOptions, 'cost' | 'costWeight' | 'mode'>): boolean {
  if (costWeight !== undefined && mode !== 'budget') return costWeight === 'latency';
  return cost === 'latency' && mode !== 'original';
}
