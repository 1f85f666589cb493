import { randomBytes } from 'node:crypto';
import { lstat, mkdir, mkdtemp, rmdir, unlink, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, isAbsolute, join } from 'node:path';
import { codeOf } from './durable';

/**
 * Where a backend listens: a socket in a folder that only the user may enter. Not in the run's folder: the path of
 * a socket may have about 100 characters, and projects lie deeper than that. The user's runtime folder is better than a
 * temporary one: nobody tidies it up while the user, or a process of theirs, is there.
 */

const PREFIX = 'shrinknets-';
const SOCKET_NAME = 's';
const OUR_PIPE = /^\\\\\.\\pipe\\shrinknets-[0-9a-f]{32}$/;
/** macOS allows 103 bytes, Linux 107. */
const MAX_SOCKET_PATH_BYTES = 103;

/** Makes the folder (mode 0700, as `mkdtemp` does) and names the socket in it. */
export async function makeSocketPath(
  platform: NodeJS.Platform = process.platform,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<string> {
  if (platform === 'win32') return `\\\\.\\pipe\\${PREFIX}${randomBytes(16).toString('hex')}`;
  const runtime = environment['XDG_RUNTIME_DIR'] ?? '';
  // After `su` it may still be that of somebody else.
  const parents = isAbsolute(runtime) && (await isPrivate(runtime)) ? [runtime, tmpdir()] : [tmpdir()];
  const parent = parents.find(isShortEnough) ?? '/tmp';
  return join(await mkdtemp(join(parent, PREFIX)), SOCKET_NAME);
}

function isShortEnough(parent: string): boolean {
  return Buffer.byteLength(join(parent, `${PREFIX}XXXXXX`, SOCKET_NAME)) <= MAX_SOCKET_PATH_BYTES;
}

/** Whether a folder is this user's, and nobody else may enter it. */
async function isPrivate(folder: string): Promise<boolean> {
  const found = await lstat(folder).catch(() => undefined);
  return found?.isDirectory() === true && found.uid === process.getuid?.() && (found.mode & 0o077) === 0;
}

/**
 * Makes a socket look used, as is the custom: systems delete what lies in temporary folders for days.
 *
 * @returns false if it is gone
 */
export async function touchSocket(socket: string): Promise<boolean> {
  if (!hasOurName(socket)) return true;
  const now = new Date();
  try {
    await utimes(socket, now, now);
    await utimes(dirname(socket), now, now);
  } catch (error) {
    return codeOf(error) !== 'ENOENT';
  }
  return true;
}

/** Makes the folder of a socket again that was deleted. @throws Error if it cannot be, or is another's by now */
export async function remakeSocketFolder(socket: string): Promise<void> {
  await mkdir(dirname(socket), { mode: 0o700 }).catch((error: unknown) => {
    if (codeOf(error) !== 'EEXIST') throw error;
  });
  if (!(await isOwnSocket(socket))) throw new Error(`${dirname(socket)} is not private`);
}

/**
 * Whether a socket is one that a backend of this user made: the lock that names it lies in a workspace, which
 * somebody else may have written.
 */
export async function isOwnSocket(
  socket: string,
  platform: NodeJS.Platform = process.platform,
): Promise<boolean> {
  if (platform === 'win32') return OUR_PIPE.test(socket);
  return hasOurName(socket) && (await isPrivate(dirname(socket)));
}

function hasOurName(socket: string): boolean {
  return basename(socket) === SOCKET_NAME && /^shrinknets-[A-Za-z0-9]{6}$/.test(basename(dirname(socket)));
}

/**
 * Removes a socket and its folder; never anything else, since the path may come from a stale lock that somebody
 * wrote.
 */
export async function removeSocketPath(socket: string): Promise<void> {
  if (!hasOurName(socket)) return;
  await unlink(socket).catch(() => undefined);
  await rmdir(dirname(socket)).catch(() => undefined);
}
