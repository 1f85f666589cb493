import { readdir, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { ShrinkError } from '../core/errors';
import type { JournalEvent } from '../core/events';
import { readCheckpoint, type StoredCheckpoint } from './checkpointFormat';
import { isTemporary } from './durable';
import { RUN_FILES, resolveInside } from './paths';

/** Which checkpoint a run goes on from, and which ones are kept. */

type CheckpointEvent = Extract<JournalEvent, { type: 'checkpoint' }>;

/** How many of the newest checkpoints are kept, besides the best one. */
const KEPT_CHECKPOINTS = 3;

/**
 * The file of the checkpoint whose event gets `seq`, relative to the run's folder. Named after the event so that
 * two at one step do not overwrite each other.
 */
export function checkpointFile(seq: number): string {
  return `${RUN_FILES.checkpoints}/${String(seq).padStart(8, '0')}.safetensors`;
}

export interface RestoredCheckpoint {
  readonly checkpoint: StoredCheckpoint;
  readonly event: CheckpointEvent;
}

/**
 * The newest checkpoint that the journal knows and that is whole. A damaged one is passed over for the one before.
 *
 * @param onSkipped told why a checkpoint is passed over
 */
export async function findLatestCheckpoint(
  folder: string,
  events: readonly JournalEvent[],
  onSkipped: (event: CheckpointEvent, error: ShrinkError) => void = () => undefined,
): Promise<RestoredCheckpoint | undefined> {
  const run = basename(folder);
  for (const event of events.filter((each) => each.type === 'checkpoint').reverse()) {
    try {
      const checkpoint = await readCheckpoint(resolveInside(folder, event.file));
      if (checkpoint.seq === event.seq && checkpoint.step === event.step && checkpoint.run === run)
        return { checkpoint, event };
      throw new ShrinkError(
        'environment',
        'checkpoint-damaged',
        `The checkpoint ${event.file} belongs to another moment or run than the journal says.`,
      );
    } catch (error) {
      if (!(error instanceof ShrinkError)) throw error;
      onSkipped(event, error);
    }
  }
  return undefined;
}

/**
 * Which checkpoints of a journal are worth keeping: the last {@link KEPT_CHECKPOINTS}, and the one whose last epoch
 * before it has the best validation (accuracy if there is one, else loss).
 */
export class CheckpointChoice {
  private latest: readonly CheckpointEvent[] = [];
  private best: CheckpointEvent | undefined;
  private bestScore = Number.NEGATIVE_INFINITY;
  private score = Number.NEGATIVE_INFINITY;

  /** Takes the journal's next event. */
  take(event: JournalEvent): void {
    if (event.type === 'epoch') this.score = event.validation.accuracy ?? -event.validation.loss;
    if (event.type !== 'checkpoint') return;
    this.latest = [...this.latest, event].slice(-KEPT_CHECKPOINTS);
    if (this.score < this.bestScore || this.score === Number.NEGATIVE_INFINITY) return;
    this.bestScore = this.score;
    this.best = event;
  }

  get newest(): CheckpointEvent | undefined {
    return this.latest.at(-1);
  }

  /** Their files, relative to the run's folder. */
  get files(): Set<string> {
    return new Set([...this.latest, ...(this.best === undefined ? [] : [this.best])].map(({ file }) => file));
  }
}

/** The files of the checkpoints worth keeping, see {@link CheckpointChoice}. */
export function chooseKept(events: readonly JournalEvent[]): Set<string> {
  const choice = new CheckpointChoice();
  for (const event of events) choice.take(event);
  return choice.files;
}

/** Only this checkpoint, or none. */
export function chooseNewest(event: CheckpointEvent | undefined): Set<string> {
  return new Set(event === undefined ? [] : [event.file]);
}

/** Deletes checkpoints that are not kept, and what cut-off writes left. Never throws for a file that stays. */
export async function deleteOtherCheckpoints(folder: string, kept: ReadonlySet<string>): Promise<void> {
  const inside = join(folder, RUN_FILES.checkpoints);
  for (const name of await readdir(inside).catch(() => [])) {
    if (kept.has(`${RUN_FILES.checkpoints}/${name}`)) continue;
    if (!name.endsWith('.safetensors') && !isTemporary(name)) continue;
    await rm(join(inside, name), { force: true }).catch(() => undefined);
  }
}
