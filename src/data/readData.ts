import { stat } from 'node:fs/promises';
import path from 'node:path';
import { badInput, ShrinkError } from '../core/errors';
import { readNpzParts, readPair } from './arrays';
import { imageClasses, noClasses, readImages } from './images';
import type { AnyFeatures } from './dataset';
import { extensionOf, sentence } from './openFile';
import { Stopped, type Conversion } from './stored/conversion';
import { estimateMemory, openStored, type Source } from './stored/openStored';
import { TableBuilder, type Table } from './table';
import { readTableRows } from './tableRows';
import { withTest } from './testPart';
import { partsOfTables, type ReadData } from './tableParts';

/** What `data=`, `test=` and `target=` say; names of files relative to `folder`. */
export interface DataNames {
  readonly folder: string;
  readonly data: string;
  readonly test?: string;
  readonly target?: string;
}

const MODULE = ['.mjs', '.cjs', '.js', '.ts', '.mts', '.cts'];
const TABLE = ['.csv', '.tsv', '.txt', '.arff', '.parquet', '.pq'];

/** Whether `data=` names a module, which is run rather than read. */
export function isModule(name: string): boolean {
  return MODULE.includes(path.extname(name).toLowerCase());
}

/** How much memory rows may take, and what becomes of more. */
export interface Storage {
  /** Bytes; data that takes more stays on disk. */
  readonly budget: number;
  readonly conversion: Conversion;
}

/**
 * Reads data that a file or folder holds: a table (CSV, TSV, ARFF, Parquet), arrays (NPY, NPZ, IDX) or a folder of images.
 *
 * @param storage without it, rows are in memory whatever they take
 * @throws ShrinkError `data-…`, one sentence with the file, the row where it is known, and what to do; Stopped
 */
export async function readDataFiles(names: DataNames): Promise<ReadData>;
export async function readDataFiles(names: DataNames, storage: Storage): Promise<ReadData<AnyFeatures>>;
export async function readDataFiles(names: DataNames, storage?: Storage): Promise<ReadData<AnyFeatures>> {
  const kind = await kindOf(names.data, names.folder);
  const testKind = names.test === undefined ? kind : await kindOf(names.test, names.folder);
  if (kind !== testKind)
    throw badInput(
      'data-format',
      `data=${names.data} is ${SAID[kind]}, test=${names.test ?? ''} is ${SAID[testKind]}; give test data of the same kind.`,
    );
  const file = path.resolve(names.folder, names.data);
  try {
    const source = sourceOf(kind, names);
    if (storage !== undefined && source !== undefined && (await estimateMemory(source)) > storage.budget)
      return await openStored(source, storage.conversion);
    return await readIntoMemory(kind, names);
  } catch (thrown) {
    if (thrown instanceof ShrinkError || thrown instanceof Stopped) throw thrown;
    throw badInput('data-format', `${file} cannot be read: ${sentence(thrown)}; correct it.`, thrown);
  }
}

async function readIntoMemory(kind: Kind, names: DataNames): Promise<ReadData> {
  const file = path.resolve(names.folder, names.data);
  const testFile = names.test === undefined ? undefined : path.resolve(names.folder, names.test);
  switch (kind) {
    case 'table': {
      const test = testFile === undefined ? undefined : await readTable(testFile);
      return partsOfTables(await readTable(file), test, names.target);
    }
    case 'arrays':
      return withTest(
        await readArrays(names, names.data),
        names.test === undefined ? undefined : await readArrays(names, names.test),
      );
    case 'images': {
      const classes = await imageClasses(file);
      if (classes.length === 0) throw noClasses(file);
      return withTest(
        await readImages(file),
        testFile === undefined ? undefined : await readImages(testFile, classes),
      );
    }
  }
}

/** What could stay on disk; undefined for NPZ, which has to be unpacked as a whole. */
function sourceOf(kind: Kind, names: DataNames): Source | undefined {
  const resolve = (name: string): string => path.resolve(names.folder, name);
  switch (kind) {
    case 'table':
      return {
        kind,
        file: resolve(names.data),
        ...(names.test === undefined ? {} : { test: resolve(names.test) }),
        ...(names.target === undefined ? {} : { target: names.target }),
      };
    case 'arrays': {
      const given = [names.data, ...(names.test === undefined ? [] : [names.test])];
      if (given.some((name) => extensionOf(name) === '.npz')) return undefined;
      return { kind, pairs: given.map((name) => filesOf(names, name)) };
    }
    case 'images':
      return { kind, folders: [names.data, ...(names.test === undefined ? [] : [names.test])].map(resolve) };
  }
}

type Kind = 'table' | 'arrays' | 'images';
const SAID = { table: 'a table', arrays: 'an array', images: 'a folder of images' } as const;

async function kindOf(name: string, folder: string): Promise<Kind> {
  const file = path.resolve(folder, name);
  const found = await stat(file).catch(() => undefined);
  if (found?.isDirectory() === true) return 'images';
  const extension = extensionOf(name);
  if (TABLE.includes(extension)) return 'table';
  if (found !== undefined || pairOf(name) !== undefined) {
    if (/^\.(npy|npz|idx\d?|idx\d?-ubyte)$/.test(extension) || /idx\d/i.test(name)) return 'arrays';
    if (pairOf(name) !== undefined) return 'arrays';
  }
  if (found === undefined)
    throw badInput(
      'data-missing',
      `${file} does not exist; correct data= or test= in the model’s hint, or the option or setting of that name.`,
    );
  throw badInput(
    'data-format',
    `${file} is of no known kind; give .csv, .tsv, .arff, .parquet, .npy, .npz, IDX, a folder of images, or a module (.mjs, .js, .ts).`,
  );
}

/** `inputs,labels` */
function pairOf(name: string): readonly [string, string] | undefined {
  const [inputs, labels, ...more] = name.split(',').map((part) => part.trim());
  if (inputs === undefined || labels === undefined || labels === '' || more.length > 0) return undefined;
  return [inputs, labels];
}

/** Reads a table into memory. */
async function readTable(file: string): Promise<Table> {
  const made: TableBuilder[] = [];
  await readTableRows(file, (names, named) => {
    const builder = new TableBuilder(file, names, named);
    made.push(builder);
    return builder;
  });
  const [builder] = made;
  if (builder === undefined) throw badInput('data-format', `${file} names no columns; correct it.`);
  return builder.build();
}

async function readArrays(names: DataNames, name: string): Promise<ReadData> {
  if (pairOf(name) === undefined && extensionOf(name) === '.npz')
    return readNpzParts(path.resolve(names.folder, name), names.target);
  const [inputs, labels] = filesOf(names, name);
  return readPair(inputs, labels);
}

/** The files of inputs and, if they are named, of labels. */
function filesOf(names: DataNames, name: string): readonly [inputs: string, labels?: string] {
  const resolve = (part: string): string => path.resolve(names.folder, part);
  const pair = pairOf(name);
  if (pair !== undefined) return [resolve(pair[0]), resolve(pair[1])];
  return name === names.data && names.target !== undefined
    ? [resolve(name), resolve(names.target)]
    : [resolve(name)];
}
