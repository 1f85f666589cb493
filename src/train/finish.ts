import { analyse } from '../core/analysis';
import type { Metrics, Progress, RunEvent } from '../core/events';
import { mixSeed } from '../core/random';
import { inputsOf } from '../data/dataset';
import type { Engine } from '../engine/engine';
import { Batches } from './batches';
import { BatchSteps } from './batchSteps';
import { Evaluator } from './evaluate';
import { classifies } from './head';
import { Network, sizeOfNetwork } from './network';
import { Optimizer, type OptimizerSpec } from './optimizer';
import type { Prepared } from './prepare';
import type { Snapshot } from './snapshot';
import { compileTraining, NO_SWITCHES } from './trunkStep';
import { ShrinkError } from '../core/errors';
import { median } from './median';

/** A size, finished and measured. */
export interface Finished {
  readonly snapshot: Snapshot;
  /** Passes over the training data in all: the trunk's up to this size, those made up for, and the finish. */
  readonly epochs: number;
  readonly validation: Metrics;
  readonly test: Metrics;
}

export interface FinishSetup {
  readonly engine: Engine;
  readonly prepared: Prepared;
  readonly optimizer: OptimizerSpec;
  /** Epochs at the full learning rate before it falls: those that the trunk went on without this size. */
  readonly catchUp: number;
  /** Epochs in which the learning rate falls to 0. */
  readonly epochs: number;
  readonly batchSize: number;
  readonly seed: number;
  /** The finished network to compare with, and how; undefined for the labels alone. */
  readonly distil?: { readonly teacher: Snapshot; readonly weight: number; readonly temperature: number };
  emit(event: RunEvent): void;
  progress(
    at: Pick<Progress, 'epoch' | 'epochs' | 'loss' | 'params' | 'stepMs'> & { readonly budget: number },
  ): void;
  readonly stop: AbortSignal;
}

/**
 * The finish of RECIPE.md: no penalty, Filters folded away, a fresh optimizer, the learning rate falling linearly
 * to 0; beside a teacher where one is given. A size that the trunk passed early is trained first for the epochs that it
 * missed, so that every size gets as many as a network that is trained by itself. A static network of the same widths is trained by the same code.
 *
 * @returns undefined when it was asked to stop: a finish is short, and begins anew on resume
 */
export async function finishSnapshot(setup: FinishSetup, snapshot: Snapshot): Promise<Finished | undefined> {
  const { engine, prepared, optimizer: spec, catchUp } = setup;
  const epochs = catchUp + setup.epochs;
  const { dataset, head, labelShapes } = prepared;
  const network = await Network.create(snapshot.graph, snapshot.weights, prepared.sizing, {});
  const optimizer = new Optimizer(spec, network.trainedVariables());
  const seed = mixSeed(setup.seed, 31);
  const batches = new Batches(dataset.train, setup.batchSize, labelShapes, seed);
  const largest = Math.max(dataset.validation.count, dataset.test.count);
  const rowShapes = inputsOf(dataset.train).map(({ shape }) => shape);
  const evaluator = new Evaluator(engine, network, head, rowShapes, labelShapes, largest);
  const steps = epochs * batches.perEpoch;
  const falling = setup.epochs * batches.perEpoch;
  const { distil } = setup;
  const teacher =
    distil === undefined
      ? undefined
      : await Network.create(distil.teacher.graph, distil.teacher.weights, prepared.sizing, {});
  try {
    const distillation = distil === undefined || teacher === undefined ? undefined : { ...distil, teacher };
    const compiled = new BatchSteps(batches, (batch) =>
      compileTraining(engine, network, head, optimizer, NO_SWITCHES, batch, distillation),
    );
    try {
      let times: number[] = [];
      let loss = 0;
      let right = 0;
      let rows = 0;
      for (let step = 0; step < steps; step += 1) {
        if (setup.stop.aborted) return undefined;
        const started = performance.now();
        const [batchLoss, batchRight] = await compiled.run(step, {
          learningRate: spec.learningRate * Math.min(1, (steps - step) / falling),
          randomSeed: mixSeed(seed, 41, step),
          weightDecay: 0,
          lambda: 0,
        });
        times.push(performance.now() - started);
        const count = batches.rowsAt(step);
        loss += (batchLoss?.[0] ?? Number.NaN) * count;
        right += (batchRight?.[0] ?? 0) * count;
        rows += count;
        if (!Number.isFinite(loss))
          throw new ShrinkError(
            'training',
            'loss-not-finite',
            `The loss is no longer a number while the size ${snapshot.budget} is finished (step ${step + 1}); lower the learning rate (${spec.learningRate}).`,
          );
        const done = (step + 1) % batches.perEpoch;
        const at = { budget: snapshot.budget, epoch: Math.floor(step / batches.perEpoch) + 1, epochs };
        const mean = loss / rows;
        setup.progress({ ...at, loss: mean, params: network.size().params, stepMs: median(times) });
        if (done !== 0) continue;
        await compiled.pull();
        const train = classifies(head) ? { loss: mean, accuracy: right / rows } : { loss: mean };
        setup.emit({
          type: 'epoch',
          phase: 'finish',
          ...at,
          widths: network.widths(),
          ...network.size(),
          train,
          validation: await evaluator.measure(dataset.validation),
          stepMs: median(times),
          lambda: 0,
        });
        times = [];
        loss = 0;
        right = 0;
        rows = 0;
      }
      await compiled.pull();
    } finally {
      compiled.dispose();
    }
    return {
      snapshot: { ...snapshot, weights: await network.readWeights() },
      epochs: snapshot.step / batches.perEpoch + epochs,
      validation: await evaluator.measure(dataset.validation),
      test: await evaluator.measure(dataset.test),
    };
  } finally {
    await evaluator.dispose();
    optimizer.dispose();
    network.dispose();
    teacher?.dispose();
  }
}

/** Size of a snapshot's network. */
export function sizeOfSnapshot(snapshot: Snapshot, prepared: Prepared): { params: number; macs: number } {
  return sizeOfNetwork(analyse(snapshot.graph, prepared.sizing));
}
