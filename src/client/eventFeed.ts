import type { JournalEvent } from '../core/events';
import { RecentEvents } from '../core/recentEvents';
import { JOURNAL_START, streamJournal, type JournalPlace } from '../run/journalStream';
import { findEnding } from '../run/listRuns';
import { tell } from './tell';

/** Events that are kept in memory; a run may have hundreds of thousands, and is watched for days. */
const RECENT_EVENTS = 256;

/**
 * The events of one life of a backend as they come: every listener hears all of them, in order and once. Only the newest
 * are kept; whoever is behind reads the journal, where every event lies before it is told.
 */
export class EventFeed {
  private readonly recent = new RecentEvents(RECENT_EVENTS);
  private readonly hearing = new Set<Promise<void>>();
  /** How far the journal itself was followed, by {@link readJournal}. */
  private read: JournalPlace = JOURNAL_START;
  private lastMark: JournalEvent | undefined;
  private over = false;
  private wake: () => void = () => undefined;
  private changed = this.nextChange();

  constructor(private readonly folder: string) {}

  /** `seq` of the next event. */
  get next(): number {
    return this.recent.next;
  }

  /** The event that says how the run ended, if it was heard. */
  get ending(): JournalEvent | undefined {
    return this.lastMark === undefined ? undefined : findEnding([this.lastMark]);
  }

  /** Takes an event that was sent. After a lost connection some come twice; those that are left out lie on the disk. */
  take(event: JournalEvent): void {
    if (!this.recent.push(event)) return;
    if (['start', 'result', 'stopped', 'failed'].includes(event.type)) this.lastMark = event;
    this.notify();
  }

  /** Takes notice that the journal has every event before `seq`. */
  skipTo(seq: number): void {
    if (seq <= this.next) return;
    this.recent.skipTo(seq);
    this.notify();
  }

  /** Takes what was written but not heard. @throws ShrinkError `journal-version`, `file-error`, … */
  async readJournal(): Promise<void> {
    for await (const { event, end } of streamJournal(this.folder, this.read)) {
      this.read = { seq: event.seq + 1, offset: end };
      this.take(event);
    }
  }

  /** No event comes any more. @returns when every listener has heard the last one */
  async end(): Promise<void> {
    this.over = true;
    this.wake();
    await Promise.all(this.hearing);
  }

  /** Calls with every event from the first on, not before this call has returned. @returns ends the calls */
  onEvent(listener: (event: JournalEvent) => void): () => void {
    let wanted = true;
    const hear = async (): Promise<void> => {
      for await (const event of this.events()) {
        if (!wanted) return;
        tell([listener], event);
      }
    };
    const heard = hear();
    this.hearing.add(heard);
    void heard.finally(() => this.hearing.delete(heard));
    return () => {
      wanted = false;
      this.hearing.delete(heard);
    };
  }

  /** Every event from the first on; ends when no more come. */
  async *events(): AsyncGenerator<JournalEvent, void, void> {
    let place = JOURNAL_START;
    for (let seq = 0; ;) {
      const event = this.recent.at(seq);
      if (event !== undefined) {
        seq += 1;
        yield event;
      } else if (seq < this.next) {
        const before = seq;
        for await (const stored of this.stored(place)) {
          place = { seq: stored.event.seq + 1, offset: stored.end };
          if (stored.event.seq < seq) continue;
          seq = place.seq;
          yield stored.event;
          if (this.recent.at(seq) !== undefined) break;
        }
        // What the disk has not any more is lost with it.
        if (seq === before) seq = Math.max(seq, this.recent.first);
      } else if (this.over) return;
      else await this.changed;
    }
  }

  /** As `streamJournal`; a journal that cannot be read is one without events, as the handle's end tells why. */
  private async *stored(from: JournalPlace): ReturnType<typeof streamJournal> {
    try {
      yield* streamJournal(this.folder, from);
    } catch {
      return;
    }
  }

  private notify(): void {
    this.wake();
    this.changed = this.nextChange();
  }

  private nextChange(): Promise<void> {
    return new Promise((resolve) => {
      this.wake = resolve;
    });
  }
}
