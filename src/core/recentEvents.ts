import type { JournalEvent } from './events';

/** The newest events of a journal, bounded: the others lie on the disk. */
export class RecentEvents {
  private kept: JournalEvent[] = [];
  private nextSeq = 0;

  /** @param limit most events that are kept; up to twice as many in between */
  constructor(private readonly limit: number) {}

  /** `seq` of the next event. */
  get next(): number {
    return this.nextSeq;
  }

  /** `seq` of the oldest event that is kept; {@link next} if there is none. */
  get first(): number {
    return this.nextSeq - this.kept.length;
  }

  /** Takes the next event; after a gap, which lies on the disk, it is the only one. One from before is left out. */
  push(event: JournalEvent): boolean {
    if (event.seq < this.nextSeq) return false;
    if (event.seq > this.nextSeq) this.kept = [];
    this.kept.push(event);
    this.nextSeq = event.seq + 1;
    if (this.kept.length >= 2 * this.limit) this.kept = this.kept.slice(-this.limit);
    return true;
  }

  /** Goes on as if every event before `seq` had been pushed and forgotten. */
  skipTo(seq: number): void {
    if (seq <= this.nextSeq) return;
    this.kept = [];
    this.nextSeq = seq;
  }

  /** The event with this `seq`, if it is kept. */
  at(seq: number): JournalEvent | undefined {
    return this.kept[seq - this.first];
  }

  /** The kept events from `seq` on. */
  from(seq: number): readonly JournalEvent[] {
    return this.kept.slice(Math.max(0, seq - this.first));
  }
}
