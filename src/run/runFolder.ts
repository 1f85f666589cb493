import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import { ShrinkError } from '../core/errors';
import type { TrainOptions } from '../core/options';
import type { Plan } from '../core/plan';
import { nextTrialOf, type SweepPlace } from '../core/sweep';
import { readBounded } from './boundedFile';
import { codeOf, fileError, syncFolder, writeDurably } from './durable';
import { PROJECT_FOLDER, RUN_FILES } from './paths';

/** Making a run's folder, and the two files that never change in it. */

const planSchema = z.looseObject({
  version: z.literal(1),
  file: z.string(),
  fileHash: z.string(),
  language: z.string(),
  model: z.string(),
  program: z.looseObject({ kind: z.enum(['slice', 'topology']) }),
  sites: z.array(z.looseObject({ id: z.number(), file: z.string() })),
  sweep: z
    .object({ id: z.string(), trial: z.number().int().min(0), lambdas: z.array(z.number()).min(1) })
    .optional(),
});

/** Far more than the largest plan: the slice of a model's source, or its topology. */
const MAX_BYTES = 64 * 1024 * 1024;

const optionsSchema = z.looseObject({ mode: z.string(), epochs: z.number(), seed: z.number() });

/**
 * A name for a run that sorts by local time and can be read: `20261122-153012-mnist`.
 *
 * @param label usually the model's name; what is not safe in a file name is left out
 */
export function nameRun(label: string, now: Date): string {
  const two = (value: number): string => String(value).padStart(2, '0');
  const day = `${now.getFullYear()}${two(now.getMonth() + 1)}${two(now.getDate())}`;
  const time = `${two(now.getHours())}${two(now.getMinutes())}${two(now.getSeconds())}`;
  const safe = label.replace(/[^A-Za-z0-9_-]+/g, '-').replace(/^-+|-+$/g, '');
  return `${day}-${time}-${safe.slice(0, 40) || 'model'}`;
}

/** Whether a name can be a run's: used before any text from outside becomes part of a path. */
export function isRunName(name: string): boolean {
  return /^\d{8}-\d{6}-[A-Za-z0-9_-]+$/.test(name);
}

export interface NewRun {
  readonly plan: Plan;
  readonly options: TrainOptions;
  /** Readable end of the run's name; the model's name if absent. */
  readonly label?: string;
  readonly now?: Date;
}

/**
 * Makes the folder of a new run with its plan and options.
 *
 * @returns its absolute path; the last part is the run's id
 * @throws ShrinkError kind `bad-input` if the place cannot be written
 */
export async function createRun(runsFolder: string, run: NewRun): Promise<string> {
  const name = nameRun(run.label ?? run.plan.model, run.now ?? new Date());
  return making(runsFolder, async () => {
    const folder = await makeUnique(runsFolder, (count) => (count === 1 ? name : `${name}-${count}`));
    await fillRun(folder, run);
    return folder;
  });
}

/**
 * Makes the folder of a sweep's first trial. Its λ is in the options already.
 *
 * @returns its absolute path; the sweep's id is its last part without `-1`
 * @throws ShrinkError kind `bad-input` if the place cannot be written
 */
export async function createSweep(
  runsFolder: string,
  run: NewRun,
  lambdas: readonly number[],
): Promise<string> {
  const name = nameRun(`${run.plan.model.slice(0, 30)}-sweep`, run.now ?? new Date());
  return making(runsFolder, async () => {
    const folder = await makeUnique(runsFolder, (count) => `${name}${count === 1 ? '' : count}-1`);
    const id = basename(folder).slice(0, -'-1'.length);
    await fillRun(folder, { ...run, plan: { ...run.plan, sweep: { id, trial: 0, lambdas } } });
    return folder;
  });
}

/** Where the trial of a sweep lies, whether it is there or not. */
export function trialFolder(runsFolder: string, sweep: Pick<SweepPlace, 'id'>, trial: number): string {
  return join(runsFolder, `${sweep.id}-${trial + 1}`);
}

/**
 * Makes the folder of the trial that follows a run of a sweep, with the same plan and options but for λ.
 *
 * @returns undefined if the run is no sweep's or the last of it, or if the trial is there: another process was first
 * @throws ShrinkError kind `bad-input` if the place cannot be written
 */
export async function createNextTrial(folder: string): Promise<string | undefined> {
  const plan = await readPlan(folder);
  const { sweep } = plan;
  const trial = sweep === undefined ? undefined : nextTrialOf(sweep);
  const lambda = trial === undefined ? undefined : sweep?.lambdas[trial];
  if (sweep === undefined || trial === undefined || lambda === undefined) return undefined;
  const options = { ...(await readOptions(folder)), lambda };
  const next = trialFolder(dirname(folder), sweep, trial);
  if (!isRunName(basename(next))) return undefined;
  return making(dirname(folder), async () => {
    try {
      await mkdir(next);
    } catch (error) {
      if (codeOf(error) === 'EEXIST') return undefined;
      throw error;
    }
    await syncFolder(dirname(next));
    await fillRun(next, { plan: { ...plan, sweep: { ...sweep, trial } }, options });
    return next;
  });
}

async function making<T>(runsFolder: string, make: () => Promise<T>): Promise<T> {
  try {
    await makeFolders(runsFolder);
    await ignoreInGit(runsFolder);
    return await make();
  } catch (error) {
    const cause = error instanceof ShrinkError ? error.cause : error;
    throw fileError(cause, 'make a folder for the run', runsFolder, 'bad-input');
  }
}

async function fillRun(folder: string, { plan, options }: NewRun): Promise<void> {
  await mkdir(join(folder, RUN_FILES.checkpoints));
  await mkdir(join(folder, RUN_FILES.weights));
  await writeDurably(join(folder, RUN_FILES.options), [JSON.stringify(options, null, 2), '\n']);
  // The plan last: a folder with a plan is complete.
  await writeDurably(join(folder, RUN_FILES.plan), [JSON.stringify(plan, null, 2), '\n']);
}

/** Not `recursive: true`: Node.js tries for ever where a file system says ENOENT for a new name, as /proc does. */
async function makeFolders(folder: string): Promise<void> {
  if (existsSync(folder)) return;
  if (dirname(folder) !== folder) await makeFolders(dirname(folder));
  await mkdir(folder).catch((error: unknown) => {
    if (codeOf(error) !== 'EEXIST') throw error;
  });
  await syncFolder(dirname(folder));
}

/** Two runs may start in one second, or the clock may go back: the name is taken exclusively. */
async function makeUnique(runsFolder: string, name: (count: number) => string): Promise<string> {
  for (let count = 1; ; count += 1) {
    const folder = join(runsFolder, name(count));
    try {
      await mkdir(folder);
      await syncFolder(runsFolder);
      return folder;
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error;
    }
  }
}

/** Only in our own folder: one that the user chose may hold files that are to be committed. */
async function ignoreInGit(runsFolder: string): Promise<void> {
  const parent = dirname(runsFolder);
  if (basename(parent) !== PROJECT_FOLDER) return;
  await writeFile(join(parent, '.gitignore'), '*\n', { flag: 'wx' }).catch((error: unknown) => {
    if (codeOf(error) !== 'EEXIST') throw error;
  });
}

/** Whether a folder holds a run that was made completely. */
export function isWholeRun(folder: string): boolean {
  return existsSync(join(folder, RUN_FILES.plan));
}

/** @throws ShrinkError `run-missing` or `run-damaged` */
export async function readPlan(folder: string): Promise<Plan> {
  return (await readJson(folder, RUN_FILES.plan, planSchema)) as unknown as Plan;
}

/** @throws ShrinkError `run-missing` or `run-damaged` */
export async function readOptions(folder: string): Promise<TrainOptions> {
  return (await readJson(folder, RUN_FILES.options, optionsSchema)) as unknown as TrainOptions;
}

async function readJson<T>(folder: string, name: string, schema: z.ZodType<T>): Promise<T> {
  const path = join(folder, name);
  let text: string;
  try {
    text = await readBounded(path, MAX_BYTES);
  } catch (error) {
    if (error instanceof RangeError) throw damaged(path, error);
    if (codeOf(error) !== 'ENOENT' && codeOf(error) !== 'ENOTDIR')
      throw fileError(error, `read ${name}`, path);
    throw new ShrinkError('bad-input', 'run-missing', `There is no run in ${folder}: ${name} is missing.`, {
      cause: error,
    });
  }
  try {
    return schema.parse(JSON.parse(text));
  } catch (error) {
    throw damaged(path, error);
  }
}

function damaged(path: string, cause: unknown): ShrinkError {
  return new ShrinkError(
    'environment',
    'run-damaged',
    `${path} cannot be understood: it is damaged, or was written by another version of ShrinkNets.`,
    { cause },
  );
}
