import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { codeOf } from './durable';

/**
 * Process ids are used again, so a process is known by its id and its start time. What the start time looks like
 * differs by system; it is only ever compared.
 */

const run = promisify(execFile);

/** Fields of `/proc/<pid>/stat` that are read here; 1-based numbers as in proc(5). */
export interface ProcStat {
  /** Field 3: `R`, `S`, `Z` (ended, not yet waited for), … */
  readonly state: string;
  /** Field 5: process group. */
  readonly group: number;
  /** Field 22: clock ticks after boot. */
  readonly startTicks: string;
}

/** @returns undefined if the text is not of that form */
export function parseProcStat(text: string): ProcStat | undefined {
  // The name (field 2) is in parentheses and may hold spaces and parentheses itself.
  const rest = text
    .slice(text.lastIndexOf(')') + 1)
    .trim()
    .split(/\s+/);
  const [state, , group] = rest;
  const startTicks = rest[19];
  if (state === undefined || group === undefined || startTicks === undefined) return undefined;
  if (!/^\d+$/.test(startTicks)) return undefined;
  return { state, group: Number(group), startTicks };
}

/** The command that prints a process's start time where there is no /proc. */
export function startTimeCommand(
  platform: NodeJS.Platform,
  pid: number,
): { readonly file: string; readonly args: readonly string[] } {
  if (platform === 'win32') {
    const script = `(Get-Process -Id ${pid} -ErrorAction Stop).StartTime.ToUniversalTime().Ticks`;
    return { file: 'powershell.exe', args: ['-NoProfile', '-NonInteractive', '-Command', script] };
  }
  return { file: 'ps', args: ['-o', 'lstart=', '-p', String(pid)] };
}

/**
 * What distinguishes this process from others with the same id.
 *
 * @returns undefined if there is no such process (or it has ended and only waits to be collected)
 */
export async function readStartTime(
  pid: number,
  platform: NodeJS.Platform = process.platform,
): Promise<string | undefined> {
  if (platform === 'linux') return readLinuxStartTime(pid);
  // PowerShell takes a second; that there is no such process is known without it.
  if (!exists(pid)) return undefined;
  const { file, args } = startTimeCommand(platform, pid);
  try {
    const { stdout } = await run(file, args, { env: { ...process.env, LC_ALL: 'C' }, windowsHide: true });
    return stdout.trim() === '' ? undefined : `${platform}:${stdout.trim().replace(/\s+/g, ' ')}`;
  } catch (error) {
    // The tool itself missing is no sign that the process is: fall back to the id alone.
    return codeOf(error) === 'ENOENT' && exists(pid) ? 'unknown' : undefined;
  }
}

async function readLinuxStartTime(pid: number): Promise<string | undefined> {
  try {
    const stat = parseProcStat(await readFile(`/proc/${pid}/stat`, 'utf8'));
    if (stat === undefined || stat.state === 'Z' || stat.state === 'X') return undefined;
    // Ticks count from the boot, so the boot belongs to the identity.
    const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => '');
    return `linux:${boot.trim()}:${stat.startTicks}`;
  } catch {
    return undefined;
  }
}

/** Whether some process has this id. */
export function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}

/** Whether the process that is called `pid` now is the one that started at `startTime`. */
export async function isSameProcess(pid: number, startTime: string): Promise<boolean> {
  const now = await readStartTime(pid);
  if (now === undefined) return false;
  // Not where only the stored one is unknown: a lock that came with a workspace could then name any process.
  return now === startTime || now === 'unknown';
}
