import { randomBytes } from 'node:crypto';
import { rename, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { ShrinkError } from '../core/errors';
import { chooseNewest, deleteOtherCheckpoints, findLatestCheckpoint } from './checkpoints';
import { fileError } from './durable';
import { readJournal } from './journal';
import { measureFolder } from './listRuns';
import { acquireLock, releaseLock } from './lock';
import { readStartTime } from './processIdentity';
import { isDone } from './restore';
import { isRunName, readPlan } from './runFolder';

/** Giving back disk space. Both hold the run's lock meanwhile, so no backend can begin in between. */

/**
 * Deletes the checkpoints that resuming does not need: all of a run that is done, else all but the newest whole
 * one.
 *
 * @returns bytes given back
 * @throws ShrinkError `run-locked` while it is being trained, `run-missing`
 */
export async function pruneRun(folder: string): Promise<number> {
  await readPlan(folder);
  return holdingLock(folder, async () => {
    const before = await measureFolder(folder);
    const { events } = await readJournal(folder);
    const kept = isDone(events) ? undefined : (await findLatestCheckpoint(folder, events))?.event;
    await deleteOtherCheckpoints(folder, chooseNewest(kept));
    return before - (await measureFolder(folder));
  });
}

/**
 * Deletes a run with everything in it.
 *
 * @throws ShrinkError `run-locked` while it is being trained, `run-missing` if the folder is no run's
 */
export async function deleteRun(folder: string): Promise<void> {
  await readPlan(folder);
  if (!isRunName(basename(folder)))
    throw new ShrinkError(
      'bad-input',
      'run-missing',
      `${folder} is not the folder of a run; it is not deleted.`,
    );
  const away = join(dirname(folder), `.deleted-${randomBytes(6).toString('hex')}`);
  await holdingLock(folder, async () => {
    try {
      // Away first: a deletion that is cut off then leaves no half of a run in the list.
      await rename(folder, away);
      await rm(away, { recursive: true, force: true });
    } catch (error) {
      throw fileError(error, 'delete the run', folder);
    }
  });
}

async function holdingLock<T>(folder: string, act: () => Promise<T>): Promise<T> {
  const token = randomBytes(32).toString('hex');
  const startTime = (await readStartTime(process.pid)) ?? 'unknown';
  // Nobody listens: a client that tries to attach in this moment is told that it cannot.
  await acquireLock(folder, {
    version: 1,
    pid: process.pid,
    startTime,
    host: hostname(),
    socket: 'none',
    token,
  });
  try {
    return await act();
  } finally {
    await releaseLock(folder, token);
  }
}
