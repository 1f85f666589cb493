import { stat } from 'node:fs/promises';
import path from 'node:path';
import { badInput, ShrinkError } from '../core/errors';
import { readArff } from './arff';
import { readNpzParts, readPair } from './arrays';
import { readCsv } from './csv';
import { imageClasses, noClasses, readImages } from './images';
import type { ModuleParts } from './moduleData';
import { extensionOf, openStream, sentence } from './openFile';
import { readParquet } from './parquet';
import type { Table } from './table';
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

/**
 * Reads data that a file or folder holds: a table (CSV, TSV, ARFF, Parquet), arrays (NPY, NPZ, IDX) or a folder of images.
 *
 * @throws ShrinkError `data-…`, one sentence with the file, the row where it is known, and what to do
 */
export async function readDataFiles(names: DataNames): Promise<ReadData> {
  const kind = await kindOf(names.data, names.folder);
  const testKind = names.test === undefined ? kind : await kindOf(names.test, names.folder);
  if (kind !== testKind)
    throw badInput(
      'data-format',
      `data=${names.data} is ${SAID[kind]}, test=${names.test ?? ''} is ${SAID[testKind]}; give test data of the same kind.`,
    );
  const file = path.resolve(names.folder, names.data);
  const testFile = names.test === undefined ? undefined : path.resolve(names.folder, names.test);
  try {
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
  } catch (thrown) {
    if (thrown instanceof ShrinkError) throw thrown;
    throw badInput('data-format', `${file} cannot be read: ${sentence(thrown)}; correct it.`, thrown);
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
    throw badInput('data-missing', `${file} does not exist; correct data=, test= or --data.`);
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

/** Reads a table by its extension. */
export async function readTable(file: string): Promise<Table> {
  const extension = extensionOf(file);
  const stream = await openStream(file);
  if (extension === '.parquet' || extension === '.pq') {
    stream.destroy();
    return readParquet(file);
  }
  if (extension === '.arff') return readArff(stream, file);
  return readCsv(stream, file, extension === '.tsv' ? '\t' : undefined);
}

async function readArrays(names: DataNames, name: string): Promise<ReadData> {
  const pair = pairOf(name);
  const resolve = (part: string): string => path.resolve(names.folder, part);
  if (pair !== undefined) return readPair(resolve(pair[0]), resolve(pair[1]));
  if (extensionOf(name) === '.npz') return readNpzParts(resolve(name), names.target);
  const labels = name === names.data && names.target !== undefined ? resolve(names.target) : undefined;
  return readPair(resolve(name), labels);
}

/** Adds the rows of another reading as the test part: its own test part, or all of it. */
function withTest(read: ReadData, test: ReadData | undefined): ReadData {
  return test === undefined ? read : { ...read, parts: addTest(read.parts, test.parts) };
}

/**
 * Takes test rows of other data.
 *
 * @throws ShrinkError `data-shape` when its rows are of another shape
 */
export function addTest(parts: ModuleParts, from: ModuleParts): ModuleParts {
  const test = from.test ?? from.train;
  const [given, wanted] = [test.x.shape.join(' × '), parts.train.x.shape.join(' × ')];
  if (given !== wanted)
    throw badInput(
      'data-shape',
      `The test data's rows are ${given}, the training data's ${wanted}; give test data of the same shape.`,
    );
  return { ...parts, test };
}
