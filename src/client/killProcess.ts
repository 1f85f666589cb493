import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { ShrinkError } from '../core/errors';
import { codeOf } from '../run/durable';
import { runningMembers, taskkillArguments } from '../run/processGroup';
import { exists } from '../run/processIdentity';

/** Ending a backend with everything it started. */

const run = promisify(execFile);

/** Time a group has to end by itself. */
const POLITE_MS = 700;
/** Time the system has to end it after that. */
const FORCED_MS = 1_200;
const POLL_MS = 20;

/**
 * Ends a process group: asks, then forces. Within 2 s on every system.
 *
 * @param leader of the group; whoever calls has made sure that it is still that group
 * @param members its processes that are known to be those: Windows knows no groups, only children, and soon gives the id
 *   of a process that is gone to another
 * @throws ShrinkError `kill-failed` if something of it still lives
 */
export async function killProcessGroup(
  leader: number,
  members: readonly number[] = [leader],
  system: System = REAL_SYSTEM,
): Promise<void> {
  if (system.platform === 'win32') {
    await system.taskkill(taskkillArguments(members)).catch(() => undefined);
    if (await waitUntil(() => system.areGone(members), FORCED_MS)) return;
  } else {
    signalGroup(leader, 'SIGTERM');
    if (await waitUntil(() => isGroupGone(leader), POLITE_MS)) return;
    signalGroup(leader, 'SIGKILL');
    if (await waitUntil(() => isGroupGone(leader), FORCED_MS)) return;
  }
  throw new ShrinkError(
    'environment',
    'kill-failed',
    `Process ${leader} could not be ended; the system may be waiting for a disk.`,
  );
}

/** What killing needs of the system; a test stands in for Windows. */
export interface System {
  readonly platform: NodeJS.Platform;
  taskkill(args: readonly string[]): Promise<unknown>;
  areGone(pids: readonly number[]): boolean;
}

const REAL_SYSTEM: System = {
  platform: process.platform,
  taskkill: (args) => run('taskkill', [...args], { windowsHide: true }),
  areGone: (pids) => !pids.some(exists),
};

function signalGroup(leader: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-leader, signal);
  } catch (error) {
    if (codeOf(error) !== 'ESRCH') throw error;
  }
}

async function isGroupGone(leader: number): Promise<boolean> {
  try {
    process.kill(-leader, 0);
  } catch (error) {
    return codeOf(error) === 'ESRCH';
  }
  // What is left may have ended and only wait for its parent.
  return (await runningMembers(leader)).length === 0;
}

async function waitUntil(holds: () => Promise<boolean> | boolean, timeoutMs: number): Promise<boolean> {
  for (const deadline = performance.now() + timeoutMs; ;) {
    if (await holds()) return true;
    if (performance.now() >= deadline) return false;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
