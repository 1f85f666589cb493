/** Ours and the static networks, both by the product's own code: the session, its steps and its finish. */
import type { RunEvent } from '../../src/core/events';
import type { RunContext } from '../../src/core/job';
import type { TrainOptions } from '../../src/core/options';
import { resolveOptions } from '../../src/core/parseOptions';
import { mixSeed, seededRandom } from '../../src/core/random';
import type { Dataset } from '../../src/data/dataset';
import type { Engine } from '../../src/engine/engine';
import { Batches, batchesPerEpoch } from '../../src/train/batches';
import { BatchSteps } from '../../src/train/batchSteps';
import { finishSnapshot } from '../../src/train/finish';
import { readWeights, topologyOf } from '../../src/train/model';
import { Network, sizeOfNetwork } from '../../src/train/network';
import { Optimizer, type OptimizerSpec } from '../../src/train/optimizer';
import { prepareTraining, type AuthoredModel, type Prepared } from '../../src/train/prepare';
import { runSession } from '../../src/train/session';
import { PROXIMAL } from '../../src/train/switchModes';
import { compileTraining, NO_SWITCHES } from '../../src/train/trunkStep';
import type { FrontNet } from './nets';

const ADAM: OptimizerSpec = { name: 'adam', learningRate: 1e-3, settings: {} };
const LOSS = 'categoricalCrossentropy';
const BATCH = 128;

export interface Reached {
  readonly params: number;
  readonly widths: readonly number[];
  /** Shares of rows right. */
  readonly validation: number;
  readonly test: number;
}

export interface Epochs {
  readonly trunk: number;
  readonly finish: number;
}

/**
 * Multiply-accumulate operations of one training step on a row: forward, gradient by the weights, gradient by the
 * input; the last is not needed of the first layer.
 */
function stepMacs(net: FrontNet, widths: readonly number[], macs: number): number {
  const [w = 0] = widths;
  const ofFirst = net.input.length === 1 ? 784 * w : 784 * 9 * w;
  return 3 * macs - ofFirst;
}

async function author(net: FrontNet, widths: readonly number[], seed: number): Promise<AuthoredModel> {
  const model = net.build(widths, seed);
  const authored = { topology: topologyOf(model), weights: await readWeights(model), siteOf: {}, loss: LOSS };
  model.dispose();
  return authored;
}

function prepare(authored: AuthoredModel, data: Dataset): Prepared {
  return prepareTraining({ sites: [], onlyHinted: false }, authored, data, undefined);
}

function optionsOf(net: FrontNet, epochs: Epochs, seed: number): TrainOptions {
  const values = {
    budget: net.budgets.join(','),
    epochs: String(epochs.trunk),
    finish: String(epochs.finish),
    batchSize: String(BATCH),
    seed: String(seed),
  };
  return resolveOptions([{ name: (key) => key, values }]);
}

/** A run that lives in memory. */
function contextOf(options: TrainOptions, emit: (event: RunEvent) => void): RunContext {
  return {
    run: 'front',
    plan: {
      version: 1,
      file: '',
      fileHash: '',
      language: 'typescript',
      model: 'front',
      program: { kind: 'slice', code: '' },
      sites: [],
      modelHint: {},
      onlyHinted: false,
    },
    options,
    stop: new AbortController().signal,
    emit,
    progress: () => undefined,
    saveCheckpoint: () => Promise.resolve(),
    writeFile: () => Promise.resolve(),
  };
}

export interface OurRun {
  /** One for each size asked for, in their order. */
  readonly points: readonly Reached[];
  /** The starting size with the same finish. */
  readonly start: number;
  /** Operations of the trunk and of the finishes of the sizes asked for. */
  readonly macs: number;
  /** Operations of finishing the starting size besides. */
  readonly startMacs: number;
  /** Smallest training accuracy of an epoch after the first: near 0.1 where a network collapsed. */
  readonly worstEpoch: number;
}

/** The budget path, by the product's session. */
export async function trainOurs(
  engine: Engine,
  net: FrontNet,
  data: Dataset,
  epochs: Epochs,
  seed: number,
): Promise<OurRun> {
  const authored = await author(net, net.widths, mixSeed(seed, 61));
  const prepared = prepare(authored, data);
  const options = optionsOf(net, epochs, seed);
  const { count } = data.train;
  const perEpoch = batchesPerEpoch(count, BATCH);
  /** Rows that are trained in so many steps: the last batch of an epoch is smaller. */
  const rowsIn = (steps: number) =>
    Math.floor(steps / perEpoch) * count + Math.min((steps % perEpoch) * BATCH, count);
  let at = { step: 0, widths: net.widths, macs: sizeOfNetwork(prepared.analysis).macs };
  let macs = 0;
  let startMacs = 0;
  let startTest = NaN;
  /** Step at which a size was kept. */
  const keptAt = new Map<number, number>();
  let worstEpoch = 1;
  const points: Reached[] = [];
  const runTo = (step: number): void => {
    macs += stepMacs(net, at.widths, at.macs) * (rowsIn(step) - rowsIn(at.step));
    at = { ...at, step };
  };
  const context = contextOf(options, (event) => {
    // Tensors are as large as the last collection left them, whatever was masked since.
    if (event.type === 'collection') {
      runTo(event.step);
      at = { step: event.step, widths: Object.values(event.widths), macs: event.macs };
    } else if (event.type === 'snapshot') keptAt.set(event.budget, event.step);
    else if (event.type === 'epoch' && event.phase === 'trunk' && event.epoch > 1)
      worstEpoch = Math.min(worstEpoch, event.train.accuracy ?? 0);
    else if (event.type === 'point') {
      const widths = Object.values(event.widths).slice(0, net.widths.length);
      const start = event.params === sizeOfNetwork(prepared.analysis).params;
      const missed = start ? 0 : Math.round(epochs.trunk - (keptAt.get(event.budget) ?? 0) / perEpoch);
      const catchUp = epochs.finish === 0 ? 0 : missed;
      const finish = stepMacs(net, widths, event.macs) * (catchUp + epochs.finish) * count;
      const test = event.test.accuracy ?? 0;
      if (start) {
        startTest = test;
        startMacs = finish;
        return;
      }
      macs += finish;
      points.push({ params: event.params, widths, validation: event.validation.accuracy ?? 0, test });
    }
  });
  await runSession(context, { engine, authored, prepared, optimizer: ADAM, mode: PROXIMAL });
  runTo(epochs.trunk * perEpoch);
  return {
    points: points.sort((a, b) => b.params - a.params),
    start: startTest,
    macs,
    startMacs,
    worstEpoch,
  };
}

/** A network of fixed widths: as many epochs at the full learning rate as the trunk has, then the same finish. */
export async function trainStatic(
  engine: Engine,
  net: FrontNet,
  data: Dataset,
  epochs: Epochs,
  widths: readonly number[],
  seed: number,
): Promise<Reached> {
  const authored = await author(net, widths, mixSeed(seed, 71));
  const prepared = prepare(authored, data);
  const network = await Network.create(prepared.graph, prepared.weights, prepared.sizing, {});
  const optimizer = new Optimizer(ADAM, network.trainedVariables());
  const batches = new Batches(prepared.dataset.train, BATCH, prepared.labelShapes, mixSeed(seed, 72));
  const compiled = new BatchSteps(batches, (batch) =>
    compileTraining(engine, network, prepared.head, optimizer, NO_SWITCHES, batch),
  );
  const steps = epochs.trunk * batches.perEpoch;
  for (let step = 0; step < steps; step += 1)
    await compiled.run(step, {
      learningRate: ADAM.learningRate,
      randomSeed: 0,
      weightDecay: 0,
      lambda: 0,
    });
  await compiled.pull();
  compiled.dispose();
  const weights = await network.readWeights();
  const { params } = network.size();
  optimizer.dispose();
  network.dispose();
  const finished = await finishSnapshot(
    {
      engine,
      prepared,
      optimizer: ADAM,
      catchUp: 0,
      epochs: epochs.finish,
      batchSize: BATCH,
      seed,
      emit: () => undefined,
      progress: () => undefined,
      stop: new AbortController().signal,
    },
    { budget: params, kind: 'budget', step: 0, graph: prepared.graph, weights },
  );
  return {
    params,
    widths,
    validation: finished?.validation.accuracy ?? 0,
    test: finished?.test.accuracy ?? 0,
  };
}

/** Operations of training a static network of these widths. */
export function staticMacs(net: FrontNet, widths: readonly number[], epochs: Epochs, rows: number): number {
  return stepMacs(net, widths, sizeOf(net, widths).macs) * (epochs.trunk + epochs.finish) * rows;
}

/**
 * Random widths of a size: every layer's share of its width to begin with is drawn log-uniformly (1 to 100 %), again
 * until the network has 90 to 100 % of the parameters asked for.
 */
export function drawWidths(net: FrontNet, size: number, seed: number): number[] {
  const random = seededRandom(mixSeed(seed, 81));
  for (;;) {
    const widths = net.widths.map((width) => Math.max(2, Math.round(width * 100 ** -random())));
    const { params } = sizeOf(net, widths);
    if (params <= size && params >= 0.9 * size) return widths;
  }
}

/** Parameters and MACs of a network of given widths. */
function sizeOf(net: FrontNet, widths: readonly number[]): { params: number; macs: number } {
  if (net.input.length > 1) {
    const [a = 0, b = 0, c = 0] = widths;
    const weights = [9 * a, 9 * a * b, 49 * b * c, 10 * c] as const;
    const [first, second, third, last] = weights;
    return {
      params: first + second + third + last + a + b + c + 10,
      macs: 784 * first + 196 * second + third + last,
    };
  }
  let inputs = 784;
  let macs = 0;
  for (const width of [...widths, 10]) {
    macs += inputs * width;
    inputs = width;
  }
  return { params: macs + widths.reduce((sum, width) => sum + width, 10), macs };
}
