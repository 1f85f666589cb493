/** Rows of a long run, thinned out evenly so that a view stays quick: always the first, always the last. */
export class Series<Row> {
  private kept: Row[] = [];
  private stride = 1;
  private seen = 0;
  private tail: Row | undefined;

  /** @param limit most rows that are kept, besides the last one */
  constructor(private readonly limit: number) {}

  push(row: Row): void {
    const isKept = this.seen % this.stride === 0;
    this.seen += 1;
    this.tail = isKept ? undefined : row;
    if (!isKept) return;
    this.kept.push(row);
    if (this.kept.length <= this.limit) return;
    this.stride *= 2;
    const last = this.kept.at(-1);
    const wasLast = (this.kept.length - 1) % 2 !== 0;
    this.kept = this.kept.filter((_, i) => i % 2 === 0);
    if (wasLast) this.tail = last;
  }

  /** Every how many rows one is kept; when it changes, rows that were kept are gone. */
  get step(): number {
    return this.stride;
  }

  get length(): number {
    return this.kept.length;
  }

  /** Kept rows from an index on, and the newest one if it is not among them. */
  from(index: number): { readonly from: number; readonly rows: readonly Row[]; readonly last: Row | null } {
    return { from: index, rows: this.kept.slice(index), last: this.tail ?? null };
  }

  /** Kept rows and the newest one. */
  get all(): readonly Row[] {
    return this.tail === undefined ? this.kept : [...this.kept, this.tail];
  }
}
