import { existsSync, readFileSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { badInput, lineAndColumn, messageOf } from '../core/errors';
import {
  followSource,
  joinCells,
  loadParsers,
  readNotebookJson,
  readSource,
  type FollowedSource,
  type Parsers,
  type SourceFiles,
  type SourceReading,
} from '../language';

import { isNotebook, openNotebook } from './notebooks';
import { programFolder } from './programs';

/** Finding and reading model files, and where the bundles lie: the same for the command line and the editor. */

let parsers: Promise<Parsers> | undefined;

function parsersOnce(): Promise<Parsers> {
  parsers ??= loadParsers((name) => readFile(path.join(programFolder(), 'wasm', name)));
  return parsers;
}

/** @throws ShrinkError `file-missing` or `file-unreadable` */
export async function readModelFile(file: string): Promise<SourceReading> {
  return readModelText(path.resolve(file), await readText(file));
}

/** Reads files one after the other; the next is fetched while one is parsed. What cannot be read gives its error. */
export async function* readModelFiles(
  files: readonly string[],
): AsyncGenerator<{ readonly file: string; readonly reading: SourceReading | Error }> {
  const fetch = async (file: string | undefined): Promise<string | Error> =>
    file === undefined ? '' : readText(file).catch(asError);
  let next = fetch(files[0]);
  for (const [index, file] of files.entries()) {
    const text = await next;
    next = fetch(files[index + 1]);
    const reading =
      typeof text === 'string' ? await readModelText(path.resolve(file), text).catch(asError) : text;
    yield { file, reading };
  }
}

function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(messageOf(thrown));
}

async function readText(file: string): Promise<string> {
  const absolute = path.resolve(file);
  if (!existsSync(absolute)) throw badInput('file-missing', `${file} does not exist; check the path.`);
  try {
    return await readFile(absolute, 'utf8');
  } catch (thrown) {
    throw badInput('file-unreadable', `${file} cannot be read: ${messageOf(thrown)}.`, thrown);
  }
}

/**
 * @param text of the file; of a notebook, its JSON
 * @param held text of a file around it that is not as on disk, by absolute path
 * @throws ShrinkError `notebook-unreadable`
 */
export async function readModelText(
  file: string,
  text: string,
  held: (file: string) => string | undefined = () => undefined,
): Promise<SourceReading> {
  const files = filesAround(held);
  if (!isNotebook(file)) return readSource(await parsersOnce(), { file, text }, files);
  const reading = readSource(await parsersOnce(), { file, text: openNotebook(file, text).text }, files);
  notebooks.set(reading, text);
  return reading;
}

/** Reads a text as it is: of a notebook, its joined cells, which an editor holds without any JSON. */
export async function readJoinedText(
  file: string,
  text: string,
  held: (file: string) => string | undefined = () => undefined,
): Promise<SourceReading> {
  return readSource(await parsersOnce(), { file, text }, filesAround(held));
}

/** Reads another text of the file that a reading is of, in the same form. @throws ShrinkError `notebook-unreadable` */
export async function readAnew(
  reading: SourceReading,
  text: string,
  held: (file: string) => string | undefined,
): Promise<SourceReading> {
  const read = notebooks.has(reading) ? readModelText : readJoinedText;
  return read(reading.file, text, held);
}

/** The text of the file that a reading is of: of a notebook, its JSON. */
export function fileTextOf(reading: SourceReading): string {
  return notebooks.get(reading) ?? reading.text;
}

/** Where an offset of a reading lies, as people find it: `file:line:column`, in a notebook with the cell. */
export function showOffset(reading: SourceReading, offset: number): string {
  const file = path.relative(process.cwd(), reading.file);
  const json = notebooks.get(reading);
  const cells = json === undefined ? undefined : readNotebookJson(json);
  const place = cells && joinCells(cells).inCell({ start: offset, end: offset });
  const text = place === undefined ? reading.text : (cells?.[place.cell]?.text ?? '');
  const { line, column } = lineAndColumn(text, place === undefined ? offset : place.range.start);
  return `${file}${place === undefined ? '' : `:cell ${place.cell + 1}`}:${line}:${column}`;
}

const notebooks = new WeakMap<SourceReading, string>();

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
