import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ShrinkError } from '../core/errors';
import {
  ALLOCATOR,
  describeExit,
  EXIT_FAILED,
  GROUP_VARIABLE,
  OWNER_VARIABLE,
  type Owner,
  type ProcessExit,
} from '../protocol/process';
import { fileError } from '../run/durable';
import { logLength } from '../run/log';
import { readEnding } from '../run/listRuns';
import { readLock, type LockInfo } from '../run/lock';
import { RUN_FILES } from '../run/paths';
import { startFailure } from './describeDeath';
import { killProcessGroup } from './killProcess';

/** How to start a backend. */
export interface BackendSettings {
  /** Absolute path of the bundle that calls `backendMain`; `supervisor.cjs` lies beside it. */
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

/** A backend under its supervisor. */
export interface SpawnedBackend {
  /** Of the supervisor. */
  readonly pid: number;
  /** The supervisor ends with the code of its last backend. */
  readonly exited: Promise<ProcessExit>;
  /** Until then this process does not end before the backend does. */
  release(): void;
}

/** Variables of the parent that would change how the child runs: debuggers, preloads, coverage, its own supervisor. */
const NOT_INHERITED = new RegExp(
  `^(NODE_OPTIONS|NODE_INSPECT.*|NODE_CHANNEL_.*|NODE_V8_COVERAGE|VSCODE_INSPECTOR_OPTIONS|ELECTRON_.*|${GROUP_VARIABLE})$`,
);

/** The environment of a backend. */
export function backendEnvironment(
  parent: NodeJS.ProcessEnv,
  settings: Pick<BackendSettings, 'owner' | 'env'>,
): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const [key, value] of Object.entries(parent))
    if (value !== undefined && !NOT_INHERITED.test(key)) kept[key] = value;
  return { ...ALLOCATOR, ...kept, ...settings.env, [OWNER_VARIABLE]: settings.owner };
}

const POLL_MS = 15;

/**
 * Starts a supervisor, and with it a backend, in a process group of their own and waits until the backend holds the run's
 * lock or has ended.
 *
 * @returns the lock; undefined if it has come to its end already, which the journal then tells
 * @throws ShrinkError `backend-missing`, `backend-start` or what the backend itself says
 */
export async function spawnBackend(
  folder: string,
  settings: BackendSettings,
): Promise<{ readonly backend: SpawnedBackend; readonly lock: LockInfo | undefined }> {
  for (const script of [settings.backendScript, supervisorOf(settings)])
    if (!existsSync(script))
      throw new ShrinkError(
        'environment',
        'backend-missing',
        `The training program ${script} is not there; install ShrinkNets again (in a clone: npm run build).`,
      );
  const logStart = await logLength(folder);
  const backend = await startProcess(folder, settings);
  let exit: ProcessExit | undefined;
  void backend.exited.then((ended) => (exit = ended));
  const readExit = (): ProcessExit | undefined => exit;
  const timeoutMs = settings.startTimeoutMs ?? 30_000;
  for (const deadline = performance.now() + timeoutMs; performance.now() < deadline;) {
    const lock = await readLock(folder);
    if (lock?.supervisor?.pid === backend.pid) return { backend, lock };
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
  return (await readEnding(folder)) !== undefined;
}

function supervisorOf(settings: Pick<BackendSettings, 'backendScript'>): string {
  return join(dirname(settings.backendScript), 'supervisor.cjs');
}

async function startProcess(folder: string, settings: BackendSettings): Promise<SpawnedBackend> {
  const logPath = join(folder, RUN_FILES.log);
  const log = await open(logPath, 'a', 0o600).catch((error: unknown) => {
    throw fileError(error, 'write the log of the run', logPath);
  });
  try {
    const child = spawn(
      settings.nodePath ?? process.execPath,
      [supervisorOf(settings), folder, ...(settings.execArgv ?? []), settings.backendScript],
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
