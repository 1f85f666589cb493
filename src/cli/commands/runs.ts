import path from 'node:path';
import { existsSync } from 'node:fs';
import { badInput } from '../../core/errors';
import { stopRun } from '../../client/runs';
import { resumeRunOrSweep } from '../../client/sweeps';
import { listRuns } from '../../run/listRuns';
import { runsFolderFor } from '../../run/paths';
import { readPlan } from '../../run/runFolder';
import { attachedBackend } from '../backend';
import { EXIT } from '../failure';
import { Output } from '../output';
import { table } from '../render/format';
import { watchRun } from '../watchRun';
import { watchSweep } from './sweep';

interface RunsFlags {
  readonly out?: string;
  readonly json?: boolean;
}

/** `shrinknets runs` */
export async function runsCommand(flags: RunsFlags): Promise<void> {
  const runs = await listRuns(runsFolderFor(path.resolve('x'), flags.out));
  if (flags.json === true) {
    for (const run of runs) process.stdout.write(`${JSON.stringify(run)}\n`);
    return;
  }
  const output = new Output();
  if (runs.length === 0) {
    output.line('No runs yet. Start one with: shrinknets train <file>');
    return;
  }
  const left = (title: string): { title: string; align: 'left' } => ({ title, align: 'left' });
  const rows = runs.map((run) => [
    run.id,
    run.state,
    run.model,
    path.relative(process.cwd(), run.file),
    `${(run.sizeBytes / 1e6).toFixed(1)} MB`,
  ]);
  const [head, ...lines] = table(
    [left('run'), left('state'), left('model'), left('file'), { title: 'size', align: 'right' }],
    rows,
  );
  output.line(output.colors.bold(head ?? ''));
  for (const line of lines) output.line(line);
}

/** `shrinknets resume` */
export async function resumeCommand(run: string, flags: RunsFlags): Promise<void> {
  const folder = await findRun(run, flags.out);
  const handle = await resumeRunOrSweep(folder, attachedBackend());
  if ((await readPlan(handle.folder)).sweep !== undefined) {
    await watchSweep(handle, flags.json === true);
    return;
  }
  const end = await watchRun(handle, { json: flags.json === true, write: false });
  process.exitCode = end.exitCode;
}

/** `shrinknets stop` */
export async function stopCommand(run: string, flags: RunsFlags): Promise<void> {
  const folder = await findRun(run, flags.out);
  const output = new Output();
  if (await stopRun(folder))
    output.line(
      `${path.basename(folder)} is stopped; go on with: shrinknets resume ${path.basename(folder)}`,
    );
  else {
    output.error(`shrinknets: ${path.basename(folder)} is not running.`);
    process.exitCode = EXIT.badInput;
  }
}

/**
 * The folder of a run by its id, its folder, or `last`.
 *
 * @throws ShrinkError `run-missing`
 */
export async function findRun(run: string, out: string | undefined): Promise<string> {
  if (existsSync(path.join(run, 'plan.json'))) return path.resolve(run);
  const runsFolder = runsFolderFor(path.resolve('x'), out);
  const runs = await listRuns(runsFolder);
  const found = run === 'last' ? runs.at(-1) : runs.find((candidate) => candidate.id === run);
  if (found !== undefined) return found.folder;
  throw badInput(
    'run-missing',
    runs.length === 0
      ? `There are no runs in ${runsFolder}; start one with: shrinknets train <file>.`
      : `There is no run ${run} in ${runsFolder}; shrinknets runs lists them.`,
  );
}
