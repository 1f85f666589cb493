import { languageOf } from '../parsers';
import { makePositions } from '../positions';
import type { SourceFiles } from '../sourceFiles';
import type { Syntax } from '../syntax';
import { isStatement } from './nodes';
import { LinkedScopes, type LinkableModule } from './linkedScopes';
import { findSkipped } from './loads';
import { indexMutations, type Mutation, type MutationIndex } from './mutations';
import { resolveScopes, type Binding } from './scopes';
import { findTfCalls } from './tfCalls';

/** A file that takes part in making a model. */
export interface ScriptModule extends LinkableModule {
  readonly file: string;
  readonly text: string;
  /** What stands at the top of the file and is no statement, such as what cannot be read. */
  readonly loose: readonly Syntax[];
  /** Its calls of TensorFlow.js, with the path of what is called. */
  readonly tfCalls: ReadonlyMap<Syntax, readonly string[]>;
  /** 1-based line and column of an offset. */
  readonly positionOf: (offset: number) => { line: number; column: number };
}

/** A file and those that it imports, with what their names mean. */
export interface ScriptProgram {
  /** The file that is read. */
  readonly main: ScriptModule;
  /** All files, the main one first. */
  readonly modules: readonly ScriptModule[];
  readonly scopes: LinkedScopes;
  readonly mutations: MutationIndex;
  /** What only loads what is made elsewhere. */
  readonly skipped: ReadonlySet<Syntax>;
  /** The same files as if no model were compiled in them. */
  readonly uncompiled: () => ScriptProgram;
  moduleOf(node: Syntax): ScriptModule;
}

/** Where the files around a source come from. */
export interface ScriptSurroundings {
  readonly files: SourceFiles;
  /** Parses a file around it; the same tree for the same text. */
  readonly parse: (file: string, text: string) => Syntax;
}

/** More files than any model needs: an application that imports everything is not followed to its end. */
const MOST_FILES = 60;
const MOST_CHARACTERS = 400_000;

const IMPORTS = /(?:\bfrom\s*|\brequire\s*\(\s*)['"](\.{1,2}\/[^'"\n]+)['"]/g;
const MENTIONS_TENSORFLOW = /tensorflow|\btf\s*\./;

/** Opens a file and what it imports by relative paths, as far as that can matter for a model. */
export function openProgram(
  file: string,
  text: string,
  root: Syntax,
  { files, parse }: ScriptSurroundings,
): ScriptProgram {
  const opened = new Map<string, LinkableFile>();
  const open = (path: string, content: string, tree: Syntax): void => {
    let positions: ScriptModule['positionOf'] | undefined;
    opened.set(path, {
      file: path,
      text: content,
      root: tree,
      local: resolveScopes(tree),
      loose: tree.children.filter((child) => child.named && !isStatement(child)),
      positionOf: (offset) => (positions ??= makePositions(content))(offset),
      resolve: (specifier) => {
        const target = specifier.startsWith('.') ? files.resolve(path, specifier) : undefined;
        return target === undefined ? undefined : opened.get(target);
      },
    });
  };
  open(file, text, root);
  for (const [path, content] of findImported(file, text, files)) open(path, content, parse(path, content));
  return linkFiles([...opened.values()]);
}

/** A file before it is known what of it is TensorFlow.js. */
type LinkableFile = Omit<ScriptModule, 'tfCalls'>;

function linkFiles(files: readonly LinkableFile[]): ScriptProgram {
  const scopes = new LinkedScopes(files);
  const modules = files.map((file): ScriptModule =>
    Object.assign(file, { tfCalls: findTfCalls(file.root, scopes) }),
  );
  const byTree = new Map(modules.map((module) => [module.root.tree, module]));
  const [main] = modules;
  if (main === undefined) throw new RangeError('A program has a file.');
  const mutations = indexMutations(modules, scopes);
  let other: ScriptProgram | undefined;
  const program: ScriptProgram = {
    ...{ main, modules, scopes, mutations },
    skipped: findSkipped(modules, scopes),
    uncompiled: () => (other ??= { ...program, mutations: dropCompile(mutations) }),
    moduleOf: (node) => byTree.get(node.tree) ?? main,
  };
  return program;
}

function dropCompile(mutations: MutationIndex): MutationIndex {
  const dropped = new Map<Binding, readonly Mutation[]>();
  for (const [binding, list] of mutations)
    dropped.set(
      binding,
      list.filter((mutation) => mutation.compiles !== true),
    );
  return dropped;
}

/** Files that a text imports, directly or not; none if nothing in them has to do with TensorFlow.js. */
function findImported(file: string, text: string, files: SourceFiles): Map<string, string> {
  const found = new Map<string, string>();
  const seen = new Set([file]);
  const queue: [string, string][] = [[file, text]];
  let characters = 0;
  for (let at = queue.shift(); at !== undefined; at = queue.shift()) {
    const [from, content] = at;
    for (const [, specifier = ''] of content.matchAll(IMPORTS)) {
      const target = files.resolve(from, specifier);
      const language = target === undefined ? undefined : languageOf(target);
      if (target === undefined || seen.has(target) || language === undefined || language === 'python')
        continue;
      seen.add(target);
      const imported = files.read(target);
      if (imported === undefined || characters + imported.length > MOST_CHARACTERS) continue;
      characters += imported.length;
      found.set(target, imported);
      if (found.size >= MOST_FILES) return keepRelevant(text, found);
      queue.push([target, imported]);
    }
  }
  return keepRelevant(text, found);
}

function keepRelevant(text: string, found: Map<string, string>): Map<string, string> {
  return [text, ...found.values()].some((content) => MENTIONS_TENSORFLOW.test(content))
    ? found
    : new Map<string, string>();
}
