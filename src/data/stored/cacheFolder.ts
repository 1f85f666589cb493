import { createHash, randomBytes } from 'node:crypto';
import { chmod, mkdir, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import { ShrinkError } from '../../core/errors';
import { sentence } from '../openFile';
import { WriteFailed } from './rowFile';

/** Where converted rows lie: a folder of the user's own, by what they were made from; forgotten after a while. */

const KEPT_DAYS = 7;
const DAY_MS = 24 * 60 * 60 * 1000;
const TEMPORARY = /\.(\d+)\.[0-9a-f]+\.tmp$/;

/** `SHRINKNETS_CACHE`, or where this system keeps what programs can make again. */
export function cacheRoot(): string {
  const own = process.env['SHRINKNETS_CACHE'];
  if (own !== undefined && own !== '') return path.resolve(own);
  const base =
    process.platform === 'win32'
      ? (process.env['LOCALAPPDATA'] ?? path.join(homedir(), 'AppData', 'Local'))
      : process.platform === 'darwin'
        ? path.join(homedir(), 'Library', 'Caches')
        : (process.env['XDG_CACHE_HOME'] ?? path.join(homedir(), '.cache'));
  return path.join(base, 'shrinknets', 'rows');
}

/** What a file is known by: its path, size and time of change. */
export async function identityOf(file: string): Promise<readonly (string | number)[]> {
  const { size, mtimeMs } = await stat(file);
  return [path.resolve(file), size, mtimeMs];
}

/**
 * The folder made for a key; made now if there is none. It appears whole or not at all.
 *
 * @param key anything that JSON can tell apart
 * @param make fills a folder
 * @throws ShrinkError `disk-full` or `not-writable` beside what `make` throws
 */
export async function cached(key: unknown, make: (folder: string) => Promise<void>): Promise<string> {
  const root = cacheRoot();
  const name = createHash('sha256').update(JSON.stringify(key)).digest('hex').slice(0, 32);
  const folder = path.join(root, name);
  const temporary = `${folder}.${process.pid}.${randomBytes(4).toString('hex')}.tmp`;
  try {
    await mkdir(root, { recursive: true, mode: 0o700 });
    if (process.platform !== 'win32') await chmod(root, 0o700);
    await prune(root, name);
    if (await touch(folder)) return folder;
    await mkdir(temporary, { mode: 0o700 });
    await make(temporary);
    await rename(temporary, folder).catch(async (thrown: unknown) => {
      // Another process was faster.
      if (!(await touch(folder))) throw thrown;
    });
    return folder;
  } catch (thrown) {
    throw explain(thrown, root);
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

/** Whether it is there; if so, it is in use. */
async function touch(folder: string): Promise<boolean> {
  const now = new Date();
  return utimes(folder, now, now).then(
    () => true,
    () => false,
  );
}

/** Removes what was not used for a while, and what processes left that were killed. */
async function prune(root: string, kept: string): Promise<void> {
  for (const name of await readdir(root)) {
    if (name === kept) continue;
    const folder = path.join(root, name);
    const maker = TEMPORARY.exec(name)?.[1];
    const used = await stat(folder).catch(() => undefined);
    const old = used !== undefined && Date.now() - used.mtimeMs > KEPT_DAYS * DAY_MS;
    if (old || (maker !== undefined && !isAlive(Number(maker))))
      // What another process has open stays on some systems; it goes the next time.
      await rm(folder, { recursive: true, force: true }).catch(() => undefined);
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (thrown) {
    return (thrown as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function explain(thrown: unknown, root: string): unknown {
  const failed = thrown instanceof WriteFailed ? thrown.cause : thrown;
  const code = (failed as { code?: unknown } | undefined)?.code;
  const where = `in ${root}; the folder can be another with SHRINKNETS_CACHE`;
  if (code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG')
    return new ShrinkError(
      'environment',
      'disk-full',
      `The data is too large for memory, and there is no space left for its converted rows ${where}. Free some and train again.`,
      { cause: thrown },
    );
  if (code === 'EACCES' || code === 'EROFS' || code === 'EPERM' || code === 'ENOTDIR')
    return new ShrinkError(
      'environment',
      'not-writable',
      `The data is too large for memory, and its converted rows cannot be written ${where} (${sentence(failed)}).`,
      { cause: thrown },
    );
  return thrown;
}
