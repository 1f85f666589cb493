import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { RunEnd, RunHandle } from '../client/runHandle';
import { followRun } from '../client/followRun';
import { messageOf } from '../core/errors';
import type { JournalEvent, ResultEvent } from '../core/events';
import type { Topology } from '../core/topology';
import { readPlan } from '../run/runFolder';
import { changesOf } from '../shell/changesOf';
import { planEmission, writeEmission, type Emission } from '../shell/emission';
import { readModelFile } from '../shell/sources';
import { EXIT } from './failure';
import { Output } from './output';
import { showDiff } from './render/diff';
import { showSummary } from './render/summary';
import { TrainReport } from './render/trainReport';

export interface WatchSettings {
  readonly json: boolean;
  /** Write the learned widths into the source at the end. */
  readonly write: boolean;
  /** Without what a run comes to: somebody else tells it. */
  readonly brief?: boolean;
  /** Ctrl-C ends the looking on, not the run. */
  readonly looksOn?: boolean;
}

export interface WatchEnd {
  readonly exitCode: number;
  /** The input could not be used: the run's folder holds nothing worth keeping. */
  readonly nothingLearned: boolean;
}

/**
 * Shows a run until it ends. Ctrl-C stops it after a checkpoint; a second one ends it at once. A training process that
 * dies by itself is started again by its supervisor.
 */
export async function watchRun(handle: RunHandle, settings: WatchSettings): Promise<WatchEnd> {
  const output = new Output();
  const view = new RunView(output, settings);
  let current = handle;
  view.follow(handle);
  const release = settings.looksOn === true ? onLeave(() => current) : onInterrupt(() => current, output);
  // A handle alone keeps no process alive, and between two connections nothing else does.
  const alive = setInterval(() => undefined, 1000);
  try {
    const end = await followRun(handle, (next, why) => {
      output.error(`shrinknets: ${why} It goes on from the last checkpoint.`);
      current = next;
      view.follow(next);
    });
    output.clearStatus();
    return await concludeWatch(current, end, view, settings, output);
  } finally {
    clearInterval(alive);
    release();
  }
}

/** Prints events as they come and keeps what the end needs. */
class RunView {
  result: ResultEvent | undefined;
  failure: Extract<JournalEvent, { type: 'failed' }> | undefined;
  /** Whether training began: the model and the data fit together. */
  trained = false;
  private readonly starts = new Set<string>();
  private readonly report: TrainReport;

  constructor(
    output: Output,
    private readonly settings: WatchSettings,
  ) {
    this.report = new TrainReport(output);
  }

  /** A run that was started again is told from the first event on once more; only from its new start on it is news. */
  follow(handle: RunHandle): void {
    let isNews = false;
    handle.onEvent((event) => {
      const start = event.type === 'start' ? `${event.seq} ${event.at}` : undefined;
      if (start !== undefined && !this.starts.has(start)) isNews = true;
      if (start !== undefined) this.starts.add(start);
      this.take(event, isNews);
    });
    if (!this.settings.json) handle.onProgress((progress) => this.report.progress(progress));
  }

  private take(event: JournalEvent, show: boolean): void {
    if (event.type === 'result') this.result = event;
    if (event.type === 'failed') this.failure = event;
    if (event.type === 'model') this.trained = true;
    if (!show) return;
    if (!this.settings.json) this.report.show(event);
    else if (event.type !== 'result') process.stdout.write(`${JSON.stringify(event)}\n`);
  }
}

async function concludeWatch(
  handle: RunHandle,
  end: RunEnd,
  view: RunView,
  settings: WatchSettings,
  output: Output,
): Promise<WatchEnd> {
  if (view.result !== undefined && end.state === 'done') {
    if (settings.brief !== true) await conclude(handle, view.result, settings, output);
    else if (settings.json) process.stdout.write(`${JSON.stringify(view.result)}\n`);
    return { exitCode: EXIT.done, nothingLearned: false };
  }
  if (end.state === 'stopped' || end.state === 'detached') {
    const more =
      end.state === 'detached'
        ? 'It goes on; look on again with: shrinknets watch'
        : 'Go on with: shrinknets resume';
    if (!settings.json) output.line(`${more} ${handle.run}`);
    return { exitCode: EXIT.done, nothingLearned: false };
  }
  output.error(`shrinknets: ${view.failure?.message ?? end.message}`);
  const bad = view.failure?.kind === 'bad-input';
  if (!bad && view.trained)
    output.error(`shrinknets: the run is kept; go on with: shrinknets resume ${handle.run}`);
  return { exitCode: bad ? EXIT.badInput : EXIT.failed, nothingLearned: bad && !view.trained };
}

/** Lets go of a run that others started. */
function onLeave(handle: () => RunHandle): () => void {
  const leave = (): void => void handle().detach();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, leave);
  return () => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, leave);
  };
}

function onInterrupt(handle: () => RunHandle, output: Output): () => void {
  let asked = false;
  const interrupt = (): void => {
    const act = asked ? handle().kill() : handle().stop();
    if (!asked) output.error('stopping after a checkpoint; press Ctrl-C again to end at once');
    asked = true;
    act.catch((thrown: unknown) => output.error(messageOf(thrown)));
  };
  process.on('SIGINT', interrupt);
  process.on('SIGTERM', interrupt);
  return () => {
    process.off('SIGINT', interrupt);
    process.off('SIGTERM', interrupt);
  };
}

/** The end of a run that is done: summary, emitted copy, diff, and where everything lies. */
async function conclude(
  handle: RunHandle,
  result: ResultEvent,
  settings: WatchSettings,
  output: Output,
): Promise<void> {
  let emission: Emission | undefined;
  let refused: string | undefined;
  try {
    emission = await emissionOf(handle.folder, result);
    await writeCopies(handle.folder, emission);
    if (settings.write) await writeEmission(emission);
  } catch (thrown) {
    refused = messageOf(thrown);
    if (settings.write) process.exitCode = EXIT.failed;
  }
  if (settings.json) {
    if (refused !== undefined) output.error(`shrinknets: ${refused}`);
    process.stdout.write(`${JSON.stringify(result)}\n`);
    return;
  }
  showSummary(output, result);
  output.line();
  const near = (file: string): string => path.relative(process.cwd(), file) || '.';
  if (emission === undefined)
    output.error(`shrinknets: ${refused ?? 'the widths could not be written back'}`);
  else {
    const changes = changesOf(emission);
    for (const { file, before, after } of changes) showDiff(output, near(file), before, after);
    output.line();
    for (const { file } of settings.write ? changes : [emission])
      output.line(
        settings.write
          ? `  written into  ${near(file)}`
          : `  emitted copy  ${near(path.join(handle.folder, 'emitted', path.basename(file)))}`,
      );
  }
  output.line(`  weights       ${near(path.join(handle.folder, 'weights', 'model.json'))}`);
  for (const name of ['model.safetensors', 'model.npz'])
    if (existsSync(path.join(handle.folder, 'weights', name)))
      output.line(
        `                ${near(path.join(handle.folder, 'weights', name))}, see load.py beside it`,
      );
  output.line(`  run           ${near(handle.folder)}`);
  if (!settings.write && emission !== undefined)
    output.line(
      output.colors.dim(`  to write the widths into your source: shrinknets emit ${handle.run} --write`),
    );
}

/** Copies of the source, and of what changes with it, into the run's folder. */
async function writeCopies(folder: string, emission: Emission): Promise<void> {
  const around = path.dirname(emission.file);
  for (const { file, after } of [emission, ...emission.others]) {
    // A file outside of the source's folder lies beside it in the copy.
    const inside = path.relative(around, file).replaceAll('..', '_');
    const copy = path.join(folder, 'emitted', inside);
    await mkdir(path.dirname(copy), { recursive: true });
    await writeFile(copy, after);
  }
}

/** The edits that a finished run makes to its source. @throws ShrinkError when they are refused */
export async function emissionOf(folder: string, result: ResultEvent): Promise<Emission> {
  const plan = await readPlan(folder);
  const compact = JSON.parse(
    await readFile(path.join(folder, 'weights', 'topology.json'), 'utf8'),
  ) as Topology;
  return planEmission(await readModelFile(plan.file), plan, result, compact);
}
