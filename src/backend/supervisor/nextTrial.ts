import { spawn } from 'node:child_process';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { readEnding } from '../../run/listRuns';
import { RUN_FILES } from '../../run/paths';
import { createNextTrial } from '../../run/runFolder';

/**
 * Starts what follows a run that has ended by itself: the next trial of its sweep, under a supervisor of its own. A sweep
 * thus needs nobody who watches. It ends with its last trial, with one that somebody stopped or killed, and with one
 * whose input could not be used; a trial whose training failed (a λ that is too strong) does not hold up the others.
 *
 * @param command arguments of Node.js that started this run's backend
 * @param env environment of the next supervisor
 */
export async function startNextTrial(
  folder: string,
  command: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<void> {
  const ending = await readEnding(folder);
  const goesOn = ending?.type === 'result' || (ending?.type === 'failed' && ending.kind === 'training');
  const script = process.argv[1];
  if (!goesOn || script === undefined) return;
  const next = await createNextTrial(folder);
  if (next === undefined) return;
  const log = await open(join(next, RUN_FILES.log), 'a', 0o600);
  try {
    const child = spawn(process.execPath, [script, next, ...command], {
      detached: true,
      stdio: ['ignore', log.fd, log.fd],
      env,
      windowsHide: true,
    });
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', reject);
    });
    child.unref();
  } finally {
    await log.close();
  }
}
