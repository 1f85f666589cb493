import treeSitter from '@vscode/tree-sitter-wasm';
import type { Language as Grammar, Parser, TreeCursor } from '@vscode/tree-sitter-wasm';
import type { Language } from '../core/plan';
import { Syntax } from './syntax';

/** The parsers of every language, loaded once. */
export interface Parsers {
  /** The syntax tree of a text; with error nodes where it is broken. */
  parse(language: Language, text: string): Syntax;
}

const GRAMMARS: Readonly<Record<Language, string>> = {
  typescript: 'tree-sitter-typescript.wasm',
  tsx: 'tree-sitter-tsx.wasm',
  javascript: 'tree-sitter-javascript.wasm',
  python: 'tree-sitter-python.wasm',
};

/** Deeper than any code that people write; what lies below is left out rather than overflowing the stack. */
const MAX_DEPTH = 1500;

/**
 * Loads the parser runtime and the grammars.
 *
 * @param readWasm gives the bytes of `tree-sitter.wasm`, `tree-sitter-typescript.wasm` and so on
 */
export async function loadParsers(readWasm: (name: string) => Promise<Uint8Array>): Promise<Parsers> {
  const runtime = { wasmBinary: await readWasm('tree-sitter.wasm'), locateFile: (file: string) => file };
  await treeSitter.Parser.init(runtime);
  const loaded = new Map<Language, { parser: Parser; grammar: Grammar }>();
  for (const language of ['typescript', 'tsx', 'javascript', 'python'] as const) {
    const grammar = await treeSitter.Language.load(await readWasm(GRAMMARS[language]));
    const parser = new treeSitter.Parser();
    parser.setLanguage(grammar);
    loaded.set(language, { parser, grammar });
  }
  return {
    parse(language, text) {
      const entry = loaded.get(language);
      const tree = entry?.parser.parse(text);
      if (entry === undefined || tree === null || tree === undefined)
        throw new Error(`The ${language} parser gave no tree.`);
      try {
        const cursor = tree.walk();
        const root = copyTree(cursor, entry.grammar, text);
        cursor.delete();
        return root;
      } finally {
        tree.delete();
      }
    },
  };
}

function copyTree(cursor: TreeCursor, grammar: Grammar, text: string): Syntax {
  const tree = { text, nodes: [] };
  const named = new Map<number, boolean>();
  const isNamed = (typeId: number): boolean => {
    const known = named.get(typeId) ?? cursor.nodeIsNamed;
    named.set(typeId, known);
    return known;
  };
  const copyNode = (parent: Syntax | null, depth: number): Syntax => {
    const typeId = cursor.nodeTypeId;
    const [start, end] = [cursor.startIndex, cursor.endIndex];
    const node = new Syntax(
      tree,
      grammar.types[typeId] ?? cursor.nodeType,
      start,
      end,
      isNamed(typeId),
      // Only what is not there has no length.
      start === end && cursor.nodeIsMissing,
      cursor.currentFieldName,
      parent,
    );
    if (depth < MAX_DEPTH && cursor.gotoFirstChild()) {
      do node.addChild(copyNode(node, depth + 1));
      while (cursor.gotoNextSibling());
      cursor.gotoParent();
    }
    return node;
  };
  return copyNode(null, 0);
}

/** The language of a file by its name, if there is a front-end for it. */
export function languageOf(file: string): Language | undefined {
  const extension = /\.([a-z]+)$/i.exec(file)?.[1]?.toLowerCase();
  switch (extension) {
    case 'ts':
    case 'mts':
    case 'cts':
      return 'typescript';
    case 'tsx':
      return 'tsx';
    case 'js':
    case 'mjs':
    case 'cjs':
    case 'jsx':
      return 'javascript';
    case 'py':
      return 'python';
    default:
      return undefined;
  }
}
