import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { badInput } from '../core/errors';
import type { Features, Labels, Rows } from './dataset';
import { readIdx } from './idx';
import { checkFinite, joinColumns, toLabels } from './moduleData';
import { readNpy, readNpz } from './npy';
import { extensionOf, readBytes } from './openFile';
import { quote } from './table';
import type { ReadData } from './tableParts';

/** Arrays of inputs and labels: two NPY or IDX files, or one NPZ. */

/** What is said of bytes that are pixels. */
export const PIXELS_NOTE = 'values of 0..255 are divided by 255';

/** Names of inputs in an NPZ file, by the part they are of; labels are named alike with y. */
const PARTS = {
  train: [
    ['x_train', 'y_train'],
    ['train_x', 'train_y'],
    ['train_images', 'train_labels'],
    ['x', 'y'],
    ['data', 'target'],
    ['data', 'labels'],
    ['images', 'labels'],
  ],
  validation: [
    ['x_val', 'y_val'],
    ['x_valid', 'y_valid'],
    ['x_validation', 'y_validation'],
    ['val_images', 'val_labels'],
  ],
  test: [
    ['x_test', 'y_test'],
    ['test_x', 'test_y'],
    ['test_images', 'test_labels'],
  ],
} as const;

/** What labels are called where inputs are called so, in names of files. */
const LABEL_NAMES: readonly (readonly [RegExp, string])[] = [
  [/images([-.]?)idx3/i, 'labels$1idx1'],
  [/images/i, 'labels'],
  [/(^|[_.-])x(?=[_.-])/i, '$1y'],
  [/(^|[_.-])data(?=[_.-])/i, '$1labels'],
];

/**
 * Reads a pair of files, NPY or IDX.
 *
 * @param labels file of the labels; without it, the file that is named like the inputs
 * @throws ShrinkError `data-…`
 */
export async function readPair(inputs: string, labels: string | undefined): Promise<ReadData> {
  const beside = labels ?? (await labelsBeside(inputs));
  const notes = labels === undefined ? [`labels are read from ${path.basename(beside)}`] : [];
  const x = asPixels(await readArray(inputs), notes);
  const train = joinColumns(x, await readArray(beside), path.basename(inputs), inputs);
  return { parts: { train }, notes };
}

/** The labels of a file, NPY or IDX. @throws ShrinkError `data-…` */
export async function labelsOf(file: string): Promise<Labels> {
  const column = await readArray(file);
  checkFinite(column, 'the array', file);
  return toLabels(column, undefined);
}

async function readArray(file: string): Promise<Features> {
  const bytes = await readBytes(file);
  return bytes[0] === 0x93 || extensionOf(file) === '.npy' ? readNpy(bytes, file) : readIdx(bytes, file);
}

/** The file of labels that is named like one of inputs. @throws ShrinkError `data-missing` */
export async function labelsBeside(inputs: string): Promise<string> {
  const folder = path.dirname(inputs);
  const name = path.basename(inputs);
  const names = await readdir(folder);
  for (const [pattern, by] of LABEL_NAMES) {
    const wanted = name.replace(pattern, by).toLowerCase();
    const found = names.find((other) => other !== name && other.toLowerCase() === wanted);
    if (found !== undefined) return path.join(folder, found);
  }
  throw badInput(
    'data-missing',
    `${inputs} holds inputs alone; name the file of their labels with target=, or both as data=inputs,labels.`,
  );
}

/** Bytes over two or more dimensions are pixels: 0..255 becomes 0..1. */
function asPixels(x: Features, notes: string[]): Features {
  if (!(x.data instanceof Uint8Array) || x.shape.length < 2) return x;
  if (!notes.includes(PIXELS_NOTE)) notes.push(PIXELS_NOTE);
  return { ...x, scale: 1 / 255 };
}

/**
 * Reads the arrays of an NPZ file: x and y, x_train and y_train, x_test and y_test and the like.
 *
 * @param target name of the array of labels, if it is another
 * @throws ShrinkError `data-…`
 */
export async function readNpzParts(file: string, target: string | undefined): Promise<ReadData> {
  const arrays = readNpz(await readBytes(file), file);
  const names = [...arrays.keys()];
  const notes: string[] = [];
  const find = (name: string): string | undefined =>
    names.find((other) => other === name) ??
    names.find((other) => other.toLowerCase() === name.toLowerCase());
  const rowsOf = (xName: string | undefined, yName: string | undefined): Rows<Features> | undefined => {
    const [x, y] = [arrays.get(xName ?? ''), arrays.get(yName ?? '')];
    if (x === undefined || y === undefined) return undefined;
    notes.push(`inputs are the array ${xName ?? ''}, labels ${yName ?? ''}`);
    return joinColumns(asPixels(x, notes), y, `${xName ?? ''} and ${yName ?? ''}`, file);
  };
  const part = (which: keyof typeof PARTS): Rows<Features> | undefined => {
    for (const [x, y] of PARTS[which]) {
      const rows = rowsOf(find(x), find(y));
      if (rows !== undefined) return rows;
    }
    return undefined;
  };
  const others = names.filter((name) => name !== target);
  const train =
    target === undefined
      ? part('train')
      : rowsOf(find('x') ?? find('x_train') ?? (others.length === 1 ? others[0] : undefined), find(target));
  if (train === undefined)
    throw badInput(
      'data-missing',
      `${file} holds the arrays ${names.map(quote).join(', ')}; name them x and y (or x_train and y_train), or name the labels with target=.`,
    );
  const [validation, test] = [part('validation'), part('test')];
  return {
    parts: {
      train,
      ...(validation === undefined ? {} : { validation }),
      ...(test === undefined ? {} : { test }),
    },
    notes,
  };
}
