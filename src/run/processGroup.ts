import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { codeOf } from './durable';
import { parseProcStat } from './processIdentity';

/** The processes of a group on systems that have groups, and what there is instead on Windows. */

const run = promisify(execFile);

/** The command that ends processes and their children on Windows. */
export function taskkillArguments(pids: readonly number[]): readonly string[] {
  return [...pids.flatMap((pid) => ['/PID', String(pid)]), '/T', '/F'];
}

/** Prints process id, group and state of every process, where there is no /proc. */
export const LIST_PROCESSES = { file: 'ps', args: ['-A', '-o', 'pid=,pgid=,stat='] } as const;

/**
 * Processes of a group that run. Ended ones that nobody has collected yet do not count.
 *
 * @returns nothing on Windows, which has no groups
 */
export async function runningMembers(
  group: number,
  platform: NodeJS.Platform = process.platform,
): Promise<number[]> {
  if (platform === 'win32') return [];
  if (platform === 'linux') return readProc(group);
  const { stdout } = await run(LIST_PROCESSES.file, LIST_PROCESSES.args);
  return parseProcessList(stdout, group);
}

/** @param text what {@link LIST_PROCESSES} prints */
export function parseProcessList(text: string, group: number): number[] {
  return text.split('\n').flatMap((line) => {
    const [pid, itsGroup, state] = line.trim().split(/\s+/);
    if (Number(itsGroup) !== group || state === undefined || /^[ZX]/.test(state)) return [];
    return [Number(pid)];
  });
}

async function readProc(group: number): Promise<number[]> {
  const found: number[] = [];
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const stat = parseProcStat(await readFile(`/proc/${name}/stat`, 'utf8').catch(() => ''));
    if (stat?.group === group && stat.state !== 'Z' && stat.state !== 'X') found.push(Number(name));
  }
  return found;
}

/** Ends every process of a group but one, at once. */
export async function killOthers(group: number, spared: number): Promise<void> {
  for (const pid of await runningMembers(group)) {
    if (pid === spared) continue;
    try {
      process.kill(pid, 'SIGKILL');
    } catch (error) {
      if (codeOf(error) !== 'ESRCH') throw error;
    }
  }
}
