import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { ShrinkError } from '../core/errors';
import {
  EXIT_FAILED,
  GROUP_VARIABLE,
  OWNER_VARIABLE,
  START_FAILURE_MARK,
  type Owner,
} from '../protocol/backend';
import { fileError } from '../run/durable';
import { readJournal } from '../run/journal';
import { findEnding } from '../run/listRuns';
import { readLock, type LockInfo } from '../run/lock';
import { RUN_FILES } from '../run/paths';
import { killProcessGroup } from './killProcess';

/** How to start a backend. */
export interface BackendSettings {
  /** Absolute path of the bundle that calls `backendMain`. */
  readonly backendScript: string;
  /** The program that runs it; this process's own if absent. */
  readonly nodePath?: string;
  readonly owner: Owner;
  /** Arguments before the script, e.g. `--max-old-space-size=4096`. */
  readonly execArgv?: readonly string[];
  /** Added to the environment; in VS Code `ELECTRON_RUN_AS_NODE: '1'` unless `nodePath` is a Node.js. */
  readonly env?: Readonly<Record<string, string>>;
  /** Time in which it must take the run's lock, in milliseconds. */
  readonly startTimeoutMs?: number;
}

/** How a backend's process ended. */
export interface ProcessExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface SpawnedBackend {
  readonly pid: number;
  readonly exited: Promise<ProcessExit>;
  /** Until then this process does not end before the backend does. */
  release(): void;
}

/** Variables of the parent that would change how the child runs: debuggers, preloads, test runners' coverage. */
const NOT_INHERITED =
  /^(NODE_OPTIONS|NODE_INSPECT.*|NODE_CHANNEL_.*|NODE_V8_COVERAGE|VSCODE_INSPECTOR_OPTIONS|ELECTRON_.*)$/;

/** The environment of a backend. */
export function backendEnvironment(
  parent: NodeJS.ProcessEnv,
  settings: Pick<BackendSettings, 'owner' | 'env'>,
): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const [key, value] of Object.entries(parent))
    if (value !== undefined && !NOT_INHERITED.test(key)) kept[key] = value;
  return { ...kept, ...settings.env, [OWNER_VARIABLE]: settings.owner, [GROUP_VARIABLE]: '1' };
}

/** Exit code of `backendMain` where it could not begin. */
const COULD_NOT_BEGIN = 2;

const POLL_MS = 15;
/** Enough for the message, the stack and the closing line of an error that Node.js prints. */
const QUOTED_LINES = 16;
const QUOTED_CHARACTERS = 300;

/**
 * Starts a backend in a process group of its own and waits until it holds the run's lock or has ended.
 *
 * @returns the lock; undefined if it has come to its end already, which the journal then tells
 * @throws ShrinkError `backend-missing`, `backend-start` or what the backend itself says
 */
export async function spawnBackend(
  folder: string,
  settings: BackendSettings,
): Promise<{ readonly backend: SpawnedBackend; readonly lock: LockInfo | undefined }> {
  if (!existsSync(settings.backendScript))
    throw new ShrinkError(
      'environment',
      'backend-missing',
      `The training program ${settings.backendScript} is not there; install ShrinkNets again (in a clone: npm run build).`,
    );
  const logStart = await logLength(folder);
  const backend = await startProcess(folder, settings);
  let exit: ProcessExit | undefined;
  void backend.exited.then((ended) => (exit = ended));
  const readExit = (): ProcessExit | undefined => exit;
  const timeoutMs = settings.startTimeoutMs ?? 30_000;
  for (const deadline = performance.now() + timeoutMs; performance.now() < deadline;) {
    const lock = await readLock(folder);
    if (lock?.pid === backend.pid) return { backend, lock };
    const ended = readExit();
    if (ended !== undefined) {
      if (await hasTold(folder, ended)) return { backend, lock: undefined };
      throw await startFailure(folder, logStart, describeExit(ended));
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  await killProcessGroup(backend.pid);
  throw await startFailure(folder, logStart, `did not begin within ${Math.round(timeoutMs / 1000)} s`);
}

/** Whether the journal says how a backend that was quick to end did so. */
async function hasTold(folder: string, exit: ProcessExit): Promise<boolean> {
  if (exit.code !== 0 && exit.code !== EXIT_FAILED) return false;
  return findEnding((await readJournal(folder)).events) !== undefined;
}

async function startProcess(folder: string, settings: BackendSettings): Promise<SpawnedBackend> {
  const logPath = join(folder, RUN_FILES.log);
  const log = await open(logPath, 'a', 0o600).catch((error: unknown) => {
    throw fileError(error, 'write the log of the run', logPath);
  });
  try {
    const child = spawn(
      settings.nodePath ?? process.execPath,
      [...(settings.execArgv ?? []), settings.backendScript, folder],
      {
        detached: true,
        stdio: ['ignore', log.fd, log.fd],
        env: backendEnvironment(process.env, settings),
        windowsHide: true,
      },
    );
    const exited = new Promise<ProcessExit>((resolve) => {
      child.once('exit', (code, signal) => resolve({ code, signal }));
    });
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', reject);
    });
    if (child.pid === undefined) throw new Error('the system gave no process id');
    return { pid: child.pid, exited, release: () => child.unref() };
  } catch (error) {
    throw new ShrinkError(
      'environment',
      'backend-start',
      `The training program could not be started with ${settings.nodePath ?? process.execPath}: ${String(error)}`,
      { cause: error },
    );
  } finally {
    await log.close();
  }
}

/** "ended with SIGSEGV", for messages. */
export function describeExit(exit: ProcessExit): string {
  return exit.signal === null ? `ended with code ${exit.code ?? '?'}` : `was ended by ${exit.signal}`;
}

const failureSchema = z.object({
  kind: z.enum(['bad-input', 'training', 'environment']),
  code: z.string(),
  message: z.string(),
});

async function startFailure(folder: string, logStart: number, what: string): Promise<ShrinkError> {
  const lines = await readLog(folder, logStart);
  return (
    findStartFailure(lines) ??
    new ShrinkError('environment', 'backend-start', `The training program ${what}.${quoteLog(folder, lines)}`)
  );
}

/** What a backend that could not begin said of it in its log. */
function findStartFailure(lines: readonly string[]): ShrinkError | undefined {
  const said = lines.findLast((line) => line.startsWith(START_FAILURE_MARK));
  const parsed = failureSchema.safeParse(parseJson(said?.slice(START_FAILURE_MARK.length) ?? ''));
  return parsed.success
    ? new ShrinkError(parsed.data.kind, parsed.data.code, parsed.data.message)
    : undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function logLength(folder: string): Promise<number> {
  return (await readFile(join(folder, RUN_FILES.log)).catch(() => Buffer.alloc(0))).byteLength;
}

async function readLog(folder: string, start: number): Promise<string[]> {
  const log = await readFile(join(folder, RUN_FILES.log)).catch(() => Buffer.alloc(0));
  return log
    .subarray(start)
    .toString('utf8')
    .split('\n')
    .filter((line) => line.trim() !== '');
}

/** A sentence on how a backend ended without an event: what it said itself, or the end of its log. */
export async function describeDeath(folder: string, exit: ProcessExit | undefined): Promise<string> {
  const lines = await readLog(folder, 0);
  const said = exit?.code === COULD_NOT_BEGIN ? findStartFailure(lines) : undefined;
  if (said !== undefined) return said.message;
  const how = exit === undefined ? 'ended without a word' : describeExit(exit);
  return `The training process ${how}; the run can be resumed.${quoteLog(folder, lines)}`;
}

function quoteLog(folder: string, lines: readonly string[]): string {
  if (lines.length === 0) return '';
  // A line of a bundle that is quoted by Node.js may be the whole bundle.
  const tail = lines.slice(-QUOTED_LINES).map((line) => line.slice(0, QUOTED_CHARACTERS));
  return ` The end of ${join(folder, RUN_FILES.log)}:\n${tail.join('\n')}`;
}
