import { findEnding } from '../run/listRuns';
import { readCrashes, recordCrash, wasKilled } from '../run/crashes';
import type { RunEnd, RunHandle } from './runHandle';
import { resumeRun } from './runs';
import { describeExit, type BackendSettings, type ProcessExit } from './spawnBackend';

/** Going on after a native engine, a driver or the system ended the backend. */

/** Deaths in one run after which a person should look. */
const MAX_CRASHES = 6;

/** Signals by which somebody asks a process to end; a process that dies of them did not crash. */
const ASKED = new Set<string>(['SIGTERM', 'SIGINT', 'SIGHUP']);
/** Exit code after a second SIGTERM. */
const TERMINATED = 143;

/**
 * Follows a run to its end; if its process dies by itself, resumes it from the last checkpoint. An engine on which
 * it died twice is passed over (`RunContext.avoidEngines`), and the journal gets a warning each time.
 *
 * @param onRestart told of every new handle; its events begin at 0 again, since the journal was cut back
 * @returns how the run ended at last
 */
export async function superviseRun(
  first: RunHandle,
  settings: BackendSettings,
  onRestart: (next: RunHandle, why: string) => void,
): Promise<RunEnd> {
  for (let handle = first; ;) {
    const end = await handle.closed;
    if (!(await hasCrashed(handle, end)) || end.exit === undefined) return end;
    const engine = handle.history.findLast((event) => event.type === 'engine')?.name ?? '';
    const how = describeExit(end.exit);
    try {
      await recordCrash(handle.folder, { at: Date.now(), engine, how });
      if ((await readCrashes(handle.folder)).length >= MAX_CRASHES) return end;
      handle = await resumeRun(handle.folder, settings);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      return { ...end, message: `${end.message} It could not be resumed: ${why}` };
    }
    onRestart(handle, how);
  }
}

async function hasCrashed(handle: RunHandle, end: RunEnd): Promise<boolean> {
  if (end.state !== 'interrupted' || end.exit === undefined) return false;
  if (findEnding(handle.history) !== undefined || !isCrash(end.exit)) return false;
  return handle.token !== undefined && !(await wasKilled(handle.folder, handle.token));
}

/** Whether a process that ended like this did so by itself. */
export function isCrash(exit: ProcessExit): boolean {
  if (exit.signal !== null) return !ASKED.has(exit.signal);
  return exit.code !== 0 && exit.code !== TERMINATED;
}
