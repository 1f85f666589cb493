/** What must be under way: the call of a function, or the turn of an item. */
type Condition = readonly [owner: number, at: number];

/** A site, or the sites of a helper's layer by the calls that lead to it. */
type SiteChoice = number | readonly (readonly [site: number, conditions: readonly Condition[]])[];

/**
 * What a slice tells while it runs: which call of a helper and which turn of a loop are under way, and which layers
 * were made then. The slice knows it as `__shrinkSite` and `__shrinkMark`.
 */
export class SiteMarks {
  /** Site id by layer. */
  readonly made = new Map<object, number>();
  /** The site of the layer that was made last. */
  latest: number | undefined;
  /** By owner, what is under way, the innermost last. */
  private readonly under = new Map<number, number[]>();

  readonly site = (choice: SiteChoice, layer: unknown): unknown => {
    const id = typeof choice === 'number' ? choice : this.choose(choice);
    this.latest = id ?? this.latest;
    if (id !== undefined && typeof layer === 'object' && layer !== null) this.made.set(layer, id);
    return layer;
  };

  private choose(choices: Exclude<SiteChoice, number>): number | undefined {
    const found = choices.find(([, conditions]) =>
      conditions.every(([owner, at]) => this.under.get(owner)?.at(-1) === at),
    );
    return found?.[0];
  }

  /** A call of a function begins: its arguments and then the function are evaluated next. */
  readonly enter = (owner: number, call: number): number => {
    // Arguments may call the same function: that call is over before this one's function runs.
    this.under.set(owner, [...(this.under.get(owner) ?? []), call]);
    return call;
  };

  /** @returns what the call gave */
  readonly leave = (owner: number, _call: number, value: unknown): unknown => {
    this.under.get(owner)?.pop();
    return value;
  };

  /** Goes through a list and says whose turn it is. */
  readonly each = (owner: number, list: Iterable<unknown>): Iterable<unknown> => this.turns(owner, list);

  private *turns(owner: number, list: Iterable<unknown>): Generator {
    let index = 0;
    for (const item of list) {
      this.under.set(owner, [index]);
      yield item;
      index += 1;
    }
  }

  /** A callback that says whose turn it is. */
  readonly callback =
    (owner: number, fn: (item: unknown, index: number, ...rest: unknown[]) => unknown) =>
    (item: unknown, index: number, ...rest: unknown[]): unknown => {
      this.under.set(owner, [index]);
      return fn(item, index, ...rest);
    };

  /** The index by which a list is read. */
  readonly index = (owner: number, at: number): number => {
    this.under.set(owner, [at]);
    return at;
  };
}
