import { lstat, open, readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { JournalEvent } from '../core/events';
import type { SweepPlace } from '../core/sweep';
import { codeOf, fileError } from './durable';
import { parseJournalEvent } from './eventSchema';
import { readLiveLock } from './lock';
import { isRunName, readPlan } from './runFolder';
import { RUN_FILES } from './paths';

/** The runs of a project as a list shows them. */

export type RunState =
  /** A backend lives and holds the lock. */
  | 'running'
  /** Ended on request, with what was learned until then. */
  | 'stopped'
  | 'done'
  | 'failed'
  /** The backend ended without saying so: killed, power loss. Can be resumed. */
  | 'interrupted';

export interface RunSummary {
  readonly id: string;
  readonly folder: string;
  readonly state: RunState;
  readonly model: string;
  /** Absolute path of the source file. */
  readonly file: string;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  /** When the last event was written. */
  readonly updatedAt: number;
  readonly sizeBytes: number;
  /** Of the backend, while it lives. */
  readonly pid?: number;
  /** Of the last `failed` event, if that is how it ended. */
  readonly message?: string;
  /** If it is a trial of a sweep. */
  readonly sweep?: SweepPlace;
}

/** Enough for the events that say how a run ended. */
const TAIL_BYTES = 256 * 1024;

/** Every run in a folder, oldest first; what is no run, or cannot be read as one, is left out. */
export async function listRuns(runsFolder: string): Promise<RunSummary[]> {
  let names: string[];
  try {
    names = await readdir(runsFolder);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    throw fileError(error, 'read the runs', runsFolder);
  }
  const found = await Promise.all(
    names.filter(isRunName).map((name) => describeRun(join(runsFolder, name)).catch(() => undefined)),
  );
  return found
    .filter((run) => run !== undefined)
    .sort((a, b) => a.startedAt - b.startedAt || (a.id < b.id ? -1 : 1));
}

/** @throws ShrinkError `run-missing` if the folder holds no run */
export async function describeRun(folder: string): Promise<RunSummary> {
  const plan = await readPlan(folder);
  // The lock before the journal: a run that ends in between is then seen as ended, not as interrupted.
  const lock = await readLiveLock(folder);
  const events = await readTail(folder);
  const made = await stat(join(folder, RUN_FILES.plan));
  const ending = lock === undefined ? findEnding(events) : undefined;
  return {
    id: basename(folder),
    folder,
    state: lock === undefined ? stateAfter(ending) : 'running',
    model: plan.model,
    file: plan.file,
    startedAt: made.mtimeMs,
    updatedAt: events.at(-1)?.at ?? made.mtimeMs,
    sizeBytes: await measureFolder(folder),
    ...(lock === undefined ? {} : { pid: lock.pid }),
    ...(ending?.type === 'failed' ? { message: ending.message } : {}),
    ...(plan.sweep === undefined ? {} : { sweep: plan.sweep }),
  };
}

/** The event that says how the run ended, after its last start. */
export function findEnding(events: readonly JournalEvent[]): JournalEvent | undefined {
  const last = events.findLast((event) => ['start', 'result', 'stopped', 'failed'].includes(event.type));
  return last?.type === 'start' ? undefined : last;
}

/** The state of a run that no backend works on. @param ending from {@link findEnding} */
export function stateAfter(ending: JournalEvent | undefined): Exclude<RunState, 'running'> {
  switch (ending?.type) {
    case 'result':
      return 'done';
    case 'stopped':
      return 'stopped';
    case 'failed':
      return 'failed';
    default:
      return 'interrupted';
  }
}

/** The event that says how a run ended, as far as it has. Reads only the end of a long journal. */
export async function readEnding(folder: string): Promise<JournalEvent | undefined> {
  return findEnding(await readTail(folder));
}

/** The last events, without reading a long journal as a whole. */
export async function readTail(folder: string): Promise<JournalEvent[]> {
  let file;
  try {
    file = await open(join(folder, RUN_FILES.journal), 'r');
  } catch {
    return [];
  }
  try {
    const { size } = await file.stat();
    const start = Math.max(0, size - TAIL_BYTES);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(size - start), 0, size - start, start);
    const lines = buffer.toString('utf8', 0, bytesRead).split('\n');
    // The first line may be cut at its start, what follows the last line end is torn.
    return lines
      .slice(start === 0 ? 0 : 1, -1)
      .map(parseEventLine)
      .filter((event) => event !== undefined);
  } finally {
    await file.close();
  }
}

function parseEventLine(line: string): JournalEvent | undefined {
  try {
    return parseJournalEvent(JSON.parse(line));
  } catch {
    return undefined;
  }
}

/** Bytes of all files in a folder. Links are not followed. */
export async function measureFolder(folder: string): Promise<number> {
  let bytes = 0;
  for (const name of await readdir(folder).catch(() => [])) {
    const path = join(folder, name);
    const found = await lstat(path).catch(() => undefined);
    if (found === undefined) continue;
    bytes += found.isDirectory() ? await measureFolder(path) : found.size;
  }
  return bytes;
}
