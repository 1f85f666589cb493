import path from 'node:path';
import { existsSync } from 'node:fs';
import { badInput } from '../../core/errors';
import { attachRun, killRun, stopRun } from '../../client/runs';
import { resumeRunOrSweep } from '../../client/sweeps';
import { listRuns } from '../../run/listRuns';
import { runsFolderFor } from '../../run/paths';
import { pruneRun } from '../../run/prune';
import { readPlan } from '../../run/runFolder';
import { attachedBackend } from '../backend';
import { EXIT } from '../failure';
import { Output } from '../output';
import { megabytes, table } from '../render/format';
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
    megabytes(run.sizeBytes),
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

/** `shrinknets watch`: looks on, whoever started the run; Ctrl-C ends the looking on. */
export async function watchCommand(run: string, flags: RunsFlags): Promise<void> {
  const handle = await attachRun(await findRun(run, flags.out));
  const end = await watchRun(handle, { json: flags.json === true, write: false, looksOn: true });
  process.exitCode = end.exitCode;
}

/** `shrinknets prune`: of one run, or of all that are not being trained. */
export async function pruneCommand(run: string | undefined, flags: RunsFlags): Promise<void> {
  const runs = run === undefined ? await listRuns(runsFolderFor(path.resolve('x'), flags.out)) : undefined;
  const idle = runs?.filter((each) => each.state !== 'running').map((each) => each.folder);
  const folders = run === undefined ? (idle ?? []) : [await findRun(run, flags.out)];
  const output = new Output();
  let freed = 0;
  for (const folder of folders) {
    const bytes = await pruneRun(folder);
    freed += bytes;
    if (bytes > 0) output.line(`${path.basename(folder)}  ${megabytes(bytes)}`);
  }
  output.line(
    `${megabytes(freed)} given back; runs that are not done can still be resumed, and results are kept.`,
  );
  const running = (runs?.length ?? 0) - (idle?.length ?? 0);
  if (running > 0) output.line(`left alone because in training: ${running}`);
}

/** `shrinknets stop` */
export async function stopCommand(run: string, flags: RunsFlags & { readonly now?: boolean }): Promise<void> {
  const folder = await findRun(run, flags.out);
  const output = new Output();
  if (await (flags.now === true ? killRun : stopRun)(folder))
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
