import { hostname } from 'node:os';
import { ShrinkError } from '../core/errors';
import { markKilled } from '../run/crashes';
import { backendLives, readLiveLock, removeStaleLock, type LockInfo } from '../run/lock';
import { isSameProcess } from '../run/processIdentity';
import { removeSocketPath } from '../run/socketPath';
import { unreachable } from './connect';
import { killProcessGroup } from './killProcess';
import type { SpawnedBackend } from './spawnBackend';

/** The processes behind a run's lock: the backend that took it, and its supervisor. */

/** Time they have from the backend's last word to their end. */
const LEAVE_MS = 10_000;
const POLL_MS = 20;

/** Whether the backend that took this lock lives and still holds it. */
export async function isHolding(folder: string, lock: LockInfo): Promise<boolean> {
  if ((await readLiveLock(folder))?.token !== lock.token) return false;
  return lock.host !== hostname() || (await backendLives(lock));
}

/** Whether the supervisor that stands in a lock lives. */
async function supervisorLives({ supervisor }: LockInfo): Promise<boolean> {
  return supervisor !== undefined && (await isSameProcess(supervisor.pid, supervisor.startTime));
}

/**
 * Waits until a backend has ended, and what follows: its supervisor starts another one, or ends too.
 *
 * @param ended whether the backend has said its last word; processes that then stay are ended
 * @returns the lock of the next backend, if there is one
 */
export async function waitForNext(
  folder: string,
  lock: LockInfo,
  backend: SpawnedBackend | undefined,
  ended: boolean,
): Promise<LockInfo | undefined> {
  if (lock.host !== hostname()) return undefined;
  const deadline = performance.now() + LEAVE_MS;
  while ((await backendLives(lock)) || (await supervisorLives(lock))) {
    const now = await readLiveLock(folder);
    if (!ended && now !== undefined && now.token !== lock.token) return now;
    // Without a last word the backend is dead already, and a supervisor takes the time it needs.
    if (performance.now() > deadline && (ended || (await backendLives(lock)))) {
      await killLiving(lock);
      break;
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  await backend?.exited;
  // One that the supervisor had still started, and that took the lock before the supervisor was gone.
  const now = ended ? undefined : await readLiveLock(folder);
  if (now !== undefined && now.token !== lock.token) return now;
  await cleanUp(folder, lock);
  return undefined;
}

/** Ends the group of a lock's processes. Either of them keeps the id of their group from being used again. */
async function killLiving(lock: LockInfo): Promise<void> {
  const { pid, supervisor } = lock;
  const members = [
    ...(supervisor !== undefined && (await supervisorLives(lock)) ? [supervisor.pid] : []),
    ...((await backendLives(lock)) ? [pid] : []),
  ];
  if (members.length > 0) await killProcessGroup(supervisor?.pid ?? pid, members);
}

/** A folder that is gone or may not be written needs no cleaning. */
async function cleanUp(folder: string, lock: LockInfo): Promise<void> {
  await removeStaleLock(folder, lock).catch(() => undefined);
  await removeSocketPath(lock.socket);
}

/** Asks a run to stop by a signal. @throws ShrinkError `backend-unreachable` where there are none */
export async function signalHolder(lock: LockInfo, cause: unknown): Promise<void> {
  if (process.platform === 'win32' || lock.host !== hostname()) throw unreachable(lock, cause);
  if (await backendLives(lock)) process.kill(lock.pid, 'SIGTERM');
  else if (lock.supervisor !== undefined && (await supervisorLives(lock)))
    process.kill(lock.supervisor.pid, 'SIGTERM');
}

/** Waits until nobody trains the run under this lock, however long it takes. */
export async function waitUntilGone(folder: string, lock: LockInfo): Promise<void> {
  while ((await readLiveLock(folder))?.token === lock.token)
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
}

/**
 * Ends the process group of a backend and removes what it could not remove itself. The processes are checked to be
 * those of the lock, since their ids may have been used again.
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
  await killLiving(lock);
  await cleanUp(folder, lock);
}
