/**
 * Channels and which of them stand or fall together. Every index on the channel axis of every tensor carries a
 * channel id; layers that join tensors (a sum, a shared kernel) join ids. A class of joined ids is what lives or
 * dies: it is the hub of the draft's channel graph, seen from one channel.
 */

/** The id of every channel that must stay: a model's inputs and outputs, and what is joined with them. */
export const PINNED = 0;

/** Channel id of every index of an axis. */
export type ChannelIds = Int32Array;

export class ChannelSets {
  private readonly parent: number[] = [PINNED];
  private readonly reasons = new Map<number, string>();
  private readonly two: number[] = [];

  /** New channels, each a class of its own. */
  fresh(count: number): ChannelIds {
    const first = this.parent.length;
    for (let i = 0; i < count; i += 1) this.parent.push(first + i);
    return Int32Array.from({ length: count }, (_, i) => first + i);
  }

  /** The class of an id, named by its smallest id, so that {@link PINNED} names its own. */
  find(id: number): number {
    let root = id;
    while (this.up(root) !== root) root = this.up(root);
    let walk = id;
    while (walk !== root) {
      const next = this.up(walk);
      this.parent[walk] = root;
      walk = next;
    }
    return root;
  }

  /** Joins two equally long axes index by index. */
  join(a: ChannelIds, b: ChannelIds): void {
    if (a.length !== b.length) throw new RangeError(`cannot join ${a.length} channels with ${b.length}`);
    for (let i = 0; i < a.length; i += 1) this.unite(a[i] ?? PINNED, b[i] ?? PINNED);
  }

  /** Keeps channels for good. @param reason for the user: why the layers that make them keep their width */
  pin(ids: ChannelIds, reason: string): void {
    for (const id of ids) {
      if (this.find(id) !== PINNED && !this.reasons.has(id)) this.reasons.set(id, reason);
      this.unite(id, PINNED);
    }
  }

  /** Of these channels two must stay at least. */
  keepTwo(ids: ChannelIds): void {
    this.two.push(...ids);
  }

  /** How many of a layer's channels must stay at least. */
  leastOf(ids: ChannelIds): number {
    if (this.two.length === 0) return 1;
    const classes = new Set(this.two.map((id) => this.find(id)));
    return ids.some((id) => classes.has(this.find(id))) ? 2 : 1;
  }

  /** Why a channel was pinned, if a reason was given for it or for one of `ids`. */
  reasonFor(ids: ChannelIds): string | undefined {
    for (const id of ids) {
      const reason = this.reasons.get(id);
      if (reason !== undefined) return reason;
    }
    return undefined;
  }

  private up(id: number): number {
    return this.parent[id] ?? PINNED;
  }

  private unite(a: number, b: number): void {
    const ra = this.find(a);
    const rb = this.find(b);
    if (ra < rb) this.parent[rb] = ra;
    else this.parent[ra] = rb;
  }
}

/** `count` times the pinned id: an axis without removable channels. */
export function pinnedIds(count: number): ChannelIds {
  return new Int32Array(count);
}

/** Each id `times` times in a row: `[a, b] → [a, a, b, b]`. */
export function repeatEach(ids: ChannelIds, times: number): ChannelIds {
  return Int32Array.from({ length: ids.length * times }, (_, i) => ids[Math.floor(i / times)] ?? PINNED);
}

/** The whole list `times` times: `[a, b] → [a, b, a, b]`. */
export function tileIds(ids: ChannelIds, times: number): ChannelIds {
  return Int32Array.from({ length: ids.length * times }, (_, i) => ids[i % ids.length] ?? PINNED);
}

export function concatIds(parts: readonly ChannelIds[]): ChannelIds {
  return Int32Array.from(parts.flatMap((part) => [...part]));
}
