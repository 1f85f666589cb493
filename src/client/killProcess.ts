import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { ShrinkError } from '../core/errors';
import { codeOf } from '../run/durable';
import { parseProcStat, readStartTime } from '../run/processIdentity';

/** Ending a backend with everything it started. */

const run = promisify(execFile);

/** Time a group has to end by itself. */
const POLITE_MS = 700;
/** Time the system has to end it after that. */
const FORCED_MS = 1_200;
const POLL_MS = 20;

/** The command that ends a process and its children on Windows. */
export function taskkillArguments(pid: number): readonly string[] {
  return ['/PID', String(pid), '/T', '/F'];
}

/**
 * Ends a process group: asks, then forces. Within 2 s on every system.
 *
 * @param pid of the group's leader; whoever calls has made sure that it is still that process
 * @throws ShrinkError `kill-failed` if something of it still lives
 */
export async function killProcessGroup(
  pid: number,
  platform: NodeJS.Platform = process.platform,
): Promise<void> {
  if (platform === 'win32') {
    await run('taskkill', [...taskkillArguments(pid)], { windowsHide: true }).catch(() => undefined);
    if (await waitUntil(async () => (await readStartTime(pid)) === undefined, FORCED_MS)) return;
  } else {
    signalGroup(pid, 'SIGTERM');
    if (await waitUntil(() => isGroupGone(pid), POLITE_MS)) return;
    signalGroup(pid, 'SIGKILL');
    if (await waitUntil(() => isGroupGone(pid), FORCED_MS)) return;
  }
  throw new ShrinkError(
    'environment',
    'kill-failed',
    `Process ${pid} could not be ended; the system may be waiting for a disk.`,
  );
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if (codeOf(error) !== 'ESRCH') throw error;
  }
}

/** Whether nothing of the group runs. Ended processes that nobody has collected yet do not count. */
async function isGroupGone(pid: number): Promise<boolean> {
  try {
    process.kill(-pid, 0);
  } catch (error) {
    return codeOf(error) === 'ESRCH';
  }
  return process.platform === 'linux' && !(await hasRunningMember(pid));
}

async function hasRunningMember(group: number): Promise<boolean> {
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const stat = parseProcStat(await readFile(`/proc/${name}/stat`, 'utf8').catch(() => ''));
    if (stat?.group === group && stat.state !== 'Z' && stat.state !== 'X') return true;
  }
  return false;
}

async function waitUntil(holds: () => Promise<boolean>, timeoutMs: number): Promise<boolean> {
  for (const deadline = performance.now() + timeoutMs; ;) {
    if (await holds()) return true;
    if (performance.now() >= deadline) return false;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
