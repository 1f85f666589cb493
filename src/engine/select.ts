/** Choosing the engine for a model: the fastest of those that work here, measured on the model's own step. */
import * as tf from '@tensorflow/tfjs-core';
import { messageOf, ShrinkError } from '../core/errors';
import type {
  BatchData,
  Engine,
  EngineDescription,
  EngineProvider,
  StepFunction,
  StepScalars,
  TensorSpec,
} from './engine';
import { cpu as reference } from './engines/cpu';
import { NO_MEMORY, type EngineMemory } from './memory';
import { seedSteps } from './random';
import { providersHere } from './registry';
import { selfTest, selfTestIdentity } from './selfTest';

/** The step to measure on. Every variable it needs must exist; they hold their old values afterwards. */
export interface StepSample {
  readonly step: StepFunction;
  readonly variables: readonly tf.Variable[];
  readonly batch: readonly TensorSpec[];
  /** A real batch. */
  readonly data: readonly BatchData[];
  readonly scalars: StepScalars;
  /** Plain JSON that is the same for the same step: its choice can be remembered. */
  readonly identity?: unknown;
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

interface Measured extends Candidate {
  readonly stepMs: number;
  readonly outputs: readonly Float32Array[];
}

export interface SelectOptions {
  readonly candidates?: readonly EngineProvider[];
  /** Milliseconds that each engine may take for its timed steps. */
  readonly budgetMs?: number;
  /** Where self-tests that were passed and choices are kept. */
  readonly memory?: EngineMemory;
}

/** An engine that is here. */
interface Candidate {
  readonly provider: EngineProvider;
  readonly description: EngineDescription;
}

/** What is remembered of a choice. */
type Choice = Pick<Selection, 'why' | 'trials'> & { readonly engine: string };

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
): Promise<Omit<Measured, keyof Candidate>> {
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
    // A software device may take seconds a step: one is enough to see that.
    const enough = () => times.length >= (performance.now() < end + budgetMs ? FEWEST_STEPS : 1);
    while (!enough() || (performance.now() < end && times.length < 50)) {
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

/** Engines whose first step gives something else than the judge's. */
interface Verdict {
  readonly judge: string;
  readonly wrong: ReadonlySet<Measured>;
}

/** What the reference computes in the first step; undefined where it cannot. */
async function askReference(sample: StepSample): Promise<readonly Float32Array[] | undefined> {
  try {
    seedSteps(1);
    const engine = await reference.load();
    const compiled = await engine.compile(
      sample.step,
      sample.variables,
      sample.batch,
      Object.keys(sample.scalars),
    );
    try {
      return (await compiled.run(sample.data, sample.scalars)).map((values) => values.slice());
    } finally {
      compiled.dispose();
    }
  } catch {
    return undefined;
  }
}

/** Where all agree, nobody is asked: the reference is slow. Where it cannot say, `wasm` does. */
async function judgeAll(measured: readonly Measured[], sample: StepSample): Promise<Verdict> {
  const [first, ...others] = measured;
  const none: Verdict = { judge: '', wrong: new Set() };
  if (first === undefined || others.every((other) => agrees(other.outputs, first.outputs))) return none;
  const wrongBy = (outputs: readonly Float32Array[]): ReadonlySet<Measured> =>
    new Set(measured.filter((one) => !agrees(one.outputs, outputs)));
  const answer = await askReference(sample);
  if (answer !== undefined) return { judge: reference.name, wrong: wrongBy(answer) };
  const wasm = measured.find(({ provider }) => provider.name === 'wasm');
  return wasm === undefined ? none : { judge: 'wasm', wrong: wrongBy(wasm.outputs) };
}

/** Sorts the candidates into those that are here and those that lack something. */
async function probeAll(
  candidates: readonly EngineProvider[],
): Promise<{ here: Candidate[]; missing: EngineTrial[] }> {
  const here: Candidate[] = [];
  const missing: EngineTrial[] = [];
  // Together: those with native code are tried in processes of their own.
  const statuses = await Promise.all(candidates.map((provider) => provider.probe()));
  candidates.forEach((provider, i) => {
    const status = statuses[i];
    if (status?.available === true) here.push({ provider, description: status.description });
    else if (status !== undefined)
      missing.push({ engine: provider.name, problem: status.missing, install: status.install });
  });
  return { here, missing };
}

/** What is wrong with an engine on this machine; null if nothing is, now or when it was last asked. */
async function testOnce({ provider, description }: Candidate, memory: EngineMemory): Promise<string | null> {
  const of = ['self-test', selfTestIdentity(), description];
  if (memory.recall(of)?.value === true) return null;
  const fault = await selfTest(provider);
  if (fault === null) memory.remember(of, true);
  return fault;
}

function isChoice(value: unknown): value is Choice {
  if (typeof value !== 'object' || value === null) return false;
  const { engine, why, trials } = value as Partial<Record<keyof Choice, unknown>>;
  return (
    typeof engine === 'string' && typeof why === 'string' && Array.isArray(trials) && trials.every(isTrial)
  );
}

function isTrial(value: unknown): value is EngineTrial {
  if (typeof value !== 'object' || value === null) return false;
  const { engine, stepMs, problem, install } = value as Partial<Record<keyof EngineTrial, unknown>>;
  return (
    typeof engine === 'string' &&
    (stepMs === undefined || typeof stepMs === 'number') &&
    (problem === undefined || typeof problem === 'string') &&
    (install === undefined || install === null || typeof install === 'string')
  );
}

/** The engine that was fastest when this step was last measured on this machine with these engines. */
async function recallChoice(
  of: unknown,
  here: readonly Candidate[],
  memory: EngineMemory,
): Promise<Selection | null> {
  const known = memory.recall(of);
  if (known === undefined || !isChoice(known.value)) return null;
  const { engine: name, why, trials } = known.value;
  const chosen = here.find(({ provider }) => provider.name === name);
  if (chosen === undefined || (await testOnce(chosen, memory)) !== null) return null;
  try {
    const engine = await chosen.provider.load();
    return { engine, why: `${why}, measured on ${new Date(known.at).toISOString().slice(0, 10)}`, trials };
  } catch {
    // It is not what it was: all are measured again.
    return null;
  }
}

/**
 * Measures the engines and loads the fastest that computes what it should; for a step that was measured before, the one
 * that was fastest then.
 *
 * @throws ShrinkError `no-engine` when none works
 */
export async function selectEngine(sample: StepSample, options: SelectOptions = {}): Promise<Selection> {
  const { budgetMs = 1000, memory = NO_MEMORY } = options;
  const candidates = options.candidates ?? providersHere().filter(({ name }) => name !== 'cpu');
  const snapshot = await takeSnapshot();
  const { here, missing } = await probeAll(candidates);
  const of =
    sample.identity === undefined
      ? undefined
      : ['choice', sample.identity, here.map(({ description }) => description)];
  const known = of === undefined ? null : await recallChoice(of, here, memory);
  restore(snapshot);
  if (known !== null) return { ...known, trials: [...known.trials, ...missing] };

  const measured: Measured[] = [];
  const failed: EngineTrial[] = [];
  let lasting = true;
  for (const candidate of here) {
    const { name } = candidate.provider;
    try {
      const wrong = await testOnce(candidate, memory);
      if (wrong !== null) {
        failed.push({ engine: name, problem: wrong });
        continue;
      }
      const engine = await candidate.provider.load();
      restore(snapshot);
      measured.push({ ...candidate, ...(await measure(engine, sample, budgetMs)) });
    } catch (thrown) {
      failed.push({ engine: name, problem: messageOf(thrown) });
      lasting &&= thrown instanceof ShrinkError && thrown.code.startsWith('untraceable');
    }
  }
  restore(snapshot);
  const verdict = await judgeAll(measured, sample);
  const { best, why, trials } = rank(measured, verdict, failed, missing);
  const engine = await best.provider.load();
  restore(snapshot);
  // An engine that broke down may have met a moment's lack of memory: that is not worth remembering.
  if (of !== undefined && lasting)
    memory.remember(of, { engine: best.provider.name, why, trials } satisfies Choice);
  return { engine, why, trials: [...trials, ...missing] };
}

/** What broke down comes first: engines that are not here are nobody's mistake. */
function noEngine(failed: readonly EngineTrial[], missing: readonly EngineTrial[]): ShrinkError {
  const reasons = new Map<string, string[]>();
  for (const { engine, problem = '' } of failed)
    reasons.set(problem, [...(reasons.get(problem) ?? []), engine]);
  const broken = [...reasons].map(([problem, engines]) => `${engines.join(' and ')}: ${problem}`);
  const absent = missing.map(({ engine }) => engine);
  const parts = [...broken, ...(absent.length === 0 ? [] : [`not here: ${absent.join(', ')}`])];
  return new ShrinkError('environment', 'no-engine', `No engine can train this model. ${parts.join('; ')}`);
}

/** @throws ShrinkError `no-engine` */
function rank(
  measured: readonly Measured[],
  { judge, wrong }: Verdict,
  failed: readonly EngineTrial[],
  missing: readonly EngineTrial[],
): { readonly best: Measured; readonly why: string; readonly trials: readonly EngineTrial[] } {
  const ranked = measured.filter((one) => !wrong.has(one)).toSorted((a, b) => a.stepMs - b.stepMs);
  const [best, second] = ranked;
  if (best === undefined) {
    throw noEngine(failed, missing);
  }
  const trials = measured.map((one): EngineTrial => {
    const trial = { engine: one.provider.name, stepMs: one.stepMs };
    if (one === best) return trial;
    return {
      ...trial,
      problem: wrong.has(one)
        ? `it computes another loss than ${judge}`
        : `slower than ${best.provider.name}`,
    };
  });
  const against =
    second === undefined
      ? 'the only one that works here'
      : `${second.provider.name} ${second.stepMs.toFixed(1)} ms`;
  const why = `${best.provider.name} takes ${best.stepMs.toFixed(1)} ms a step (${against})`;
  return { best, why, trials: [...trials, ...failed] };
}
