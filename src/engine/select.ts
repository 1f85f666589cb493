/** Choosing the engine for a model: the fastest of those that work here, measured on the model's own step. */
import * as tf from '@tensorflow/tfjs-core';
import { messageOf, ShrinkError } from '../core/errors';
import type { BatchData, Engine, EngineProvider, StepFunction, StepScalars, TensorSpec } from './engine';
import { seedSteps } from './random';
import { providers as allProviders } from './registry';
import { selfTest } from './selfTest';

/** The step to measure on. Every variable it needs must exist; they hold their old values afterwards. */
export interface StepSample {
  readonly step: StepFunction;
  readonly variables: readonly tf.Variable[];
  readonly batch: readonly TensorSpec[];
  /** A real batch. */
  readonly data: readonly BatchData[];
  readonly scalars: StepScalars;
}

/** How one engine did. */
export interface EngineTrial {
  readonly engine: string;
  /** Median milliseconds of a step; absent for an engine that was not measured. */
  readonly stepMs?: number;
  /** Why it was passed over; absent for the one that was chosen. */
  readonly problem?: string;
  /** Command that would make it available, if that is the problem. */
  readonly install?: string | null;
}

export interface Selection {
  readonly engine: Engine;
  /** One sentence for the journal. */
  readonly why: string;
  readonly trials: readonly EngineTrial[];
}

interface Measured {
  readonly provider: EngineProvider;
  readonly stepMs: number;
  readonly outputs: readonly Float32Array[];
}

export interface SelectOptions {
  readonly candidates?: readonly EngineProvider[];
  /** Milliseconds that each engine may take for its timed steps. */
  readonly budgetMs?: number;
}

const WARM_UP = 2;
const FEWEST_STEPS = 3;
/** Outputs of the first step that differ by more than this share mean that an engine computes something else. */
const SAME = 0.02;

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN;
}

/** Values of all variables, to be put back: a trial is real training. */
type Snapshot = readonly { readonly variable: tf.Variable; readonly values: tf.backend_util.TypedArray }[];

async function takeSnapshot(): Promise<Snapshot> {
  const variables = Object.values(tf.engine().state.registeredVariables).filter((v) => v.dtype !== 'string');
  return Promise.all(
    variables.map(async (variable) => ({ variable, values: (await variable.data<'float32'>()).slice() })),
  );
}

function restore(snapshot: Snapshot): void {
  tf.tidy(() => {
    for (const { variable, values } of snapshot)
      if (!variable.isDisposed) variable.assign(tf.tensor(values, variable.shape, variable.dtype));
  });
}

/** Times the step on an engine that is active. */
async function measure(
  engine: Engine,
  sample: StepSample,
  budgetMs: number,
): Promise<Omit<Measured, 'provider'>> {
  seedSteps(1);
  const compiled = await engine.compile(
    sample.step,
    sample.variables,
    sample.batch,
    Object.keys(sample.scalars),
  );
  try {
    const outputs = await compiled.run(sample.data, sample.scalars);
    for (let i = 1; i < WARM_UP; i += 1) await compiled.run(sample.data, sample.scalars);
    const times: number[] = [];
    const end = performance.now() + budgetMs;
    while (times.length < FEWEST_STEPS || (performance.now() < end && times.length < 50)) {
      const started = performance.now();
      await compiled.run(sample.data, sample.scalars);
      times.push(performance.now() - started);
    }
    return { stepMs: median(times), outputs: outputs.map((values) => values.slice()) };
  } finally {
    compiled.dispose();
  }
}

function agrees(a: readonly Float32Array[], b: readonly Float32Array[]): boolean {
  return a.every((values, index) =>
    values.every((value, i) => {
      const other = b[index]?.[i] ?? NaN;
      return Object.is(value, other) || Math.abs(value - other) <= SAME * Math.max(1, Math.abs(other));
    }),
  );
}

/** Whether two engines give the same outputs of the first step. `wasm` is the judge where it took part. */
function outvoted(measured: readonly Measured[]): ReadonlySet<Measured> {
  const judge = measured.find(({ provider }) => provider.name === 'wasm');
  return new Set(
    judge === undefined ? [] : measured.filter((other) => !agrees(other.outputs, judge.outputs)),
  );
}

/**
 * Measures the engines and loads the fastest that computes what it should.
 *
 * @throws ShrinkError `no-engine` when none works
 */
export async function selectEngine(sample: StepSample, options: SelectOptions = {}): Promise<Selection> {
  const { candidates = allProviders.filter(({ name }) => name !== 'cpu'), budgetMs = 1000 } = options;
  const snapshot = await takeSnapshot();
  const passedOver: EngineTrial[] = [];
  const measured: Measured[] = [];
  for (const provider of candidates) {
    const { name } = provider;
    const status = await provider.probe();
    if (!status.available) {
      passedOver.push({ engine: name, problem: status.missing, install: status.install });
      continue;
    }
    try {
      const wrong = await selfTest(provider);
      if (wrong !== null) {
        passedOver.push({ engine: name, problem: wrong });
        continue;
      }
      const engine = await provider.load();
      restore(snapshot);
      measured.push({ provider, ...(await measure(engine, sample, budgetMs)) });
    } catch (thrown) {
      passedOver.push({ engine: name, problem: messageOf(thrown) });
    }
  }
  const wrong = outvoted(measured);
  const ranked = measured.filter((one) => !wrong.has(one)).toSorted((a, b) => a.stepMs - b.stepMs);
  const [best, second] = ranked;
  if (best === undefined) {
    const reasons = passedOver.map(({ engine, problem }) => `${engine}: ${problem ?? ''}`).join('; ');
    throw new ShrinkError('environment', 'no-engine', `No engine can train this model. ${reasons}`);
  }
  const engine = await best.provider.load();
  restore(snapshot);
  const trials = measured.map((one): EngineTrial => {
    const trial = { engine: one.provider.name, stepMs: one.stepMs };
    if (one === best) return trial;
    return {
      ...trial,
      problem: wrong.has(one) ? 'it computes another loss than wasm' : `slower than ${best.provider.name}`,
    };
  });
  const against =
    second === undefined
      ? 'the only one that works here'
      : `${second.provider.name} ${second.stepMs.toFixed(1)} ms`;
  return {
    engine,
    why: `${best.provider.name} takes ${best.stepMs.toFixed(1)} ms a step (${against})`,
    trials: [...trials, ...passedOver],
  };
}
