import { closeSync, fdatasyncSync, fstatSync, ftruncateSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ShrinkError } from '../core/errors';
import { JOURNAL_VERSION, type JournalEvent, type RunEvent } from '../core/events';
import { codeOf, fileError, writeFully } from './durable';
import { parseJournalEvent } from './eventSchema';
import { RUN_FILES } from './paths';

/** The journal: one event a line, appended only, `seq` from 0 without gaps. */

export interface JournalContent {
  readonly events: readonly JournalEvent[];
  /** Length in bytes of the lines up to and with each event; `ends[i]` is where event `i` ends. */
  readonly ends: readonly number[];
  /** What follows the last good line: bytes of a write that was cut off, or damage. */
  readonly lostBytes: number;
}

const NEW_LINE = 0x0a;
/** No event is near as long: bytes without a line end are damage, and are not waited for. */
const MAX_LINE_BYTES = 64 * 1024 * 1024;
const DECODER = new TextDecoder('utf-8');

/**
 * Reads the good lines of a journal from the start. A last line without its end is torn and left out; so is
 * everything from a line on that is no event or has the wrong `seq`.
 *
 * @throws ShrinkError `journal-version` if a newer version wrote it
 */
export function parseJournal(bytes: Uint8Array): JournalContent {
  const parser = new JournalParser();
  const placed = [...parser.push(bytes)];
  return {
    events: placed.map(({ event }) => event),
    ends: placed.map(({ end }) => end),
    lostBytes: bytes.byteLength - parser.end,
  };
}

/** An event, and where its line ends. */
export interface PlacedEvent {
  readonly event: JournalEvent;
  /** Bytes from the start of the journal. */
  readonly end: number;
}

/** Reads the good lines of a journal that comes in pieces. */
export class JournalParser {
  private rest: Uint8Array = new Uint8Array();
  private broken = false;

  /**
   * @param seq of the first event that comes
   * @param at where its line begins, in bytes from the start of the journal
   */
  constructor(
    private seq = 0,
    private at = 0,
  ) {}

  /** Where the last good line ends. */
  get end(): number {
    return this.at;
  }

  /** Whether a line was no event or had the wrong `seq`: nothing good comes any more. */
  get isBroken(): boolean {
    return this.broken;
  }

  /** @param bytes are not kept @throws ShrinkError `journal-version` */
  *push(bytes: Uint8Array): Generator<PlacedEvent, void, void> {
    const all = this.rest.byteLength === 0 ? bytes : Buffer.concat([this.rest, bytes]);
    let start = 0;
    while (!this.broken) {
      const end = all.indexOf(NEW_LINE, start);
      if (end < 0) break;
      const value = parseLine(DECODER.decode(all.subarray(start, end)));
      if (this.seq === 0) refuseNewer(value);
      const event = parseJournalEvent(value);
      if (event?.seq !== this.seq) {
        this.broken = true;
        break;
      }
      this.at += end + 1 - start;
      this.seq += 1;
      start = end + 1;
      yield { event, end: this.at };
    }
    if (all.byteLength - start > MAX_LINE_BYTES) this.broken = true;
    this.rest = this.broken ? new Uint8Array() : Uint8Array.from(all.subarray(start));
  }
}

function parseLine(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

/** Before the schema: a newer version may have other events, and "damaged" would be the wrong word for them. */
function refuseNewer(first: unknown): void {
  if (typeof first !== 'object' || first === null || !('version' in first)) return;
  const version = first.version;
  if (typeof version === 'number' && version > JOURNAL_VERSION)
    throw new ShrinkError(
      'bad-input',
      'journal-version',
      `This run was written by a newer ShrinkNets (journal version ${version}, this one reads up to ${JOURNAL_VERSION}). Update ShrinkNets to open it.`,
    );
}

/** A run's journal; empty if there is none yet. @throws ShrinkError `journal-version`, `file-error`, … */
export async function readJournal(folder: string): Promise<JournalContent> {
  const path = join(folder, RUN_FILES.journal);
  try {
    return parseJournal(await readFile(path));
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return { events: [], ends: [], lostBytes: 0 };
    throw fileError(error, 'read the journal', path);
  }
}

/** The one writer of a journal. Whoever makes one holds the run's lock. */
export class JournalWriter {
  private constructor(
    private readonly path: string,
    private readonly descriptor: number,
    private length: number,
    private nextSeq: number,
    private lastAt: number,
  ) {}

  /**
   * Opens the journal and cuts it after its first `keep` events.
   *
   * @throws ShrinkError `not-writable`, `folder-gone`, …
   */
  static open(folder: string, content: JournalContent, keep: number): JournalWriter {
    const path = join(folder, RUN_FILES.journal);
    const length = keep === 0 ? 0 : (content.ends[keep - 1] ?? 0);
    try {
      // Not mode `a`: it writes at the end whatever the position, and a failed write is to be overwritten.
      const descriptor = openSync(path, content.ends.length === 0 && length === 0 ? 'w' : 'r+', 0o644);
      if (fstatSync(descriptor).size !== length) ftruncateSync(descriptor, length);
      return new JournalWriter(path, descriptor, length, keep, content.events[keep - 1]?.at ?? 0);
    } catch (error) {
      throw fileError(error, 'open the journal', path);
    }
  }

  /**
   * Appends an event, with its `seq` and time. The time never goes back, even if the clock does.
   *
   * @throws ShrinkError `disk-full`, …: then nothing of the event is in the journal
   * @throws TypeError if no reader would take it
   */
  append(event: RunEvent): JournalEvent {
    const stored: JournalEvent = { seq: this.nextSeq, at: Math.max(this.lastAt, Date.now()), ...event };
    const text = JSON.stringify(stored);
    // Better that the job fails by name than that the journal ends here for every reader.
    if (parseJournalEvent(JSON.parse(text)) === undefined)
      throw new TypeError(`The event ${event.type} has not the shape that the journal takes.`);
    const line = Buffer.from(`${text}\n`);
    try {
      writeFully(this.descriptor, line, this.length);
    } catch (error) {
      this.cutBack();
      throw fileError(error, 'write the journal', this.path);
    }
    this.length += line.byteLength;
    this.nextSeq += 1;
    this.lastAt = stored.at;
    return stored;
  }

  /** A disk that takes no more may refuse this, too: then readers leave out what is torn, and the next event is written over it. */
  private cutBack(): void {
    try {
      ftruncateSync(this.descriptor, this.length);
    } catch {
      // What is told is why it could not be written.
    }
  }

  /** Makes everything appended survive a power loss. */
  sync(): void {
    fdatasyncSync(this.descriptor);
  }

  close(): void {
    closeSync(this.descriptor);
  }

  /** `seq` of the next event. */
  get next(): number {
    return this.nextSeq;
  }
}
