import { dirname } from 'node:path';
import { ShrinkError } from '../core/errors';
import { nextTrialOf, type SweepPlace } from '../core/sweep';
import { describeRun, listRuns, readEnding, type RunSummary } from '../run/listRuns';
import { readLiveLock } from '../run/lock';
import { createNextTrial, createSweep, isWholeRun, readPlan, trialFolder } from '../run/runFolder';
import { RunHandle } from './runHandle';
import { launchRun, resumeRun, type StartSettings } from './runs';
import type { BackendSettings } from './spawnBackend';

/**
 * Sweeps: trials over λ, a run each, one after the other. Each trial's supervisor starts the next one, so that a sweep
 * goes on whoever watches; what is here starts the first, finds the next, and takes up one that was left in between.
 */

export interface SweepSettings extends StartSettings {
  /** From `parseLambdas`. */
  readonly lambdas: readonly number[];
}

/** Time in which the next trial must take its lock. */
const NEXT_MS = 60_000;
const POLL_MS = 50;

/** Starts the first trial; the others follow it. @throws ShrinkError as `startRun` */
export async function startSweep(settings: SweepSettings): Promise<RunHandle> {
  const { lambdas } = settings;
  const [lambda] = lambdas;
  if (lambda === undefined) throw new RangeError('a sweep has trials');
  const run = { ...settings, options: { ...settings.options, lambda } };
  return launchRun(await createSweep(settings.runsFolder, run, lambdas), settings);
}

/**
 * The trial that followed a run which has ended.
 *
 * @returns undefined if none did: the run is no sweep's, was stopped, or is the last
 * @throws ShrinkError `sweep-stuck` if it was made and did not begin
 */
export async function attachNextTrial(folder: string): Promise<RunHandle | undefined> {
  const next = await nextTrialFolder(folder);
  if (next === undefined) return undefined;
  for (const deadline = performance.now() + NEXT_MS; performance.now() < deadline;) {
    const lock = await readLiveLock(next);
    if (lock !== undefined || (await readEnding(next)) !== undefined) return new RunHandle(next, lock);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  throw new ShrinkError(
    'environment',
    'sweep-stuck',
    `The next trial of the sweep (${next}) did not begin; its backend.log says why. Resume it to go on.`,
  );
}

/** The folder of the trial after a run, if it has been made. */
async function nextTrialFolder(folder: string): Promise<string | undefined> {
  const { sweep } = await readPlan(folder);
  const trial = sweep === undefined ? undefined : nextTrialOf(sweep);
  if (sweep === undefined || trial === undefined) return undefined;
  const next = trialFolder(dirname(folder), sweep, trial);
  return isWholeRun(next) ? next : undefined;
}

/**
 * Goes on with a run as `resumeRun` does; with one of a sweep that is done, at the sweep's last trial or the one that
 * should have followed it.
 *
 * @throws ShrinkError `run-missing`, `run-done`, `journal-version`, …
 */
export async function resumeRunOrSweep(folder: string, settings: BackendSettings): Promise<RunHandle> {
  const { state, sweep } = await describeRun(folder);
  if (state !== 'done' || sweep === undefined) return resumeRun(folder, settings);
  const last = (await trialsOf(dirname(folder), sweep)).at(-1);
  if (last === undefined || last.state !== 'done') return resumeRun(last?.folder ?? folder, settings);
  const next = await createNextTrial(last.folder);
  return next === undefined ? resumeRun(last.folder, settings) : launchRun(next, settings);
}

/** The runs of a sweep, in the order of their trials. */
export async function trialsOf(runsFolder: string, { id }: Pick<SweepPlace, 'id'>): Promise<RunSummary[]> {
  const runs = await listRuns(runsFolder);
  return runs
    .filter((run) => run.sweep?.id === id)
    .sort((a, b) => (a.sweep?.trial ?? 0) - (b.sweep?.trial ?? 0));
}
