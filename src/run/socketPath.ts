import { randomBytes } from 'node:crypto';
import { lstat, mkdtemp, rmdir, unlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';

/**
 * Where a backend listens: a socket in a folder that only the user may enter. Not in the run's folder: the path of
 * a socket may have about 100 characters, and projects lie deeper than that.
 */

const PREFIX = 'shrinknets-';
const SOCKET_NAME = 's';
/** macOS allows 103 bytes, Linux 107. */
const MAX_SOCKET_PATH_BYTES = 103;

/** Makes the folder (mode 0700, as `mkdtemp` does) and names the socket in it. */
export async function makeSocketPath(platform: NodeJS.Platform = process.platform): Promise<string> {
  if (platform === 'win32') return `\\\\.\\pipe\\${PREFIX}${randomBytes(16).toString('hex')}`;
  const spare = Buffer.byteLength(join(tmpdir(), `${PREFIX}XXXXXX`, SOCKET_NAME));
  const parent = spare <= MAX_SOCKET_PATH_BYTES ? tmpdir() : '/tmp';
  return join(await mkdtemp(join(parent, PREFIX)), SOCKET_NAME);
}

/**
 * Whether a socket is one that a backend of this user made: the lock that names it lies in a workspace, which
 * somebody else may have written.
 */
export async function isOwnSocket(socket: string): Promise<boolean> {
  if (process.platform === 'win32') return socket.startsWith(`\\\\.\\pipe\\${PREFIX}`);
  if (!hasOurName(socket)) return false;
  const folder = await lstat(dirname(socket)).catch(() => undefined);
  return folder?.isDirectory() === true && folder.uid === process.getuid?.() && (folder.mode & 0o077) === 0;
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
