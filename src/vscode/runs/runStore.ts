import { existsSync, statSync, watch, type FSWatcher } from 'node:fs';
import path from 'node:path';
import * as vscode from 'vscode';
import type { RunEnd, RunHandle } from '../../client/runHandle';
import { messageOf } from '../../core/errors';
import { nextTrialOf } from '../../core/sweep';
import type { RunSummary } from '../../run/listRuns';
import { PROJECT_FOLDER, RUN_FILES, runsFolderFor } from '../../run/paths';
import type { RunView } from '../../shell/runView';
import { inBackground } from '../failure';

/** A run that is being trained now, as this window sees it. */
export interface LiveRun {
  readonly folder: string;
  readonly id: string;
  handle: RunHandle;
  view: RunView;
  /** Settles when the view has the last event. */
  heard: Promise<void>;
  /** Settles with its end, or when this window lost it. */
  readonly ended: Promise<RunEnd>;
  /** Settles with the trial that a sweep goes on with after this one; undefined if nothing follows. */
  readonly followed: Promise<LiveRun | undefined>;
}

const FOLDERS_KEY = 'shrinknets.runsFolders';
const PINNED_KEY = 'shrinknets.pinnedRuns';
/** Events on disk come in bursts. */
const SETTLE_MS = 300;
/** How often folders and locks of runs are looked at: another window may have started or resumed one. */
const LOOK_MS = 2_000;

/** The runs of the open folders: those on disk, and the live ones this window is attached to. */
export class RunStore implements vscode.Disposable {
  private summaries: readonly RunSummary[] = [];
  private readonly lives = new Map<string, LiveRun>();
  private readonly views = new Map<string, Promise<RunView>>();
  private readonly watchers = new Map<string, FSWatcher>();
  private readonly list$ = new vscode.EventEmitter<void>();
  private readonly run$ = new vscode.EventEmitter<string>();
  private readonly next$ = new vscode.EventEmitter<{ readonly ended: LiveRun; readonly next: LiveRun }>();
  private readonly end$ = new vscode.EventEmitter<{ readonly live: LiveRun; readonly end: RunEnd }>();
  private timer: NodeJS.Timeout | undefined;
  private refreshing: Promise<void> | undefined;
  private refreshingNext: Promise<void> | undefined;
  private disposed = false;
  private lookTimer: NodeJS.Timeout | undefined;
  /** When a folder of runs, or the lock of a run that nobody trains, was written: a lock that stays is a dead process's. */
  private readonly seen = new Map<string, number>();

  /** The list of runs, or the state of one, changed. */
  readonly onDidChangeList = this.list$.event;
  /** Something of one run changed; told its folder. */
  readonly onDidChangeRun = this.run$.event;
  /** A sweep went on from one trial to the next. */
  readonly onDidFollow = this.next$.event;
  /** A live run came to its end. */
  readonly onDidEnd = this.end$.event;

  constructor(
    private readonly log: vscode.LogOutputChannel,
    private readonly memory: vscode.Memento,
  ) {}

  /** Every known run, newest first, pinned ones before others. */
  get all(): readonly RunSummary[] {
    return this.summaries;
  }

  get live(): readonly LiveRun[] {
    return [...this.lives.values()];
  }

  find(folder: string): RunSummary | undefined {
    return this.summaries.find((run) => run.folder === folder);
  }

  liveOf(folder: string): LiveRun | undefined {
    return this.lives.get(folder);
  }

  /** Whether a path is that of a run, there or not, in a folder whose runs this window lists. */
  keeps(folder: string): boolean {
    return path.resolve(folder) === folder && this.folders().includes(path.dirname(folder));
  }

  isPinned(folder: string): boolean {
    return this.memory.get<string[]>(PINNED_KEY, []).includes(folder);
  }

  async pin(folder: string, pinned: boolean): Promise<void> {
    const others = this.memory.get<string[]>(PINNED_KEY, []).filter((known) => known !== folder);
    await this.memory.update(PINNED_KEY, pinned ? [...others, folder] : others);
    this.summaries = this.sorted(this.summaries);
    this.list$.fire();
  }

  /** Notes where a model file's runs are kept, so that they are listed. */
  async addFile(file: string): Promise<void> {
    const folder = runsFolderFor(file);
    const known = this.memory.get<string[]>(FOLDERS_KEY, []);
    if (known.includes(folder) || !existsSync(folder)) return;
    await this.memory.update(FOLDERS_KEY, [...known, folder]);
    await this.refresh();
  }

  /** Reads the list again and attaches to what is being trained. What is asked while it reads is read after it. */
  async refresh(): Promise<void> {
    if (this.refreshing === undefined) {
      this.refreshing = this.readList().finally(() => (this.refreshing = undefined));
      return this.refreshing;
    }
    this.refreshingNext ??= this.refreshing.then(
      () => this.refreshNext(),
      () => this.refreshNext(),
    );
    return this.refreshingNext;
  }

  private refreshNext(): Promise<void> {
    this.refreshingNext = undefined;
    return this.refresh();
  }

  /** A run as it is now; the same view for as long as it lives. @throws ShrinkError `run-missing`, `journal-version`, … */
  async view(folder: string): Promise<RunView> {
    const live = this.lives.get(folder);
    if (live !== undefined) return live.view;
    const known = this.views.get(folder);
    if (known !== undefined) return known;
    const reading = this.readRun(folder);
    this.views.set(folder, reading);
    reading.catch(() => this.views.delete(folder));
    return reading;
  }

  /** Follows a run that this window started, resumed or found. */
  async adopt(handle: RunHandle): Promise<LiveRun> {
    const { newView } = await import('./replay');
    const view = await newView(handle.folder);
    const known = this.lives.get(handle.folder);
    if (known !== undefined) {
      if (known.handle !== handle) inBackground(this.log, 'let go of a run', handle.detach());
      return known;
    }
    // The handle may have ended before this window began to hear it.
    const ended = this.follow(handle).then(async (end) => {
      // What cannot be heard was logged.
      await live.heard.catch(() => undefined);
      return end;
    });
    const live: LiveRun = {
      folder: handle.folder,
      id: handle.run,
      handle,
      view,
      heard: Promise.resolve(),
      ended,
      followed: ended.then((end) => this.finish(live, end)),
    };
    this.views.delete(handle.folder);
    this.lives.set(handle.folder, live);
    live.heard = this.hear(live, handle);
    inBackground(this.log, 'hear a run', live.heard);
    inBackground(this.log, 'follow a run', live.followed);
    await this.addFolder(path.dirname(handle.folder));
    this.changed(handle.folder);
    return live;
  }

  /** Forgets a run whose folder is gone. */
  forget(folder: string): void {
    this.views.delete(folder);
    this.summaries = this.summaries.filter((run) => run.folder !== folder);
    this.changed(folder);
  }

  dispose(): void {
    this.disposed = true;
    clearTimeout(this.timer);
    clearInterval(this.lookTimer);
    for (const watcher of this.watchers.values()) watcher.close();
    // The runs go on without this window.
    for (const live of this.lives.values()) inBackground(this.log, 'let go of a run', live.handle.detach());
    for (const emitter of [this.list$, this.run$, this.end$, this.next$]) emitter.dispose();
  }

  /** @returns when no event comes any more */
  private async hear(live: LiveRun, handle: RunHandle): Promise<void> {
    handle.onProgress((progress) => {
      live.view.progress = progress;
      this.run$.fire(live.folder);
    });
    // A restarted process has a view of its own.
    const { view } = live;
    for await (const event of handle.events) {
      if (this.disposed) return;
      view.take(event);
      this.run$.fire(live.folder);
    }
  }

  /** Over the deaths of its process: its supervisor starts it again, and the journal begins anew. */
  private async follow(first: RunHandle): Promise<RunEnd> {
    const [{ followRun }, { newView }] = await Promise.all([
      import('../../client/followRun'),
      import('./replay'),
    ]);
    return followRun(first, (next, why) => {
      const live = this.lives.get(first.folder);
      if (live === undefined) return;
      this.log.warn(`${next.run}: ${why}`);
      live.handle = next;
      live.heard = newView(next.folder).then((view) => {
        live.view = view;
        return this.hear(live, next);
      });
      inBackground(this.log, 'hear a resumed run', live.heard);
    });
  }

  private async finish(live: LiveRun, end: RunEnd): Promise<LiveRun | undefined> {
    if (this.disposed) return undefined;
    this.lives.delete(live.folder);
    if (end.state === 'detached') this.log.warn(`${live.id}: ${end.message}`);
    else if (live.view.state === 'running') live.view.end(end.state, end.message);
    this.views.set(live.folder, Promise.resolve(live.view));
    this.log.info(`${live.id}: ${end.state}. ${end.message}`);
    this.end$.fire({ live, end });
    await this.refresh();
    this.changed(live.folder);
    return this.find(live.folder)?.sweep === undefined ? undefined : this.adoptNextTrial(live);
  }

  /** The trial that a sweep goes on with: its supervisor starts it, this window only looks on. */
  private async adoptNextTrial(ended: LiveRun): Promise<LiveRun | undefined> {
    const { attachNextTrial } = await import('../../client/sweeps');
    const handle = await attachNextTrial(ended.folder);
    if (handle === undefined || this.isDisposed()) return undefined;
    const next = await this.adopt(handle);
    this.next$.fire({ ended, next });
    return next;
  }

  /** Read through a method: it may change while something is awaited. */
  private isDisposed(): boolean {
    return this.disposed;
  }

  private changed(folder: string): void {
    this.list$.fire();
    this.run$.fire(folder);
  }

  private folders(): string[] {
    const open = (vscode.workspace.workspaceFolders ?? [])
      .filter((folder) => folder.uri.scheme === 'file')
      .map((folder) => path.join(folder.uri.fsPath, PROJECT_FOLDER, 'runs'));
    return [...new Set([...open, ...this.memory.get<string[]>(FOLDERS_KEY, [])])].filter((folder) =>
      existsSync(folder),
    );
  }

  private async addFolder(folder: string): Promise<void> {
    const known = this.memory.get<string[]>(FOLDERS_KEY, []);
    if (!known.includes(folder)) await this.memory.update(FOLDERS_KEY, [...known, folder]);
    await this.refresh();
  }

  private async readList(): Promise<void> {
    const folders = this.folders();
    this.watchFolders(folders);
    this.lookTimer ??= setInterval(() => this.lookAround(), LOOK_MS);
    if (folders.length === 0) {
      this.setSummaries([]);
      return;
    }
    const { listRuns } = await import('../../run/listRuns');
    const lists = await Promise.all(folders.map((folder) => listRuns(folder)));
    this.setSummaries(this.sorted(lists.flat()));
    for (const run of this.summaries) {
      if (run.state !== 'running' || this.lives.has(run.folder)) continue;
      inBackground(this.log, 'attach to a run', this.attach(run.folder));
    }
  }

  /**
   * What no watcher tells: a folder of runs that is made now, or that cannot be watched, and who holds a run's lock.
   * A watched folder tells of new runs, not of what happens inside of one.
   */
  private lookAround(): void {
    const idle = this.summaries.map((run) => run.folder).filter((folder) => !this.lives.has(folder));
    const changed = [...this.folders(), ...idle.map((folder) => path.join(folder, RUN_FILES.lock))].filter(
      (file) => this.hasChanged(file),
    );
    if (changed.length > 0) this.refreshSoon();
  }

  private hasChanged(file: string): boolean {
    const written = statSync(file, { throwIfNoEntry: false })?.mtimeMs;
    if (written === undefined || this.seen.get(file) === written) return false;
    this.seen.set(file, written);
    return true;
  }

  private setSummaries(summaries: readonly RunSummary[]): void {
    this.summaries = summaries;
    this.list$.fire();
  }

  private sorted(runs: readonly RunSummary[]): RunSummary[] {
    const pinned = new Set(this.memory.get<string[]>(PINNED_KEY, []));
    const rank = (run: RunSummary): number => (pinned.has(run.folder) ? 0 : 1);
    return [...runs].sort((a, b) => rank(a) - rank(b) || b.startedAt - a.startedAt);
  }

  private async attach(folder: string): Promise<void> {
    const { attachRun } = await import('../../client/runs');
    await this.adopt(await attachRun(folder));
  }

  /** One that is being trained, which the list may not know yet, has no end to wait for: it is followed. */
  private async readRun(folder: string): Promise<RunView> {
    const [{ attachRun }, { replayRun }] = await Promise.all([
      import('../../client/runs'),
      import('./replay'),
    ]);
    const handle = await attachRun(folder);
    return handle.pid === undefined ? replayRun(handle) : (await this.adopt(handle)).view;
  }

  private watchFolders(folders: readonly string[]): void {
    for (const folder of folders) {
      if (this.watchers.has(folder)) continue;
      try {
        const watcher = watch(folder, { persistent: false }, () => this.refreshSoon());
        watcher.on('error', () => this.unwatch(folder));
        this.watchers.set(folder, watcher);
      } catch (thrown) {
        this.log.warn(`${folder} is not watched: ${messageOf(thrown)}`);
      }
    }
  }

  private unwatch(folder: string): void {
    this.watchers.get(folder)?.close();
    this.watchers.delete(folder);
  }

  private refreshSoon(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => inBackground(this.log, 'read the runs', this.refresh()), SETTLE_MS);
  }
}

/** Whether a run can go on, or the sweep whose last trial it is. */
export function isResumable(run: RunSummary, all: readonly RunSummary[]): boolean {
  const { state, sweep } = run;
  if (state === 'done' && sweep !== undefined)
    return (
      nextTrialOf(sweep) !== undefined &&
      !all.some((other) => other.sweep?.id === sweep.id && other.sweep.trial > sweep.trial)
    );
  return state === 'stopped' || state === 'interrupted' || state === 'failed';
}
