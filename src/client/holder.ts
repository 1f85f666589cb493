import { hostname } from 'node:os';
import { ShrinkError } from '../core/errors';
import { markKilled } from '../run/crashes';
import { readLiveLock, removeStaleLock, type LockInfo } from '../run/lock';
import { isSameProcess } from '../run/processIdentity';
import { removeSocketPath } from '../run/socketPath';
import { unreachable } from './connect';
import { killProcessGroup } from './killProcess';
import type { SpawnedBackend } from './spawnBackend';

/** The process that holds a run's lock. */

/** Time a backend has from its last word to its end. */
const LEAVE_MS = 10_000;
const POLL_MS = 20;

/**
 * Waits until the process of a backend that has said its last word has ended, ends it if it does not, and removes
 * what it may have left.
 */
export async function waitForEnd(
  folder: string,
  lock: LockInfo,
  backend: SpawnedBackend | undefined,
): Promise<void> {
  if (lock.host !== hostname()) return;
  for (const deadline = performance.now() + LEAVE_MS; performance.now() < deadline;) {
    if (!(await isSameProcess(lock.pid, lock.startTime))) {
      await backend?.exited;
      await cleanUp(folder, lock);
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  await killProcessGroup(lock.pid);
  await cleanUp(folder, lock);
}

/** A folder that is gone or may not be written needs no cleaning. */
async function cleanUp(folder: string, lock: LockInfo): Promise<void> {
  await removeStaleLock(folder, lock).catch(() => undefined);
  await removeSocketPath(lock.socket);
}

/** Asks a backend to stop by a signal. @throws ShrinkError `backend-unreachable` where there are none */
export async function signalHolder(lock: LockInfo, cause: unknown): Promise<void> {
  if (process.platform === 'win32' || lock.host !== hostname()) throw unreachable(lock, cause);
  if (await isSameProcess(lock.pid, lock.startTime)) process.kill(lock.pid, 'SIGTERM');
}

/** Waits until a backend has ended, however long it takes. */
export async function waitUntilGone(folder: string, lock: LockInfo): Promise<void> {
  while ((await readLiveLock(folder))?.token === lock.token)
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
}

/**
 * Ends the process group of a backend and removes what it could not remove itself. The process is checked to be
 * the one that took the lock, since its id may have been used again.
 *
 * @throws ShrinkError `other-machine` or `kill-failed`
 */
export async function killHolder(folder: string, lock: LockInfo): Promise<void> {
  if (lock.host !== hostname())
    throw new ShrinkError(
      'environment',
      'other-machine',
      `The run is being trained by process ${lock.pid} on ${lock.host}; it can only be ended there.`,
    );
  await markKilled(folder, lock.token);
  if (await isSameProcess(lock.pid, lock.startTime)) await killProcessGroup(lock.pid);
  await cleanUp(folder, lock);
}
