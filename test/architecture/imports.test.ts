import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

/** The import rules of DESIGN.md and ARCHITECTURE.md, type imports included. */

const root = path.resolve(import.meta.dirname, '../..');
const src = path.join(root, 'src');

const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  core: [],
  language: ['core'],
  run: ['core'],
  protocol: ['core'],
  data: ['core'],
  engine: ['core'],
  train: ['core', 'data', 'engine'],
  backend: ['core', 'data', 'engine', 'train', 'run', 'protocol'],
  client: ['core', 'run', 'protocol'],
  shell: ['core', 'client', 'language', 'run', 'protocol'],
  cli: ['core', 'client', 'language', 'run', 'protocol', 'shell'],
  vscode: ['core', 'client', 'language', 'run', 'protocol', 'shell'],
  experiments: ['core', 'data', 'engine', 'train'],
};

/** Packages that only some folders may use. */
const PACKAGES: readonly { readonly name: RegExp; readonly folders: readonly string[] }[] = [
  { name: /^vscode$/, folders: ['vscode'] },
  { name: /^@tensorflow\//, folders: ['engine', 'train', 'data', 'backend'] },
  {
    name: /^node:/,
    folders: [
      'language-none',
      'run',
      'protocol',
      'data',
      'engine',
      'backend',
      'client',
      'shell',
      'cli',
      'vscode',
      'experiments',
    ],
  },
];

interface Import {
  readonly file: string;
  readonly target: string;
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => path.join(entry.parentPath, entry.name));
}

function importsOf(file: string): Import[] {
  const info = ts.preProcessFile(readFileSync(file, 'utf8'), true, true);
  return info.importedFiles.map(({ fileName }) => ({ file, target: fileName }));
}

const files = filesBelow(src);
const imports = files.flatMap(importsOf);
const folderOf = (file: string): string => path.relative(src, file).split(path.sep)[0] ?? '';
const shown = ({ file, target }: Import): string => `${path.relative(root, file)} imports ${target}`;

describe('the structure', () => {
  it('has only the folders that the rules name', () => {
    expect(new Set(files.map(folderOf)).size).toBeGreaterThan(8);
    for (const file of files) expect(Object.keys(MAY_IMPORT), file).toContain(folderOf(file));
  });

  it('imports only along the arrows', () => {
    const wrong = imports.filter(({ file, target }) => {
      if (!target.startsWith('.')) return false;
      const resolved = path.resolve(path.dirname(file), target);
      if (!resolved.startsWith(src + path.sep)) return !/package\.json$/.test(target);
      const [from, to] = [folderOf(file), folderOf(resolved)];
      return from !== to && !(MAY_IMPORT[from] ?? []).includes(to);
    });
    expect(wrong.map(shown)).toEqual([]);
  });

  it('keeps vscode, TensorFlow.js and Node out of where they do not belong', () => {
    const wrong = imports.filter(({ file, target }) =>
      PACKAGES.some(({ name, folders }) => name.test(target) && !folders.includes(folderOf(file))),
    );
    expect(wrong.map(shown)).toEqual([]);
  });

  it('has no circles between files', () => {
    const graph = new Map<string, string[]>();
    for (const { file, target } of imports) {
      if (!target.startsWith('.')) continue;
      const base = path.resolve(path.dirname(file), target);
      const resolved = [`${base}.ts`, path.join(base, 'index.ts')].find((candidate) =>
        files.includes(candidate),
      );
      if (resolved !== undefined) graph.set(file, [...(graph.get(file) ?? []), resolved]);
    }
    const state = new Map<string, 'open' | 'done'>();
    const circles: string[] = [];
    const visit = (file: string, trail: readonly string[]): void => {
      if (state.get(file) === 'done') return;
      if (state.get(file) === 'open') {
        circles.push(
          [...trail.slice(trail.indexOf(file)), file].map((f) => path.relative(src, f)).join(' → '),
        );
        return;
      }
      state.set(file, 'open');
      for (const next of graph.get(file) ?? []) visit(next, [...trail, file]);
      state.set(file, 'done');
    };
    for (const file of files) visit(file, []);
    expect(circles).toEqual([]);
  });
});
