import type { Edit, Language as Grammar, Parser, Tree, TreeCursor } from '@vscode/tree-sitter-wasm';
import { Syntax, SyntaxPiece, type SyntaxTree } from './syntax';

export interface Loaded {
  readonly parser: Parser;
  readonly grammar: Grammar;
}

/** Deeper than any code that people write; what lies below is left out rather than overflowing the stack. */
const MAX_DEPTH = 1500;

/** Offsets in the new text between which the tree may be another than before. */
interface Changed {
  readonly start: number;
  readonly end: number;
  /** By how much everything behind moved. */
  readonly shift: number;
}

/**
 * The versions of one text. The parser is told what changed, and pieces at the top of the file that lie outside of
 * the change stay the same objects. So a tree is good until the text is parsed again.
 */
export class FollowedText {
  private last: { readonly tree: Tree; readonly root: Syntax; readonly shared: SyntaxTree } | undefined;

  constructor(private readonly loaded: Loaded) {}

  /** The syntax tree of a version; with error nodes where it is broken. */
  parse(text: string): Syntax {
    const { last } = this;
    if (last?.shared.text === text) return last.root;
    const edit = last === undefined ? undefined : editBetween(last.shared.text, text);
    if (edit !== undefined) last?.tree.edit(edit);
    const tree = this.loaded.parser.parse(text, last?.tree);
    if (tree === null) throw new Error('The parser gave no tree.');
    const shared = last?.shared ?? { text };
    shared.text = text;
    const root = last?.root ?? new Syntax(new SyntaxPiece(shared, 0), '', 0, 0, true, false, null, null);
    const changed = edit === undefined || last === undefined ? undefined : rangeOf(edit, last.tree, tree);
    this.copyPieces(tree, root, shared, changed);
    last?.tree.delete();
    this.last = { tree, root, shared };
    return root;
  }

  /** Frees what the parser holds; trees that were given stay as they are. */
  close(): void {
    this.last?.tree.delete();
    this.last = undefined;
  }

  private copyPieces(tree: Tree, root: Syntax, shared: SyntaxTree, changed: Changed | undefined): void {
    const top = tree.rootNode;
    const known = root.children;
    const count = top.childCount;
    const { before, behind } = changed === undefined ? { before: 0, behind: 0 } : keptPieces(known, changed);
    const isKept = (piece: Syntax | undefined, index: number, shift: number): boolean => {
      const node = top.child(index);
      return node?.type === piece?.type && node?.startIndex === (piece?.start ?? 0) + shift;
    };
    // The pieces next to the change stand for those farther away: the parser says that nothing differs there.
    const fits =
      before + behind <= count &&
      (before === 0 || isKept(known[before - 1], before - 1, 0)) &&
      (behind === 0 || isKept(known[known.length - behind], count - behind, changed?.shift ?? 0));
    const [first, kept] = fits ? [before, behind] : [0, 0];
    const copy = new Copy(this.loaded.grammar, shared, root);
    const children: Syntax[] = [];
    const keep = (piece: Syntax, shift: number): void => {
      piece.piece.start += shift;
      // Where the parser guessed, it may guess anew.
      const node = piece.piece.broken ? top.child(children.length) : null;
      children.push(node === null ? piece : (copy.pieces(node.walk(), 1)[0] ?? piece));
    };
    for (const piece of known.slice(0, first)) keep(piece, 0);
    if (first < count - kept) {
      const cursor = tree.walk();
      cursor.gotoFirstChild();
      for (let index = 0; index < first; index += 1) cursor.gotoNextSibling();
      children.push(...copy.pieces(cursor, count - kept - first));
    }
    if (kept > 0) for (const piece of known.slice(-kept)) keep(piece, changed?.shift ?? 0);
    root.replaceChildren(top.type, top.endIndex, children);
  }
}

/** How many pieces at the start and at the end lie outside of a change. */
function keptPieces(known: readonly Syntax[], changed: Changed): { before: number; behind: number } {
  let before = 0;
  while ((known[before]?.end ?? Number.POSITIVE_INFINITY) < changed.start) before += 1;
  let behind = 0;
  for (; behind < known.length - before; behind += 1) {
    const piece = known[known.length - 1 - behind];
    if (piece === undefined || piece.start + changed.shift <= changed.end) break;
  }
  return { before, behind };
}

/** Copies nodes out of the parser's memory. */
class Copy {
  private readonly named: boolean[] = [];

  constructor(
    private readonly grammar: Grammar,
    private readonly shared: SyntaxTree,
    private readonly root: Syntax,
  ) {}

  /** The node at a cursor and those behind it, each as a piece of its own. The cursor is used up. */
  pieces(cursor: TreeCursor, count: number): Syntax[] {
    const pieces: Syntax[] = [];
    for (let index = 0; index < count; index += 1) {
      pieces.push(this.node(cursor, new SyntaxPiece(this.shared, cursor.startIndex), this.root, 1));
      cursor.gotoNextSibling();
    }
    cursor.delete();
    return pieces;
  }

  private node(cursor: TreeCursor, piece: SyntaxPiece, parent: Syntax, depth: number): Syntax {
    const typeId = cursor.nodeTypeId;
    const type = this.grammar.types[typeId] ?? cursor.nodeType;
    const named = this.isNamed(cursor, typeId);
    const start = cursor.startIndex;
    // What punctuation and keywords are called is how they are written; every question to the parser costs.
    const isToken = !named && this.shared.text.startsWith(type, start);
    const end = isToken ? start + type.length : cursor.endIndex;
    const node = new Syntax(
      piece,
      type,
      start - piece.start,
      end - piece.start,
      named,
      // Only what is not there has no length.
      start === end && cursor.nodeIsMissing,
      cursor.currentFieldName,
      parent,
    );
    // Punctuation and keywords hold nothing: asking the parser would cost as much as copying them.
    if (named && depth < MAX_DEPTH && cursor.gotoFirstChild()) {
      const children: Syntax[] = [];
      do children.push(this.node(cursor, piece, node, depth + 1));
      while (cursor.gotoNextSibling());
      cursor.gotoParent();
      node.adopt(children);
    }
    return node;
  }

  private isNamed(cursor: TreeCursor, typeId: number): boolean {
    const known = this.named[typeId];
    if (known !== undefined) return known;
    const named = cursor.nodeIsNamed;
    this.named[typeId] = named;
    return named;
  }
}

/** One edit that makes one text of the other: from the first character that differs to the last one. */
function editBetween(before: string, after: string): Edit {
  const most = Math.min(before.length, after.length);
  let start = 0;
  while (start < most && before.charCodeAt(start) === after.charCodeAt(start)) start += 1;
  let same = 0;
  while (
    same < most - start &&
    before.charCodeAt(before.length - 1 - same) === after.charCodeAt(after.length - 1 - same)
  )
    same += 1;
  // Never between the halves of a character.
  if (isHigh(before.charCodeAt(start - 1))) start -= 1;
  if (isLow(before.charCodeAt(before.length - same))) same -= 1;
  const oldEnd = Math.max(start, before.length - same);
  const newEnd = oldEnd + after.length - before.length;
  return {
    startIndex: start,
    oldEndIndex: oldEnd,
    newEndIndex: newEnd,
    startPosition: pointAt(before, start),
    oldEndPosition: pointAt(before, oldEnd),
    newEndPosition: pointAt(after, newEnd),
  };
}

function isHigh(code: number): boolean {
  return code >= 0xd800 && code < 0xdc00;
}

function isLow(code: number): boolean {
  return code >= 0xdc00 && code < 0xe000;
}

function pointAt(text: string, offset: number): { row: number; column: number } {
  let row = 0;
  let line = 0;
  for (let at = text.indexOf('\n'); at !== -1 && at < offset; at = text.indexOf('\n', line)) {
    row += 1;
    line = at + 1;
  }
  return { row, column: offset - line };
}

/** The edit itself and everything that it made the parser see in another way. */
function rangeOf(edit: Edit, before: Tree, after: Tree): Changed {
  let [start, end] = [edit.startIndex, edit.newEndIndex];
  for (const range of before.getChangedRanges(after)) {
    start = Math.min(start, range.startIndex);
    end = Math.max(end, range.endIndex);
  }
  return { start, end, shift: edit.newEndIndex - edit.oldEndIndex };
}
