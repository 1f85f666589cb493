import { ShrinkError } from '../core/errors';
import { describeRun } from '../run/listRuns';
import { readLiveLock } from '../run/lock';
import { createRun, readPlan, type NewRun } from '../run/runFolder';
import { followRun } from './followRun';
import { killHolder, waitUntilGone } from './holder';
import { RunHandle } from './runHandle';
import { spawnBackend, type BackendSettings } from './spawnBackend';

/** Starting, finding, watching and ending runs. Everything the extension and the command line do with a backend. */

export interface StartSettings extends BackendSettings, NewRun {
  /** From `runsFolderFor`. */
  readonly runsFolder: string;
}

/**
 * Makes a run's folder and trains it in a process of its own.
 *
 * @throws ShrinkError kind `bad-input` if the folder cannot be made, `backend-missing`, `backend-start`
 */
export async function startRun(settings: StartSettings): Promise<RunHandle> {
  const folder = await createRun(settings.runsFolder, settings);
  return launchRun(folder, settings);
}

/** Goes on with a run from its last checkpoint; joins it if it is being trained already. @throws ShrinkError `run-missing`, `run-done`, `journal-version`, … */
export async function resumeRun(folder: string, settings: BackendSettings): Promise<RunHandle> {
  const { state } = await describeRun(folder);
  if (state === 'running') return attachRun(folder);
  if (state === 'done')
    throw new ShrinkError('bad-input', 'run-done', 'This run is done; there is nothing to resume.');
  return launchRun(folder, settings);
}

/** Starts a backend on the folder of a run. */
export async function launchRun(folder: string, settings: BackendSettings): Promise<RunHandle> {
  const { backend, lock } = await spawnBackend(folder, settings);
  return new RunHandle(folder, lock, backend);
}

/** Watches a run: live if it is being trained, else as its journal tells it. @throws ShrinkError `run-missing` */
export async function attachRun(folder: string): Promise<RunHandle> {
  await readPlan(folder);
  return new RunHandle(folder, await readLiveLock(folder));
}

/** Asks a run to keep what was learned, and waits until it has ended. @returns false if it was not being trained */
export async function stopRun(folder: string): Promise<boolean> {
  const lock = await readLiveLock(folder);
  if (lock === undefined) return false;
  const handle = new RunHandle(folder, lock);
  await handle.stop();
  await followRun(handle);
  await waitUntilGone(folder, lock);
  return true;
}

/** Ends a run's processes at once. @returns false if there were none */
export async function killRun(folder: string): Promise<boolean> {
  const lock = await readLiveLock(folder);
  if (lock === undefined) return false;
  await killHolder(folder, lock);
  return true;
}
