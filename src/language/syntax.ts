import type { Range } from '../core/errors';

/** What the nodes of a tree share. */
export interface SyntaxTree {
  text: string;
}

/**
 * A piece of a tree whose nodes count their offsets from where it begins: a statement at the top of the file, with
 * everything in it. An edit elsewhere moves a piece and leaves it as it is, so what was found out about a piece alone
 * can be kept beside it.
 */
export class SyntaxPiece {
  /** Nodes of the piece, parents before children, in source order. */
  readonly nodes: Syntax[] = [];
  /** Whether the parser had to guess somewhere in it. */
  broken = false;

  /** @param start UTF-16 offset in the text as it is now */
  constructor(
    readonly tree: SyntaxTree,
    public start: number,
  ) {}
}

/** Most nodes are tokens: one list for all of them. */
const NOTHING: readonly Syntax[] = [];

/**
 * One node of a syntax tree, copied out of the parser: plain data with no memory outside of JavaScript to free, so a
 * reading can be kept, compared and dropped like any other value.
 */
export class Syntax {
  children: readonly Syntax[] = NOTHING;
  /** Position of the node in its piece. */
  private readonly index: number;
  /** Position of the first node after this one that is not in it. */
  private after: number;

  /**
   * @param piece that it belongs to; a root has one of its own
   * @param type the grammar's name of the node; for a token its text
   * @param from UTF-16 offset from the start of the piece
   * @param named false for punctuation and keywords
   * @param missing true where the parser put in what it expected
   */
  constructor(
    readonly piece: SyntaxPiece,
    public type: string,
    private readonly from: number,
    private to: number,
    readonly named: boolean,
    readonly missing: boolean,
    readonly fieldName: string | null,
    readonly parent: Syntax | null,
  ) {
    this.index = piece.nodes.push(this) - 1;
    this.after = this.index + 1;
    if (missing || type === 'ERROR') piece.broken = true;
  }

  /** Gives it what is in it, when all of that has its own. */
  adopt(children: readonly Syntax[]): void {
    this.children = children;
    this.after = children.at(-1)?.after ?? this.after;
  }

  /** Makes a root that of a changed text. @param pieces what stands at the top of the file now */
  replaceChildren(type: string, end: number, pieces: readonly Syntax[]): void {
    this.type = type;
    this.to = end;
    this.children = pieces;
  }

  get start(): number {
    return this.piece.start + this.from;
  }

  get end(): number {
    return this.piece.start + this.to;
  }

  /** The tree that it belongs to: the same object for every node of a file. */
  get tree(): SyntaxTree {
    return this.piece.tree;
  }

  get text(): string {
    return this.piece.tree.text.slice(this.start, this.end);
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
    for (const child of this.children) if (child.fieldName === name) return child;
    return undefined;
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
    if (this.parent === null) return this.piece.tree === other.piece.tree;
    return this.piece === other.piece && this.index <= other.index && other.index < this.after;
  }

  /** The nodes around this one, innermost first. */
  *ancestors(): Generator<Syntax> {
    for (let node = this.parent; node !== null; node = node.parent) yield node;
  }

  /** This node and everything in it, in source order; what `enter` refuses is passed over. */
  walk(enter?: (node: Syntax) => boolean): Syntax[] {
    if (this.parent === null) {
      if (enter?.(this) === false) return [];
      const all: Syntax[] = [this];
      for (const child of this.children) for (const node of child.walk(enter)) all.push(node);
      return all;
    }
    const all = this.piece.nodes;
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

/**
 * A function of a tree that looks at each piece alone, once for as long as the piece stays what it is.
 *
 * @param find what it finds among the nodes of a piece
 */
export function piecewise<T>(
  find: (nodes: readonly Syntax[]) => readonly T[],
): (root: Syntax) => readonly T[] {
  const known = new WeakMap<SyntaxPiece, readonly T[]>();
  return (root) => {
    const all: T[] = [];
    for (const { piece } of root.children) {
      let found = known.get(piece);
      if (found === undefined) {
        found = find(piece.nodes);
        known.set(piece, found);
      }
      for (const each of found) all.push(each);
    }
    return all;
  };
}
