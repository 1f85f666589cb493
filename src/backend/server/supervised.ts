import { GROUP_VARIABLE, type BackendNews } from '../../protocol/process';
import { exists, readStartTime } from '../../run/processIdentity';
import type { ProcessId } from '../../run/lock';

/** The backend's side of being supervised. One that was started by hand is not. */

/** Process id of the supervisor, which leads this process's group. */
export function groupLeader(): number | undefined {
  const leader = Number(process.env[GROUP_VARIABLE] ?? Number.NaN);
  return Number.isInteger(leader) && leader > 1 ? leader : undefined;
}

/** The supervisor as it stands in the lock; undefined if there is none (any more). */
export async function describeSupervisor(): Promise<ProcessId | undefined> {
  const pid = groupLeader();
  if (pid === undefined) return undefined;
  const startTime = await readStartTime(pid);
  // Whose child this is says that the id is still the supervisor's.
  return startTime === undefined || process.ppid !== pid ? undefined : { pid, startTime };
}

/**
 * Whether this process was started by a supervisor that is gone. Who watches the run takes it for ended then, unless the
 * lock was taken before.
 */
export function isLeftAlone(): boolean {
  const leader = groupLeader();
  // Windows names a parent that is gone; the others name who took its place.
  return leader !== undefined && (process.ppid !== leader || !exists(leader));
}

/** Says something to the supervisor, if there is one. @returns when it is said, whether there was one */
export function tellSupervisor(news: BackendNews): Promise<boolean> {
  return new Promise((resolve) => {
    // That it is gone is no reason to end.
    if (groupLeader() === undefined || !process.connected) resolve(false);
    else process.send?.(news, undefined, undefined, (error) => resolve(error === null));
  });
}
