import { inputsOf, type Rows } from '../data/dataset';
import type { CompiledStep, Engine } from '../engine/engine';
import { sampleOf } from './evaluate';
import { median } from './median';
import { Network } from './network';
import type { Prepared } from './prepare';
import type { Snapshot } from './snapshot';

/** Predictions that are timed, after a few that are not. */
const RUNS = 30;
const WARM_UP = 5;

/**
 * Median time of predicting one batch with each of two networks, taken in turns so that a machine that slows down
 * slows both.
 */
export async function timeInference(
  engine: Engine,
  prepared: Prepared,
  rows: Rows,
  batchSize: number,
  before: Snapshot,
  after: Snapshot,
): Promise<{ before: number; after: number; batchSize: number }> {
  const count = Math.min(batchSize, rows.count);
  const batch = sampleOf(rows, count).map(({ x }) => x);
  const made = await Promise.all(
    [before, after].map((snapshot) => predictor(engine, prepared, snapshot, count)),
  );
  const times: number[][] = [[], []];
  try {
    for (let run = -WARM_UP; run < RUNS; run += 1)
      for (const [i, { step }] of made.entries()) {
        const started = performance.now();
        await step.run(batch, {});
        if (run >= 0) times[i]?.push(performance.now() - started);
      }
  } finally {
    for (const { step, network } of made) {
      step.dispose();
      network.dispose();
    }
  }
  return { before: median(times[0] ?? []), after: median(times[1] ?? []), batchSize: count };
}

async function predictor(
  engine: Engine,
  prepared: Prepared,
  snapshot: Snapshot,
  count: number,
): Promise<{ step: CompiledStep; network: Network }> {
  const network = await Network.create(snapshot.graph, snapshot.weights, prepared.sizing, {});
  const step = await engine.compile(
    (xs) => network.answer(xs, false),
    network.weightVariables(),
    inputsOf(prepared.dataset.test).map(({ shape }) => ({ shape: [count, ...shape], dtype: 'float32' })),
    [],
  );
  return { step, network };
}
