import type { ReadTools } from '../tableRows';

/** Work on data that may take a while: it can be watched and stopped. */
export class Conversion implements ReadTools {
  private lastShown = 0;

  constructor(
    readonly signal: AbortSignal,
    private readonly show: (share: number) => void,
    private readonly from = 0,
    private readonly to = 1,
  ) {}

  /** A part of the work, from one share of it to another. */
  part(from: number, to: number): Conversion {
    const length = this.to - this.from;
    return new Conversion(this.signal, this.show, this.from + from * length, this.from + to * length);
  }

  /** Says how much of the part is done, 0..1. @throws Stopped when it shall not go on */
  advance(share: number): void {
    if (this.signal.aborted) throw new Stopped();
    const now = Date.now();
    if (now - this.lastShown < 250) return;
    this.lastShown = now;
    this.show(this.from + Math.min(1, share) * (this.to - this.from));
  }
}

/** Thrown where work was stopped on request. */
export class Stopped extends Error {
  override readonly name = 'Stopped';

  constructor() {
    super('stopped on request');
  }
}
