import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { open, rename, rm, writeFile } from 'node:fs/promises';
import { constants } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { messageOf, ShrinkError, type ErrorKind } from '../core/errors';

/**
 * Files that are either the old ones or the new ones after a power loss: temporary name, write, sync, rename, sync
 * of the folder. (`write-file-atomic` 7 does not sync the folder, so a rename could be lost.)
 */

/** More than what a file system keeps beside a name. */
const PROBE_BYTES = 16 * 1024;
const TEMPORARY = /^\..*\.tmp$/;

/** Whether a file name is one of a write that was cut off. */
export function isTemporary(name: string): boolean {
  return TEMPORARY.test(name);
}

/**
 * Turns an error of the file system into a sentence for the user.
 *
 * @param doing what was tried, e.g. `write the checkpoint`
 * @param kind `bad-input` where the user chose the place, else `environment`
 */
export function fileError(
  thrown: unknown,
  doing: string,
  path: string,
  kind: ErrorKind = 'environment',
): ShrinkError {
  if (thrown instanceof ShrinkError) return thrown;
  const [code, advice] = diagnose(codeOf(thrown), thrown);
  return new ShrinkError(kind, code, `Could not ${doing} (${path}): ${advice}`, { cause: thrown });
}

/** The `code` of a system error, e.g. `ENOENT`. */
export function codeOf(thrown: unknown): string | undefined {
  if (typeof thrown !== 'object' || thrown === null || !('code' in thrown)) return undefined;
  // Node.js has no name for it and says "Unknown system error -122".
  if ('errno' in thrown && thrown.errno === -constants.errno.EDQUOT) return 'EDQUOT';
  return typeof thrown.code === 'string' ? thrown.code : undefined;
}

function diagnose(code: string | undefined, thrown: unknown): readonly [string, string] {
  switch (code) {
    case 'ENOSPC':
    case 'EDQUOT':
    case 'EFBIG':
      return ['disk-full', 'the disk is full or a quota is used up. Free some space, then resume the run.'];
    case 'EROFS':
    case 'EACCES':
    case 'EPERM':
      return ['not-writable', 'it may not be written. Choose another folder or change its permissions.'];
    case 'EIO':
      return ['disk-failed', 'the disk failed, or the connection to it. See to it, then resume the run.'];
    case 'ENOENT':
    case 'ENOTDIR':
      return ['folder-gone', 'the folder is not there (any more).'];
    default:
      return ['file-error', `${messageOf(thrown)}.`];
  }
}

function temporaryFor(path: string): string {
  return join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}.tmp`);
}

/** Errors of a folder's sync that say "this system has no such thing" (Windows, some network folders). */
const NO_FOLDER_SYNC = new Set(['EPERM', 'EACCES', 'EISDIR', 'EINVAL', 'ENOTSUP', 'EBADF']);

/** Makes renames and new names in `folder` survive a power loss. */
export async function syncFolder(folder: string): Promise<void> {
  try {
    const handle = await open(folder, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (!NO_FOLDER_SYNC.has(codeOf(error) ?? '')) throw error;
  }
}

/** As {@link syncFolder}, at once. */
function syncFolderSync(folder: string): void {
  try {
    const descriptor = openSync(folder, 'r');
    try {
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    if (!NO_FOLDER_SYNC.has(codeOf(error) ?? '')) throw error;
  }
}

/** Windows refuses for a moment to replace a file that a virus scanner or an indexer has open. */
const HELD = new Set(['EPERM', 'EACCES', 'EBUSY']);
const HELD_TRIES = 20;
const HELD_MS = 50;

/** Whether it is worth trying again. @param tries so far */
export function isHeldByOthers(
  thrown: unknown,
  tries: number,
  platform: NodeJS.Platform = process.platform,
): boolean {
  return platform === 'win32' && tries < HELD_TRIES && HELD.has(codeOf(thrown) ?? '');
}

async function replace(temporary: string, path: string): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await rename(temporary, path);
    } catch (error) {
      if (!isHeldByOthers(error, tries)) throw error;
      await new Promise((resolve) => setTimeout(resolve, HELD_MS));
    }
  }
}

/** As {@link replace}, at once. */
function replaceSync(temporary: string, path: string): void {
  for (let tries = 1; ; tries += 1) {
    try {
      return renameSync(temporary, path);
    } catch (error) {
      if (!isHeldByOthers(error, tries)) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, HELD_MS);
    }
  }
}

/**
 * Replaces a file durably. The folder must exist: it is never made here, so that a run whose folder was deleted
 * does not come back half.
 *
 * @param chunks written one after the other; not copied, so they must not change until the promise settles
 * @throws ShrinkError `disk-full`, `not-writable`, `folder-gone` or `file-error`
 */
export async function writeDurably(
  path: string,
  chunks: readonly (Uint8Array | string)[],
  mode = 0o644,
): Promise<void> {
  const temporary = temporaryFor(path);
  try {
    const handle = await open(temporary, 'wx', mode);
    try {
      for (const chunk of chunks) await handle.writeFile(chunk);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await replace(temporary, path);
    await syncFolder(dirname(path));
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw fileError(error, 'write a file', path);
  }
}

/** Tries to write into a folder. @returns what is in the way, if anything is */
export async function whyNotWritable(folder: string): Promise<ShrinkError | undefined> {
  const probe = temporaryFor(join(folder, 'probe'));
  try {
    await writeFile(probe, Buffer.alloc(PROBE_BYTES), { flag: 'wx' });
    return undefined;
  } catch (error) {
    return fileError(error, 'write into the folder of the run', folder);
  } finally {
    await rm(probe, { force: true }).catch(() => undefined);
  }
}

/** As {@link writeDurably}, at once; for small files that belong to an event. */
export function writeDurablySync(path: string, content: string): void {
  const temporary = temporaryFor(path);
  try {
    const descriptor = openSync(temporary, 'wx', 0o644);
    try {
      writeFully(descriptor, Buffer.from(content), 0);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    replaceSync(temporary, path);
    syncFolderSync(dirname(path));
  } catch (error) {
    rmSync(temporary, { force: true });
    throw fileError(error, 'write a file', path);
  }
}

/** Writes all of `bytes` at `position`; the system may take several calls. */
export function writeFully(descriptor: number, bytes: Uint8Array, position: number): void {
  let written = 0;
  while (written < bytes.byteLength)
    written += writeSync(descriptor, bytes, written, bytes.byteLength - written, position + written);
}
