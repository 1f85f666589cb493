import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ShrinkError } from '../core/errors';
import type { JournalEvent, RunEvent } from '../core/events';
import type { Checkpoint } from '../core/job';
import { chooseKept, deleteOtherCheckpoints, findLatestCheckpoint } from './checkpoints';
import { isTemporary, syncFolder } from './durable';
import { JournalWriter, readJournal, type JournalContent } from './journal';
import { findEnding } from './listRuns';
import { RUN_FILES } from './paths';

/** A run's folder made consistent, ready to be written on. */
export interface RestoredRun {
  readonly journal: JournalWriter;
  /** What stays in the journal: everything up to and with the event of the checkpoint. */
  readonly history: readonly JournalEvent[];
  readonly checkpoint?: Checkpoint;
  /** Relative path of the checkpoint's file. */
  readonly checkpointFile?: string;
  /** When the last event was written, if the process before ended without saying how. */
  readonly interruptedAt?: number;
  /** What was passed over or dropped and why. */
  readonly warnings: readonly Extract<RunEvent, { type: 'warning' }>[];
}

/**
 * Takes a run back to its newest whole checkpoint: the journal is cut after that checkpoint's event, so that what
 * the resumed run writes follows from what stands there. With no checkpoint the run starts over. Whoever calls
 * this holds the run's lock.
 *
 * @throws ShrinkError `run-done` if there is nothing to go on with, `journal-version`, …
 */
export async function restoreRun(folder: string): Promise<RestoredRun> {
  const content = await checkResumable(folder);
  const events = content.events;
  const last = events.at(-1);
  const warnings: Extract<RunEvent, { type: 'warning' }>[] = [];
  const warn = (code: string, message: string): void =>
    void warnings.push({ type: 'warning', code, message });
  if (content.lostBytes > 0)
    warn('journal-torn', `The end of the journal was not written completely (${content.lostBytes} bytes).`);
  const latest = await findLatestCheckpoint(folder, events, (_event, error) => {
    warn(error.code, `${error.message} The one before it is tried.`);
  });
  const history = latest === undefined ? [] : events.slice(0, latest.event.seq + 1);
  if (events.length > 0 && latest === undefined)
    warn('restarted', 'The run has no checkpoint that can be used, so it starts over.');

  await deleteLeftovers(folder);
  // A result that lies behind the checkpoint is learned again.
  await rm(join(folder, RUN_FILES.result), { force: true });
  const journal = JournalWriter.open(folder, content, history.length);
  journal.sync();
  // Its name, too, if it was made just now.
  await syncFolder(folder);
  // Only after the cut: until then the journal names them.
  await deleteOtherCheckpoints(folder, chooseKept(history));
  return {
    journal,
    history,
    ...(last === undefined || findEnding(events) !== undefined ? {} : { interruptedAt: last.at }),
    ...(latest === undefined ? {} : { checkpoint: latest.checkpoint, checkpointFile: latest.event.file }),
    warnings,
  };
}

/**
 * Refuses a run that cannot be gone on with; changes nothing.
 *
 * @throws ShrinkError `run-done`, `journal-version`, …
 */
export async function checkResumable(folder: string): Promise<JournalContent> {
  const content = await readJournal(folder);
  if (isDone(content.events))
    throw new ShrinkError('bad-input', 'run-done', 'This run is done; there is nothing to resume.');
  return content;
}

/** Whether the run has its result and was not stopped before its end. */
export function isDone(events: readonly JournalEvent[]): boolean {
  return findEnding(events)?.type === 'result';
}

async function deleteLeftovers(folder: string): Promise<void> {
  for (const inside of [folder, join(folder, RUN_FILES.weights)])
    for (const name of await readdir(inside).catch(() => []))
      // Another backend that just now tries for the lock has its own temporary file.
      if (isTemporary(name) && !name.startsWith(`.${RUN_FILES.lock}.`))
        await rm(join(inside, name), { force: true }).catch(() => undefined);
}
