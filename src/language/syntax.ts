import type { Range } from '../core/errors';

/** What the nodes of a tree share. */
export interface SyntaxTree {
  readonly text: string;
  /** Every node, parents before children, in source order. */
  readonly nodes: Syntax[];
}

/**
 * One node of a syntax tree, copied out of the parser: plain data with no memory outside of JavaScript to free, so a
 * reading can be kept, compared and dropped like any other value.
 */
export class Syntax {
  readonly children: Syntax[] = [];
  /** Position of the node in the tree's list of nodes. */
  private readonly index: number;
  /** Position of the first node after this one that is not in it. */
  private after: number;

  /**
   * @param type the grammar's name of the node; for a token its text
   * @param start UTF-16 offset
   * @param named false for punctuation and keywords
   * @param missing true where the parser put in what it expected
   */
  constructor(
    private readonly tree: SyntaxTree,
    readonly type: string,
    readonly start: number,
    readonly end: number,
    readonly named: boolean,
    readonly missing: boolean,
    readonly fieldName: string | null,
    readonly parent: Syntax | null,
  ) {
    this.index = tree.nodes.push(this) - 1;
    this.after = this.index + 1;
  }

  /** Adds the next child, when all that is in it has been added. */
  addChild(child: Syntax): void {
    this.children.push(child);
    this.after = child.after;
  }

  get text(): string {
    return this.tree.text.slice(this.start, this.end);
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
    return this.index <= other.index && other.index < this.after;
  }

  /** The nodes around this one, innermost first. */
  *ancestors(): Generator<Syntax> {
    for (let node = this.parent; node !== null; node = node.parent) yield node;
  }

  /** This node and everything in it, in source order; what `enter` refuses is passed over. */
  walk(enter?: (node: Syntax) => boolean): Syntax[] {
    const all = this.tree.nodes;
    if (enter === undefined) return all.slice(this.index, this.after);
    const entered: Syntax[] = [];
    for (let at = this.index; at < this.after;) {
      const node = all[at];
      if (node === undefined) break;
      const isEntered = enter(node);
      if (isEntered) entered.push(node);
      at = isEntered ? at + 1 : node.after;
    }
    return entered;
  }
}

/** Whether an offset or range lies in a range. */
export function covers(outer: Range, inner: Range): boolean {
  return outer.start <= inner.start && inner.end <= outer.end;
}
