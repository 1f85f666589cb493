import { recordCrash, wasKilled, type Crash } from '../../run/crashes';
import { findEnding, readTail } from '../../run/listRuns';
import { readLock } from '../../run/lock';

/**
 * Notes that the backend of a run died, if its run is not over.
 *
 * @param pid of the backend
 * @returns whether there is something to go on with: false if it was killed on request, had said its last word, or the
 *   run is another's or gone
 */
export async function noteDeath(folder: string, pid: number, crash: Crash): Promise<boolean> {
  const lock = await readLock(folder);
  if (lock?.pid !== pid || (await wasKilled(folder, lock.token))) return false;
  const events = await readTail(folder);
  if (findEnding(events) !== undefined) return false;
  // As in the journal, time does not go back: a crash is new if it is not older than the last event.
  await recordCrash(folder, { ...crash, at: Math.max(crash.at, events.at(-1)?.at ?? 0) });
  return true;
}
