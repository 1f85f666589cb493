import { existsSync, readFileSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { badInput, messageOf } from '../core/errors';
import {
  followSource,
  loadParsers,
  readSource,
  type FollowedSource,
  type Parsers,
  type SourceFiles,
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

/** @param held text of a file around it that is not as on disk, by absolute path */
export async function readModelText(
  file: string,
  text: string,
  held: (file: string) => string | undefined = () => undefined,
): Promise<SourceReading> {
  const files = filesAround(held);
  return readSource(await parsersOnce(), { file, text }, files);
}

/**
 * Follows sources without waiting, once the parsers are loaded: an editor reads at every pause in typing.
 *
 * @param held text of a file that an editor holds, by absolute path; undefined for what is as on disk
 */
export async function modelFollower(
  held: (file: string) => string | undefined,
): Promise<(file: string) => FollowedSource> {
  const loaded = await parsersOnce();
  const files = filesAround(held);
  return (file) => followSource(loaded, file, files);
}

/** Endings that an import may leave out, and those that TypeScript writes for its own. */
const ENDINGS = ['.ts', '.tsx', '.mts', '.cts', '.js', '.jsx', '.mjs', '.cjs'];
const WRITTEN_AS: Readonly<Record<string, readonly string[]>> = {
  '.js': ['.ts', '.tsx', '.jsx'],
  '.jsx': ['.tsx'],
  '.mjs': ['.mts'],
  '.cjs': ['.cts'],
};

/** The files that relative imports lead to, as an editor holds them or else from disk. */
function filesAround(held: (file: string) => string | undefined): SourceFiles {
  const isFile = (file: string): boolean =>
    held(file) !== undefined || statSync(file, { throwIfNoEntry: false })?.isFile() === true;
  return {
    resolve(from, specifier) {
      const base = path.resolve(path.dirname(from), specifier);
      const ending = path.extname(base);
      const stem = base.slice(0, base.length - ending.length);
      const others = (WRITTEN_AS[ending] ?? []).map((other) => stem + other);
      const whole = ENDINGS.map((other) => base + other);
      const index = ENDINGS.map((other) => path.join(base, `index${other}`));
      return [base, ...others, ...whole, ...index].find(isFile);
    },
    read(file) {
      try {
        return held(file) ?? readFileSync(file, 'utf8');
      } catch {
        return undefined;
      }
    },
  };
}
