import type { Range } from '../core/errors';

/**
 * One node of a syntax tree, copied out of the parser: plain data with no memory outside of JavaScript to free, so a
 * reading can be kept, compared and dropped like any other value.
 */
export class Syntax {
  readonly children: Syntax[] = [];

  /**
   * @param type the grammar's name of the node; for a token its text
   * @param start UTF-16 offset
   * @param named false for punctuation and keywords
   * @param missing true where the parser put in what it expected
   */
  constructor(
    private readonly source: { readonly text: string },
    readonly type: string,
    readonly start: number,
    readonly end: number,
    readonly named: boolean,
    readonly missing: boolean,
    readonly fieldName: string | null,
    readonly parent: Syntax | null,
  ) {}

  get text(): string {
    return this.source.text.slice(this.start, this.end);
  }

  get range(): Range {
    return { start: this.start, end: this.end };
  }

  /** Children without punctuation, keywords and comments. */
  get namedChildren(): Syntax[] {
    return this.children.filter((child) => child.named && child.type !== 'comment');
  }

  /** The first child in a field of the grammar. */
  field(name: string): Syntax | undefined {
    return this.children.find((child) => child.fieldName === name);
  }

  fields(name: string): Syntax[] {
    return this.children.filter((child) => child.fieldName === name);
  }

  /** The first child of one of these types. */
  child(...types: string[]): Syntax | undefined {
    return this.children.find((child) => types.includes(child.type));
  }

  /** Whether `other` is this node or lies in it. */
  contains(other: Syntax): boolean {
    return this.start <= other.start && other.end <= this.end && other.hasAncestor(this);
  }

  /** The nodes around this one, innermost first. */
  *ancestors(): Generator<Syntax> {
    for (let node = this.parent; node !== null; node = node.parent) yield node;
  }

  /** This node and everything in it, in source order; what `enter` refuses is passed over. */
  *walk(enter: (node: Syntax) => boolean = () => true): Generator<Syntax> {
    if (!enter(this)) return;
    yield this;
    for (const child of this.children) yield* child.walk(enter);
  }

  private hasAncestor(wanted: Syntax): boolean {
    if (wanted === this) return true;
    for (const ancestor of this.ancestors()) if (ancestor === wanted) return true;
    return false;
  }
}

/** Whether an offset or range lies in a range. */
export function covers(outer: Range, inner: Range): boolean {
  return outer.start <= inner.start && inner.end <= outer.end;
}
