import { rm } from 'node:fs/promises';
import path from 'node:path';
import type { RunHandle } from '../../client/runHandle';
import { attachNextTrial, startSweep, trialsOf } from '../../client/sweeps';
import type { ResultEvent } from '../../core/events';
import { DEFAULT_LAMBDAS, parseLambdas, type SweepPlace } from '../../core/sweep';
import type { TrialRow } from '../../protocol/webview';
import { readOptions, readPlan } from '../../run/runFolder';
import { readRunResult } from '../../shell/results';
import { sweepRows } from '../../shell/sweepRows';
import { sweepMode } from '../../shell/sweepMode';
import { Output } from '../output';
import { count, percent, table } from '../render/format';
import { watchRun } from '../watchRun';
import { prepareTraining, type TrainFlags } from './train';

/** `shrinknets sweep`: trains with one λ after the other, and shows which sizes are worth having. */
export async function sweepCommand(
  file: string,
  flags: TrainFlags & { readonly lambdas?: string },
): Promise<void> {
  const { lambdas: list, ...others } = flags;
  const lambdas = parseLambdas(list ?? DEFAULT_LAMBDAS, '--lambdas');
  const settings = await prepareTraining(file, others);
  const options = { ...settings.options, mode: sweepMode(settings.options) };
  const handle = await startSweep({ ...settings, options, lambdas });
  await watchSweep(handle, flags.json === true);
}

/** Shows a sweep from one of its trials on, until it ends. */
export async function watchSweep(first: RunHandle, json: boolean): Promise<void> {
  const output = new Output();
  let handle: RunHandle | undefined = first;
  let last = first;
  while (handle !== undefined) {
    last = handle;
    const { sweep } = await readPlan(handle.folder);
    if (sweep === undefined) throw new RangeError('a trial belongs to a sweep');
    if (!json)
      output.line(
        output.colors.bold(
          `Trial ${sweep.trial + 1} of ${sweep.lambdas.length}: λ ${sweep.lambdas[sweep.trial]}`,
        ),
      );
    const end = await watchRun(handle, { json, write: false, brief: true });
    if (end.nothingLearned && sweep.trial === 0) {
      await rm(handle.folder, { recursive: true, force: true });
      process.exitCode = end.exitCode;
      return;
    }
    if (end.exitCode !== 0) process.exitCode = end.exitCode;
    handle = await attachNextTrial(handle.folder);
    if (!json) output.line();
  }
  const { sweep } = await readPlan(last.folder);
  if (sweep === undefined) return;
  const rows = await readSweep(last.folder, sweep);
  if (json) process.stdout.write(`${JSON.stringify({ type: 'sweep', id: sweep.id, trials: rows })}\n`);
  else showSweep(output, rows);
}

async function readSweep(folder: string, sweep: SweepPlace): Promise<TrialRow[]> {
  const trials = await Promise.all(
    (await trialsOf(path.dirname(folder), sweep)).map(async (summary) => {
      const result: ResultEvent | undefined =
        summary.state === 'done' ? await readRunResult(summary.folder) : undefined;
      return { summary, ...(result === undefined ? {} : { result }) };
    }),
  );
  return sweepRows(sweep, trials, (await readOptions(folder)).maxDrop);
}

function showSweep(output: Output, rows: readonly TrialRow[]): void {
  const { bold, dim, green } = output.colors;
  const right = (title: string): { title: string; align: 'right' } => ({ title, align: 'right' });
  const left = (title: string): { title: string; align: 'left' } => ({ title, align: 'left' });
  const classifies = rows.some(({ point }) => point !== null && point.accuracy !== null);
  const quality = (accuracy: number | null | undefined, loss: number | undefined): string =>
    classifies ? percent(accuracy ?? undefined) : (loss?.toFixed(4) ?? '–');
  const [head, ...lines] = table(
    [
      ...[left('  '), right('λ'), right('parameters'), right('MACs')],
      ...[right(classifies ? 'validation' : 'val. loss'), right(classifies ? 'test' : 'test loss'), left('')],
      left('run'),
    ],
    rows.map(({ lambda, state, point, onFront, chosen, run }) => [
      chosen ? '→ ' : '  ',
      String(lambda),
      point === null ? '–' : count(point.params),
      point === null ? '–' : count(point.macs),
      quality(point?.accuracy, point?.loss),
      quality(point?.testAccuracy, point?.testLoss),
      point === null ? state : onFront ? 'on the front' : 'beaten',
      run,
    ]),
  );
  output.line(bold(head ?? ''));
  lines.forEach((line, i) => output.line(rows[i]?.chosen === true ? green(line) : line));
  const pick = rows.find((row) => row.chosen);
  if (pick !== undefined)
    output.line(dim(`  to write a trial's widths into your source: shrinknets emit ${pick.run} --write`));
  const unfinished = rows.findLast((row) => row.run !== '');
  if (rows.some((row) => row.state === 'waiting') && unfinished !== undefined)
    output.line(`  Go on with: shrinknets resume ${unfinished.run}`);
}
