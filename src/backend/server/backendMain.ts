import { ShrinkError } from '../../core/errors';
import { EXIT_NOT_BEGUN, OWNER_VARIABLE, START_FAILURE_MARK } from '../../protocol/process';
import type { LifetimeSettings } from './lifetime';
import { serveRun, type Job } from './serveRun';

/**
 * The whole main program of a backend: `node backend.cjs <folder of the run>`. Ends the process, since engines
 * keep threads and handles of their own.
 *
 * Exit codes: 0 done or stopped, `EXIT_FAILED` failed and the journal says why, `EXIT_NOT_BEGUN`.
 */
export async function backendMain(job: Job, times: Omit<LifetimeSettings, 'owner'> = {}): Promise<never> {
  const folder = process.argv[2];
  if (folder === undefined) {
    console.error('usage: backend <folder of a run>');
    process.exit(EXIT_NOT_BEGUN);
  }
  try {
    const owner = process.env[OWNER_VARIABLE] === 'attached' ? 'attached' : 'detached';
    process.exit(await serveRun(folder, job, { ...times, owner }));
  } catch (error) {
    console.error(error);
    if (error instanceof ShrinkError) {
      const { kind, code, message } = error;
      console.error(`${START_FAILURE_MARK}${JSON.stringify({ kind, code, message })}`);
    }
    process.exit(EXIT_NOT_BEGUN);
  }
}
