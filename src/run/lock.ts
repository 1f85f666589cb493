import { createHash, randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { copyFile, link, open, rename, rm, stat, utimes } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { ShrinkError } from '../core/errors';
import { readBounded } from './boundedFile';
import { codeOf, fileError } from './durable';
import { isSameProcess, readStartTime } from './processIdentity';
import { RUN_FILES } from './paths';

/**
 * The lock of a run: who writes it, and how to reach them. Readable by the user alone, since it holds the token.
 */

const processSchema = z.object({
  pid: z.number().int().min(1),
  /** From `readStartTime`. */
  startTime: z.string().min(1),
});

const lockSchema = processSchema.extend({
  version: z.literal(1),
  host: z.string(),
  /** Unix socket or Windows named pipe. */
  socket: z.string().min(1),
  /** Hex; a client shows it to be let in. */
  token: z.string().min(32).max(256),
  /** Starts the backend again if it dies, and leads the process group of both. */
  supervisor: processSchema.exactOptional(),
});

/** A process, known for sure. */
export type ProcessId = z.infer<typeof processSchema>;
export type LockInfo = z.infer<typeof lockSchema>;

const MAX_LOCK_BYTES = 64 * 1024;
/** How often the holder renews the lock's time, in milliseconds. */
export const LOCK_RENEWAL_MS = 10_000;
/** Age after which a lock of another machine or container is stale; processes cannot be looked up there. */
const FOREIGN_LOCK_MS = 60_000;

function lockPath(folder: string): string {
  return join(folder, RUN_FILES.lock);
}

async function readLockText(path: string): Promise<string | undefined> {
  try {
    return await readBounded(path, MAX_LOCK_BYTES);
  } catch (error) {
    // Damaged, whatever is in it.
    if (error instanceof RangeError) return error.message;
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return undefined;
    throw fileError(error, 'read the lock', path);
  }
}

function parseLock(text: string | undefined): LockInfo | undefined {
  if (text === undefined) return undefined;
  try {
    const parsed = lockSchema.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}

/** The lock as it stands; undefined if there is none or it is damaged. It may be stale. */
export async function readLock(folder: string): Promise<LockInfo | undefined> {
  return parseLock(await readLockText(lockPath(folder)));
}

/** The lock, if the run is being trained: its backend lives, or its supervisor, who starts it again. */
export async function readLiveLock(folder: string): Promise<LockInfo | undefined> {
  const path = lockPath(folder);
  const lock = await readLock(folder);
  return lock !== undefined && (await isHeld(path, lock)) ? lock : undefined;
}

/** @param mine the lock that somebody wants to put in its place */
async function isHeld(path: string, lock: LockInfo, mine?: LockInfo): Promise<boolean> {
  if (lock.host === hostname()) return (await backendLives(lock)) || (await supervisorLives(lock, mine));
  const modified = await stat(path).then(
    (found) => found.mtimeMs,
    () => Number.NEGATIVE_INFINITY,
  );
  return Math.abs(Date.now() - modified) < FOREIGN_LOCK_MS;
}

/** Whether the backend that took a lock of this machine lives. */
export function backendLives(lock: LockInfo): Promise<boolean> {
  return isSameProcess(lock.pid, lock.startTime);
}

/** A supervisor keeps the run for its own next backend, and for nobody else. */
async function supervisorLives({ supervisor }: LockInfo, mine?: LockInfo): Promise<boolean> {
  if (supervisor === undefined || supervisor.pid === mine?.supervisor?.pid) return false;
  return isSameProcess(supervisor.pid, supervisor.startTime);
}

/**
 * Takes a run's lock.
 *
 * @returns the stale lock that was taken over, if there was one
 * @throws ShrinkError `run-locked` if another backend that lives holds it
 */
export async function acquireLock(folder: string, mine: LockInfo): Promise<{ stale?: string }> {
  let temporary: string | undefined;
  try {
    temporary = await writeTemporary(folder, mine);
    const stale = await takeAt(lockPath(folder), temporary, mine);
    return stale === undefined ? {} : { stale };
  } catch (error) {
    throw fileError(error, 'take the lock of the run', lockPath(folder));
  } finally {
    if (temporary !== undefined) await rm(temporary, { force: true }).catch(() => undefined);
  }
}

/**
 * Puts the file at `path` if nothing lies there, or something stale. Two that find the same stale lock must not
 * both replace it, so replacing is itself done under a lock, which is named after exactly that stale content: who
 * comes second finds the content changed, and one that dies in between leaves a lock that is stale in its turn.
 */
async function takeAt(path: string, temporary: string, mine: LockInfo): Promise<string | undefined> {
  if (await placeExclusively(temporary, path)) return undefined;
  const found = await readLockText(path);
  if (found === undefined) return takeAt(path, temporary, mine);
  const holder = parseLock(found);
  if (holder !== undefined && (await isHeld(path, holder, mine))) throw heldBy(holder);

  const guard = guardOf(path, found);
  await takeGuard(guard, temporary, mine);
  try {
    if ((await readLockText(path)) !== found) return await takeAt(path, temporary, mine);
    // The guard may be a second name of the temporary file; renaming one name of a file onto another of the
    // same file does nothing, but here `path` is another file.
    const copy = `${temporary}.2`;
    await copyFile(temporary, copy);
    await rename(copy, path);
    return found;
  } finally {
    await rm(guard, { force: true });
  }
}

function guardOf(path: string, content: string): string {
  return `${path}.${createHash('sha256').update(content).digest('hex').slice(0, 8)}`;
}

/** A guard is held for a few file operations: it is worth waiting for. */
async function takeGuard(guard: string, temporary: string, mine: LockInfo): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await takeAt(guard, temporary, mine);
      return;
    } catch (error) {
      if (!(error instanceof ShrinkError) || error.code !== 'run-locked' || attempt === 40) throw error;
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }
}

/**
 * Removes the lock of a backend that has ended without doing so. Under the guard that {@link takeAt} uses, so that
 * the lock of somebody who takes over just now is not removed instead.
 */
export async function removeStaleLock(folder: string, stale: LockInfo): Promise<void> {
  const path = lockPath(folder);
  const found = await readLockText(path);
  if (found === undefined || parseLock(found)?.token !== stale.token || (await isHeld(path, stale))) return;
  const me: LockInfo = {
    version: 1,
    pid: process.pid,
    startTime: (await readStartTime(process.pid)) ?? 'unknown',
    host: hostname(),
    socket: stale.socket,
    token: randomBytes(32).toString('hex'),
  };
  const temporary = await writeTemporary(folder, me);
  try {
    const guard = guardOf(path, found);
    await takeGuard(guard, temporary, me);
    try {
      if ((await readLockText(path)) === found) await rm(path, { force: true });
    } finally {
      await rm(guard, { force: true });
    }
  } finally {
    await rm(temporary, { force: true });
  }
}

async function writeTemporary(folder: string, lock: LockInfo): Promise<string> {
  const temporary = join(folder, `.lock.${lock.token.slice(0, 16)}.tmp`);
  const handle = await open(temporary, 'wx', 0o600);
  try {
    await handle.writeFile(`${JSON.stringify(lock)}\n`);
    await handle.sync();
    return temporary;
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw error;
  } finally {
    await handle.close();
  }
}

/** A hard link appears at once with its whole content; a copy is for file systems without links. */
async function placeExclusively(temporary: string, path: string): Promise<boolean> {
  try {
    await link(temporary, path);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    if (codeOf(error) === 'ENOENT') throw error;
  }
  try {
    await copyFile(temporary, path, constants.COPYFILE_EXCL);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

function heldBy(holder: LockInfo): ShrinkError {
  const where = holder.host === hostname() ? '' : ` on ${holder.host}`;
  return new ShrinkError(
    'bad-input',
    'run-locked',
    `This run is being trained by process ${holder.pid}${where}. Attach to it, or stop it first.`,
  );
}

/** Whether the run's lock is still the one with this token. */
export async function holdsLock(folder: string, token: string): Promise<boolean> {
  return (await readLock(folder))?.token === token;
}

/** Shows watchers on other machines that the holder lives. */
export async function renewLock(folder: string): Promise<void> {
  const now = new Date();
  await utimes(lockPath(folder), now, now);
}

/** Removes the lock if it is the one with this token. */
export async function releaseLock(folder: string, token: string): Promise<void> {
  if (await holdsLock(folder, token)) await rm(lockPath(folder), { force: true });
}
