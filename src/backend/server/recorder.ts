import { mkdir, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { ShrinkError } from '../../core/errors';
import type { JournalEvent, RunEvent } from '../../core/events';
import type { Checkpoint } from '../../core/job';
import { RecentEvents } from '../../core/recentEvents';
import { writeCheckpoint } from '../../run/checkpointFormat';
import {
  CheckpointChoice,
  checkpointFile,
  chooseNewest,
  deleteOtherCheckpoints,
} from '../../run/checkpoints';
import { fileError, syncFolder, writeDurably, writeDurablySync } from '../../run/durable';
import type { JournalWriter } from '../../run/journal';
import { RUN_FILES, resolveInside } from '../../run/paths';

/** Room given back when the disk is full, so that the journal can still say so. */
const RESERVE = '.reserve';
const RESERVE_BYTES = 64 * 1024;

/** Enough for a client to find what came between its look at the disk and its connection. */
const RECENT_EVENTS = 1024;

/** Files of a run that only the recorder itself writes. */
const OWN_FILES = new Set<string>([
  RUN_FILES.plan,
  RUN_FILES.options,
  RUN_FILES.journal,
  RUN_FILES.lock,
  RUN_FILES.log,
  RUN_FILES.checkpoints,
]);

/** Writes a run: its journal, checkpoints and results. One per run, held by whoever has the lock. */
export class Recorder {
  /** Those who come late read the others from the disk. */
  readonly recent = new RecentEvents(RECENT_EVENTS);
  private readonly checkpoints = new CheckpointChoice();
  private lastEngine: string | undefined;
  private result = false;
  /** Events that came while a checkpoint was being written; they belong behind its event. */
  private held: RunEvent[] | undefined;
  private saving: Promise<void> = Promise.resolve();
  private closed = false;

  /** @param onEvent told of every event once it is stored */
  constructor(
    private readonly folder: string,
    private readonly journal: JournalWriter,
    history: readonly JournalEvent[],
    private readonly onEvent: (event: JournalEvent) => void,
  ) {
    for (const event of history) this.note(event);
  }

  /** Name of the engine that computes now. */
  get engine(): string | undefined {
    return this.lastEngine;
  }

  get hasResult(): boolean {
    return this.result;
  }

  /** Keeps of an event what is needed later: a long run has too many to keep them all. */
  private note(event: JournalEvent): void {
    this.recent.push(event);
    this.checkpoints.take(event);
    if (event.type === 'engine') this.lastEngine = event.name;
    if (event.type === 'result') this.result = true;
  }

  async reserve(): Promise<void> {
    const path = join(this.folder, RESERVE);
    await writeFile(path, Buffer.alloc(RESERVE_BYTES)).catch((error: unknown) => {
      throw fileError(error, 'write into the folder of the run', path);
    });
  }

  async giveBackReserve(): Promise<void> {
    await rm(join(this.folder, RESERVE), { force: true }).catch(() => undefined);
  }

  /** @throws ShrinkError if it cannot be stored; then nothing of it is in the journal */
  emit(event: RunEvent): void {
    if (this.closed) throw new Error(`The run has ended; no ${event.type} can follow.`);
    if (this.held !== undefined) this.held.push(event);
    else this.append(event);
  }

  private append(event: RunEvent): JournalEvent {
    // The file first: a journal with a result promises that result.json is there.
    if (event.type === 'result')
      writeDurablySync(join(this.folder, RUN_FILES.result), `${JSON.stringify(event, null, 2)}\n`);
    const stored = this.journal.append(event);
    if (isMilestone(event)) this.journal.sync();
    this.note(stored);
    this.onEvent(stored);
    return stored;
  }

  /** Writes a checkpoint, then its event, then deletes those no longer kept. One at a time, in order of calls. */
  saveCheckpoint(checkpoint: Checkpoint): Promise<void> {
    const saved = this.saving.then(() => this.save(checkpoint));
    this.saving = saved.catch(() => undefined);
    return saved;
  }

  private async save(checkpoint: Checkpoint): Promise<void> {
    if (this.closed) throw new Error('The run has ended; no checkpoint can follow.');
    this.held = [];
    try {
      const seq = this.journal.next;
      const file = checkpointFile(seq);
      await this.write(resolveInside(this.folder, file), checkpoint, seq);
      this.append({ type: 'checkpoint', file, step: checkpoint.step });
    } finally {
      const held = this.held;
      this.held = undefined;
      if (!this.isClosed()) for (const event of held) this.append(event);
    }
    await deleteOtherCheckpoints(this.folder, this.checkpoints.files);
  }

  private async write(path: string, checkpoint: Checkpoint, seq: number): Promise<void> {
    const place = { run: basename(this.folder), seq };
    await this.makingRoom(() => writeCheckpoint(path, checkpoint, place));
  }

  /** Tries again with fewer checkpoints if the disk is full: the older ones are worth less than going on. */
  private async makingRoom(write: () => Promise<void>): Promise<void> {
    try {
      await write();
    } catch (error) {
      if (!(error instanceof ShrinkError) || error.code !== 'disk-full') throw error;
      await deleteOtherCheckpoints(this.folder, chooseNewest(this.checkpoints.newest));
      await write();
    }
  }

  /** Read through a method: it may change while a checkpoint is awaited. */
  private isClosed(): boolean {
    return this.closed;
  }

  /** Writes a file of the result durably. @param path relative to the run's folder, forward slashes */
  async writeFile(path: string, content: Uint8Array | string): Promise<void> {
    const absolute = resolveInside(this.folder, path);
    if (OWN_FILES.has(path.split('/')[0] ?? ''))
      throw new ShrinkError('environment', 'path-reserved', `${path} is written by the run itself.`);
    const parent = dirname(absolute);
    // Not recursive from the run's folder up: a run that was deleted stays deleted.
    if (parent !== this.folder) await this.makeFolder(parent);
    await this.makingRoom(() => writeDurably(absolute, [content]));
  }

  private async makeFolder(folder: string): Promise<void> {
    if (dirname(folder) !== this.folder) await this.makeFolder(dirname(folder));
    await mkdir(folder).catch((error: unknown) => {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST'))
        throw fileError(error, 'make a folder', folder);
    });
    await syncFolder(dirname(folder));
  }

  /** Waits for a checkpoint that is being written. */
  async settle(): Promise<void> {
    await this.saving;
  }

  /** Stores the last event. @returns it, even if it could not be stored */
  close(last: RunEvent): JournalEvent | undefined {
    if (this.closed) return undefined;
    this.held = undefined;
    try {
      return this.append(last);
    } catch (error) {
      console.error(`The last event could not be stored: ${String(error)}`);
      const unstored: JournalEvent = { seq: this.journal.next, at: Date.now(), ...last };
      this.onEvent(unstored);
      return unstored;
    } finally {
      this.end();
    }
  }

  /** Ends writing without a further event. */
  end(): void {
    if (this.closed) return;
    this.closed = true;
    this.journal.close();
  }
}

/** Events after which nothing may be lost to a power failure. */
function isMilestone(event: RunEvent): boolean {
  return ['checkpoint', 'result', 'stopped', 'failed'].includes(event.type);
}
