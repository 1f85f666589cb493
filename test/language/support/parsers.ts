import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { loadParsers, makePlan, readSource, type Parsers, type SourceReading } from '../../../src/language';
import type { Plan } from '../../../src/core/plan';

const folder = dirname(createRequire(import.meta.url).resolve('@vscode/tree-sitter-wasm'));

/** The parsers of the installed package, loaded once a test file. */
export const parsers: Parsers = await loadParsers((name) => readFile(join(folder, name)));

/** Reads a source given in a test; the file need not exist. */
export function read(text: string, file = '/project/model.ts'): SourceReading {
  return readSource(parsers, { file, text });
}

export function planOf(text: string, modelName?: string, file?: string): Plan {
  return makePlan(read(text, file), modelName);
}
