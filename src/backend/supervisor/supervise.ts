import { spawn, type ChildProcess } from 'node:child_process';
import { constants } from 'node:os';
import {
  describeExit,
  EXIT_FAILED,
  EXIT_NOT_BEGUN,
  EXIT_TERMINATED,
  GROUP_VARIABLE,
  OWNER_VARIABLE,
  parseBackendNews,
  STOP_MESSAGE,
  type ProcessExit,
} from '../../protocol/process';
import { boundLog } from '../../run/log';
import { killOthers } from '../../run/processGroup';

/**
 * The restart policy, all of it: a backend that dies by itself (a native engine, a driver, the system short of memory)
 * is started again and goes on from its last checkpoint; an engine on which it died twice is passed over
 * (`run/crashes`), one that says itself that it broke down at once. Clients only look on. What is needed only after a death is loaded only then.
 */

/** Deaths under one supervisor after which a person should look. */
const MAX_DEATHS = 6;
/** Time in which a backend that was started again must take the lock. */
const RESTART_MS = 120_000;
const LOG_MS = 1_000;
/** Time to read the last words of a backend that has ended. */
const READ_MS = 500;

/** Signals by which somebody asks a process to end; a process that dies of them did not crash. */
const ASKED = new Set<string>(['SIGTERM', 'SIGINT', 'SIGHUP']);
/** Exit codes with which a backend ends on its own terms. */
const MEANT = new Set<number | null>([0, EXIT_FAILED, EXIT_NOT_BEGUN, EXIT_TERMINATED]);

interface Supervision {
  readonly folder: string;
  /** Arguments of Node.js: options, then the backend's script. */
  readonly command: readonly string[];
  /** Somebody asked the run to stop. */
  asked: boolean;
  detached: boolean;
  child: ChildProcess | undefined;
}

interface Life {
  readonly pid: number;
  readonly exit: ProcessExit;
  /** Whether it took the run's lock. */
  readonly began: boolean;
  /** Empty if it did not come to that. */
  readonly engine: string;
  /** What the engine said when it broke down. */
  readonly failure: string | undefined;
}

/**
 * Runs the backend of a run's folder until the run has ended.
 *
 * @returns the exit code: the last backend's own, or 128 and the number of the signal that ended it
 */
export async function supervise(folder: string, command: readonly string[]): Promise<number> {
  const supervision: Supervision = { folder, command, asked: false, detached: false, child: undefined };
  listenToSignals(supervision);
  for (let deaths = 0; ; deaths += 1) {
    const life = await runBackend(supervision, deaths > 0);
    // What a dead backend leaves (the author's data loader, an engine's probe) would be nobody's.
    await killOthers(process.pid, process.pid).catch(() => undefined);
    const goesOn = await mayGoOn(supervision, life, deaths + 1);
    await boundLog(folder);
    if (!goesOn) {
      await startNext(supervision);
      return life.exit.code ?? 128 + constants.signals[life.exit.signal ?? 'SIGKILL'];
    }
    console.error(`The training process ${describeExit(life.exit)}; it is started again.`);
  }
}

/** Somebody who asked this run to stop wants no other one. */
async function startNext(supervision: Supervision): Promise<void> {
  if (supervision.asked) return;
  try {
    const { startNextTrial } = await import('./nextTrial');
    await startNextTrial(supervision.folder, supervision.command, environmentOf(supervision));
  } catch (error) {
    console.error(error);
  }
}

/** Of what this process starts. */
function environmentOf({ detached }: Supervision): NodeJS.ProcessEnv {
  return { ...process.env, ...(detached ? { [OWNER_VARIABLE]: 'detached' } : {}) };
}

function listenToSignals(supervision: Supervision): void {
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    process.on(signal, () => {
      supervision.asked = true;
      askToStop(supervision.child);
    });
  // The terminal of a client that closes is no reason to stop.
  process.on('SIGHUP', () => undefined);
}

/** Not by a signal: one that was sent to the whole group would come twice, and a second one ends a backend at once. */
function askToStop(child: ChildProcess | undefined): void {
  if (child?.connected === true) child.send(STOP_MESSAGE, () => undefined);
}

function runBackend(supervision: Supervision, again: boolean): Promise<Life> {
  const child = spawn(process.execPath, [...supervision.command, supervision.folder], {
    // The same files as this process's own: the log outlives it.
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    env: { ...environmentOf(supervision), [GROUP_VARIABLE]: String(process.pid) },
    windowsHide: true,
  });
  supervision.child = child;
  let began = false;
  let engine = '';
  let failure: string | undefined;
  let keepingLog: NodeJS.Timeout | undefined;
  const late = again ? setTimeout(() => child.kill('SIGKILL'), RESTART_MS) : undefined;
  child.on('message', (message) => {
    const news = parseBackendNews(message);
    if (news?.kind === 'engine') engine = news.name;
    else if (news?.kind === 'engine-failed') failure = news.why;
    else if (news?.kind === 'detached') supervision.detached = true;
    else if (news?.kind === 'stopping') supervision.asked = true;
    else if (news?.kind === 'began') {
      began = true;
      clearTimeout(late);
      keepingLog ??= setInterval(() => void boundLog(supervision.folder), LOG_MS);
      if (supervision.asked) askToStop(child);
    }
  });
  return new Promise((resolve) => {
    const conclude = (exit: ProcessExit): void => {
      clearTimeout(late);
      clearInterval(keepingLog);
      resolve({ pid: child.pid ?? 0, exit, began, engine, failure });
    };
    // After everything that it sent was read; but a process that it left may hold the channel open.
    child.once('close', (code, signal) => conclude({ code, signal }));
    child.once('exit', (code, signal) => setTimeout(conclude, READ_MS, { code, signal }));
    child.once('error', (error) => {
      console.error(error);
      if (child.pid === undefined) conclude({ code: EXIT_NOT_BEGUN, signal: null });
    });
  });
}

async function mayGoOn(supervision: Supervision, life: Life, deaths: number): Promise<boolean> {
  if (!life.began || supervision.asked || !isCrash(life.exit)) return false;
  try {
    const { noteDeath } = await import('./noteDeath');
    const { engine, failure } = life;
    const unfinished = await noteDeath(supervision.folder, life.pid, {
      at: Date.now(),
      engine,
      ...(failure === undefined
        ? { how: describeExit(life.exit) }
        : { how: `ended (${failure})`, lasting: true }),
    });
    return unfinished && deaths < MAX_DEATHS;
  } catch (error) {
    console.error(error);
    return false;
  }
}

/** Whether a process that ended like this did so by itself. */
export function isCrash(exit: ProcessExit): boolean {
  return exit.signal === null ? !MEANT.has(exit.code) : !ASKED.has(exit.signal);
}
