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

/** The checkpoints worth keeping: the last {@link KEPT_CHECKPOINTS} and the best one. */
export function chooseKept(events: readonly JournalEvent[]): Set<string> {
  const checkpoints = events.filter((event) => event.type === 'checkpoint');
  const kept = new Set(checkpoints.slice(-KEPT_CHECKPOINTS).map((event) => event.file));
  const best = bestCheckpoint(events);
  if (best !== undefined) kept.add(best);
  return kept;
}

/** Only this checkpoint, or none. */
export function chooseNewest(event: CheckpointEvent | undefined): Set<string> {
  return new Set(event === undefined ? [] : [event.file]);
}

/** The checkpoint whose last epoch before it has the best validation: accuracy if there is one, else loss. */
function bestCheckpoint(events: readonly JournalEvent[]): string | undefined {
  let score = Number.NEGATIVE_INFINITY;
  let best = Number.NEGATIVE_INFINITY;
  let file: string | undefined;
  for (const event of events) {
    if (event.type === 'epoch') score = event.validation.accuracy ?? -event.validation.loss;
    else if (event.type === 'checkpoint' && score >= best && score > Number.NEGATIVE_INFINITY) {
      best = score;
      file = event.file;
    }
  }
  return file;
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
