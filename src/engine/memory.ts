/**
 * What was found out about engines on this machine, kept for the next run: self-tests that were passed and which engine
 * was fastest. One file in a private folder of the user's, replaced in one step. Whatever goes wrong with it costs time,
 * never a run: what cannot be read is found out again.
 */
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { cpus, homedir, release } from 'node:os';
import { join } from 'node:path';
import { VERSION } from '../core/version';

/** A month: drivers and what else runs on a machine change without a version that could be seen. */
const KEPT_MS = 30 * 24 * 3600 * 1000;
const MOST = 200;
const FILE = 'engines.json';

interface Entry {
  readonly at: number;
  readonly value: unknown;
}

/** Remembers small JSON values by what they depend on. */
export interface EngineMemory {
  /** @returns what was remembered for exactly this, and when (milliseconds since the epoch); undefined if nothing was */
  recall(of: unknown): { readonly value: unknown; readonly at: number } | undefined;
  remember(of: unknown, value: unknown): void;
}

/** The user's folder for what can be made again. */
export function cacheFolder(): string {
  const { env, platform } = process;
  if (env['SHRINKNETS_CACHE'] !== undefined) return env['SHRINKNETS_CACHE'];
  if (platform === 'win32')
    return join(env['LOCALAPPDATA'] ?? join(homedir(), 'AppData', 'Local'), 'shrinknets', 'cache');
  if (platform === 'darwin') return join(homedir(), 'Library', 'Caches', 'shrinknets');
  return join(env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'shrinknets');
}

/** The processor, the system, Node.js and this very program: another of them, and nothing is remembered. */
function describeMachine(): readonly unknown[] {
  const processors = cpus();
  return [
    VERSION,
    programStamp(),
    process.versions.node,
    process.platform,
    process.arch,
    release(),
    processors[0]?.model ?? '',
    processors.length,
  ];
}

/** Differs between two builds of one version, which a developer makes. */
function programStamp(): string {
  try {
    const { size, mtimeMs } = statSync(process.argv[1] ?? '');
    return `${size} ${mtimeMs}`;
  } catch {
    return '';
  }
}

function isEntry(value: unknown): value is Entry {
  return typeof value === 'object' && value !== null && 'at' in value && typeof value.at === 'number';
}

function readEntries(path: string, now: number): Map<string, Entry> {
  try {
    const content: unknown = JSON.parse(readFileSync(path, 'utf8'));
    if (typeof content !== 'object' || content === null || Array.isArray(content)) return new Map();
    return new Map(
      Object.entries(content).flatMap(([key, entry]: [string, unknown]): [string, Entry][] =>
        isEntry(entry) && entry.at <= now && now - entry.at < KEPT_MS ? [[key, entry]] : [],
      ),
    );
  } catch {
    return new Map();
  }
}

/**
 * @param folder private to the user; made when something is first remembered
 * @param now milliseconds since the epoch
 */
export function openMemory(folder = cacheFolder(), now: () => number = Date.now): EngineMemory {
  const path = join(folder, FILE);
  const machine = describeMachine();
  const keyOf = (of: unknown): string =>
    createHash('sha256')
      .update(JSON.stringify([machine, of]))
      .digest('base64url');
  return {
    recall: (of) => readEntries(path, now()).get(keyOf(of)),
    remember(of, value) {
      const temporary = join(folder, `.${FILE}.${randomBytes(6).toString('hex')}.tmp`);
      try {
        mkdirSync(folder, { recursive: true, mode: 0o700 });
        // Read again: another run may have added something. If both write at once, one of the two is found out again.
        const entries = readEntries(path, now());
        entries.set(keyOf(of), { at: now(), value });
        const newest = [...entries].toSorted(([, a], [, b]) => b.at - a.at).slice(0, MOST);
        writeFileSync(temporary, JSON.stringify(Object.fromEntries(newest)), { mode: 0o600, flag: 'wx' });
        renameSync(temporary, path);
      } catch {
        discard(temporary);
      }
    },
  };
}

function discard(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // Not even the folder is one.
  }
}

/** Remembers nothing. */
export const NO_MEMORY: EngineMemory = { recall: () => undefined, remember: () => undefined };
