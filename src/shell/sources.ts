import { readFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { badInput, messageOf } from '../core/errors';
import {
  followSource,
  loadParsers,
  readSource,
  type FollowedSource,
  type Parsers,
  type SourceReading,
} from '../language';

/** Finding and reading model files, and where the bundles lie: the same for the command line and the editor. */

let parsers: Promise<Parsers> | undefined;

/** The folder of the bundle that is running: the others and the grammars lie beside it. */
export function programFolder(): string {
  return __dirname;
}

/** The bundle that trains. */
export function backendScript(): string {
  return path.join(programFolder(), 'backend.cjs');
}

function parsersOnce(): Promise<Parsers> {
  parsers ??= loadParsers((name) => readFile(path.join(programFolder(), 'wasm', name)));
  return parsers;
}

/** @throws ShrinkError `file-missing` */
export async function readModelFile(file: string): Promise<SourceReading> {
  const absolute = path.resolve(file);
  if (!existsSync(absolute)) throw badInput('file-missing', `${file} does not exist; check the path.`);
  let text: string;
  try {
    text = await readFile(absolute, 'utf8');
  } catch (thrown) {
    throw badInput('file-unreadable', `${file} cannot be read: ${messageOf(thrown)}.`, thrown);
  }
  return readModelText(absolute, text);
}

export async function readModelText(file: string, text: string): Promise<SourceReading> {
  return readSource(await parsersOnce(), { file, text });
}

/** Follows sources without waiting, once the parsers are loaded: an editor reads at every pause in typing. */
export async function modelFollower(): Promise<(file: string) => FollowedSource> {
  const loaded = await parsersOnce();
  return (file) => followSource(loaded, file);
}
