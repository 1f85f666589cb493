import treeSitter from '@vscode/tree-sitter-wasm';
import type { Language } from '../core/plan';
import { FollowedText, type Loaded } from './followedText';
import type { Syntax } from './syntax';

/** The parsers of every language, loaded once. */
export interface Parsers {
  /** The syntax tree of a text; with error nodes where it is broken. */
  parse(language: Language, text: string): Syntax;
  /** Parses the versions of one text: what an edit left alone is neither parsed nor copied again. */
  follow(language: Language): FollowedText;
}

const GRAMMARS: Readonly<Record<Language, string>> = {
  typescript: 'tree-sitter-typescript.wasm',
  tsx: 'tree-sitter-tsx.wasm',
  javascript: 'tree-sitter-javascript.wasm',
  python: 'tree-sitter-python.wasm',
};

/**
 * Loads the parser runtime and the grammars.
 *
 * @param readWasm gives the bytes of `tree-sitter.wasm`, `tree-sitter-typescript.wasm` and so on
 */
export async function loadParsers(readWasm: (name: string) => Promise<Uint8Array>): Promise<Parsers> {
  const runtime = { wasmBinary: await readWasm('tree-sitter.wasm'), locateFile: (file: string) => file };
  await treeSitter.Parser.init(runtime);
  const loaded = new Map<Language, Loaded>();
  for (const language of ['typescript', 'tsx', 'javascript', 'python'] as const) {
    const grammar = await treeSitter.Language.load(await readWasm(GRAMMARS[language]));
    const parser = new treeSitter.Parser();
    parser.setLanguage(grammar);
    loaded.set(language, { parser, grammar });
  }
  const grammarOf = (language: Language): Loaded => {
    const entry = loaded.get(language);
    if (entry === undefined) throw new Error(`There is no ${language} parser.`);
    return entry;
  };
  return {
    parse(language, text) {
      const followed = new FollowedText(grammarOf(language));
      try {
        return followed.parse(text);
      } finally {
        followed.close();
      }
    },
    follow: (language) => new FollowedText(grammarOf(language)),
  };
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
    case 'ipynb':
      // Its Python cells, joined.
      return 'python';
    default:
      return undefined;
  }
}
