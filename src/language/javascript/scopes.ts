import type { Syntax, SyntaxPiece } from '../syntax';
import { PieceScopes, type Binding } from './pieceScopes';

export type { Binding } from './pieceScopes';

/** Which binding every identifier of a file means. */
export interface ScopeTable {
  /** Whether anything in the file declares a name. */
  declares(name: string): boolean;
  /** The binding an identifier, `this.member` expression or declared name means; undefined for globals. */
  bindingOf(node: Syntax): Binding | undefined;
  /** The binding that a function, class or declarator makes. */
  declaredBy(node: Syntax): readonly Binding[];
  /** The member of a class by name. */
  memberOf(ofClass: Syntax, name: string): Binding | undefined;
}

/** The names of a file alone, and all of those that stand at its top. */
export interface FileScopes extends ScopeTable {
  readonly top: Iterable<Binding>;
}

/** The names of a file and of those that it imports. */
export interface ProgramScopes extends ScopeTable {
  /** The name of this file that an expression reaches another file through; undefined for names of its own. */
  aliasOf(node: Syntax): Binding | undefined;
  /** What other files know a function, class or expression without a name by. */
  exportOf(node: Syntax): Binding | undefined;
  /** What a name of this file stands for that a package declares. */
  packageOf(binding: Binding): PackageExport | undefined;
}

/** What a package exports: `*` is the package itself. */
export interface PackageExport {
  readonly source: string;
  readonly name: string;
}

/** Of pieces that an edit left alone, what is theirs stays known. */
const known = new WeakMap<SyntaxPiece, PieceScopes>();

function scopesOf(statement: Syntax): PieceScopes {
  let scopes = known.get(statement.piece);
  if (scopes === undefined) {
    scopes = new PieceScopes(statement);
    known.set(statement.piece, scopes);
  }
  return scopes;
}

/** Resolves every name of a JavaScript or TypeScript tree. */
export function resolveScopes(root: Syntax): FileScopes {
  return new Table(root);
}

class Table implements FileScopes {
  private readonly pieces: readonly PieceScopes[];
  private readonly names = new Map<string, Binding>();
  private readonly meant = new Map<Syntax, Binding>();
  private readonly declared = new Map<Syntax, Binding[]>();

  constructor(root: Syntax) {
    this.pieces = root.children.filter((child) => child.named).map(scopesOf);
    for (const piece of this.pieces)
      for (const { name, kind, at, node } of piece.top) {
        const binding = this.names.get(name) ?? { name, kind, node, owner: undefined, references: [] };
        this.names.set(name, binding);
        this.meant.set(at, binding);
        this.declared.set(node, [...(this.declared.get(node) ?? []), binding]);
      }
    for (const piece of this.pieces)
      for (const { name, at } of piece.free) {
        const binding = this.names.get(name);
        if (binding === undefined) continue;
        this.meant.set(at, binding);
        binding.references.push(at);
      }
  }

  get top(): Iterable<Binding> {
    return this.names.values();
  }

  bindingOf(node: Syntax): Binding | undefined {
    return known.get(node.piece)?.meant.get(node) ?? this.meant.get(node);
  }

  declaredBy(node: Syntax): readonly Binding[] {
    return this.declared.get(node) ?? known.get(node.piece)?.declared.get(node) ?? [];
  }

  memberOf(ofClass: Syntax, name: string): Binding | undefined {
    return known.get(ofClass.piece)?.memberOf(ofClass, name);
  }

  declares(name: string): boolean {
    return this.pieces.some((piece) => piece.names.has(name));
  }
}
