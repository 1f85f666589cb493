import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { badInput, messageOf } from '../core/errors';
import { rowCount, type Features, type Labels, type Rows } from './dataset';
import { readIdx } from './idx';

/**
 * What a data module gives: `train` and, where it has them, `validation` and `test`, each `{ x, y }`. A column is a
 * tensor, a typed array with a shape, nested arrays of numbers, or `{ file, scale }` naming an IDX file.
 */
export interface ModuleParts<X = Features> {
  readonly train: Rows<X>;
  readonly validation?: Rows<X>;
  readonly test?: Rows<X>;
}

/**
 * Reads the exports of a data module.
 *
 * @param file path of the module, for messages and relative file names
 * @throws ShrinkError `data-…` saying which part is wrong and how it should be
 */
export async function readModuleParts(exported: unknown, file: string): Promise<ModuleParts> {
  const value = await settle(exported, file);
  if (!isRecord(value) || value['train'] === undefined)
    throw badInput('data-missing', `${file} exports no training data; export train = { x, y }.`);
  const train = await readRows(value['train'], 'train', file);
  const validation =
    value['validation'] === undefined
      ? {}
      : { validation: await readRows(value['validation'], 'validation', file) };
  const test = value['test'] === undefined ? {} : { test: await readRows(value['test'], 'test', file) };
  return { train, ...validation, ...test };
}

/** Modules may export the data, a default export with it, or a function that makes it. */
async function settle(exported: unknown, file: string): Promise<unknown> {
  let value: unknown = exported;
  if (isRecord(value) && value['train'] === undefined) value = value['default'] ?? value['load'] ?? value;
  if (typeof value !== 'function') return value;
  try {
    return await (value as () => unknown)();
  } catch (thrown) {
    throw badInput('data-throws', `${file} failed while making the data: ${messageOf(thrown)}.`, thrown);
  }
}

async function readRows(value: unknown, part: string, file: string): Promise<Rows<Features>> {
  if (!isRecord(value) || value['x'] === undefined || value['y'] === undefined)
    throw badInput('data-missing', `${part} of ${file} has no x and y; export ${part} = { x, y }.`);
  const x = await readColumn(value['x'], `${part}.x`, file);
  const yColumn = await readColumn(value['y'], `${part}.y`, file);
  return joinColumns(x, yColumn, part, file, value['classes']);
}

/**
 * Joins inputs and labels to rows.
 *
 * @param x inputs, [rows, ...shape]
 * @param yColumn class numbers, [rows], or values, [rows, ...shape]
 * @param part names both in messages
 * @param classes how many there are, if more than occur
 * @throws ShrinkError `data-missing`, `data-shape` or `data-nan`
 */
export function joinColumns(
  x: Features,
  yColumn: Features,
  part: string,
  file: string,
  classes?: unknown,
): Rows<Features> {
  const count = rowCount(x);
  if (count === 0) throw badInput('data-missing', `${part}.x of ${file} has no rows.`);
  if (count !== rowCount(yColumn))
    throw badInput(
      'data-shape',
      `${part} of ${file} has ${count} rows of x and ${rowCount(yColumn)} of y; give a label for every row.`,
    );
  checkFinite(x, `${part}.x`, file);
  checkFinite(yColumn, `${part}.y`, file);
  return { count, x, y: toLabels(yColumn, classes) };
}

/** Whole numbers, one a row, are class numbers unless they were meant as values (a fraction anywhere says so). */
export function toLabels(column: Features, classes: unknown): Labels {
  const single = column.shape.length === 0 || (column.shape.length === 1 && column.shape[0] === 1);
  const whole =
    single && column.scale === 1 && column.data.every((value) => Number.isInteger(value) && value >= 0);
  if (!whole) return { kind: 'values', features: column };
  const ids = Int32Array.from(column.data);
  const highest = ids.reduce((max, id) => Math.max(max, id), 0) + 1;
  return {
    kind: 'classes',
    ids,
    classes: typeof classes === 'number' ? Math.max(classes, highest) : highest,
  };
}

async function readColumn(value: unknown, part: string, file: string): Promise<Features> {
  if (typeof value === 'string') return readColumnFile(value, 1, part, file);
  if (isRecord(value) && typeof value['file'] === 'string')
    return readColumnFile(value['file'], scaleOf(value, part, file), part, file);
  if (isTensor(value)) return { shape: value.shape.slice(1), data: asData(await value.data()), scale: 1 };
  if (isRecord(value) && ArrayBuffer.isView(value['data']) && Array.isArray(value['shape'])) {
    const shape = value['shape'].map(Number);
    return { shape: shape.slice(1), data: asData(value['data']), scale: scaleOf(value, part, file) };
  }
  if (ArrayBuffer.isView(value)) return { shape: [], data: asData(value), scale: 1 };
  if (Array.isArray(value)) return readNested(value, part, file);
  throw badInput(
    'data-format',
    `${part} of ${file} is ${describe(value)}; give a tensor, nested arrays, { data, shape } or { file }.`,
  );
}

async function readColumnFile(name: string, scale: number, part: string, file: string): Promise<Features> {
  const resolved = path.resolve(path.dirname(file), name);
  let bytes: Uint8Array;
  try {
    bytes = await readFile(resolved);
  } catch (thrown) {
    throw badInput(
      'data-missing',
      `${part} of ${file} names ${resolved}, which cannot be read: ${messageOf(thrown)}.`,
      thrown,
    );
  }
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) bytes = gunzipSync(bytes);
  return { ...readIdx(bytes, resolved), scale };
}

function scaleOf(value: Record<string, unknown>, part: string, file: string): number {
  const scale = value['scale'] ?? 1;
  if (typeof scale !== 'number' || !Number.isFinite(scale) || scale === 0)
    throw badInput(
      'data-format',
      `The scale of ${part} in ${file} is ${describe(scale)}; give a number such as 1 / 255.`,
    );
  return scale;
}

function readNested(value: readonly unknown[], part: string, file: string): Features {
  const shape: number[] = [];
  for (
    let level: unknown = value;
    Array.isArray(level) || ArrayBuffer.isView(level);
    level = (level as unknown[])[0]
  )
    shape.push((level as ArrayLike<unknown>).length);
  const data = new Float32Array(shape.reduce((product, length) => product * length, 1));
  let at = 0;
  const walk = (level: unknown, depth: number): void => {
    if (depth === shape.length) {
      if (typeof level !== 'number' && typeof level !== 'boolean')
        throw badInput(
          'data-format',
          `${part} of ${file} holds ${describe(level)} where a number should be.`,
        );
      data[at] = Number(level);
      at += 1;
      return;
    }
    const list = level as ArrayLike<unknown>;
    if (!(Array.isArray(level) || ArrayBuffer.isView(level)) || list.length !== shape[depth])
      throw badInput(
        'data-shape',
        `The rows of ${part} in ${file} are of different lengths; make them equal.`,
      );
    for (let i = 0; i < list.length; i += 1) walk(list[i], depth + 1);
  };
  walk(value, 0);
  return { shape: shape.slice(1), data, scale: 1 };
}

/** @throws ShrinkError `data-nan` for a value that is no finite number */
export function checkFinite(features: Features, part: string, file: string): void {
  if (!(features.data instanceof Float32Array)) return;
  const at = features.data.findIndex((value) => !Number.isFinite(value));
  if (at < 0) return;
  const size = Math.max(1, features.data.length / Math.max(1, rowCount(features)));
  throw badInput(
    'data-nan',
    `${part} of ${file} holds ${String(features.data[at])} in row ${Math.floor(at / size)}; replace or drop such rows.`,
  );
}

function asData(value: ArrayBufferView): Features['data'] {
  if (value instanceof Float32Array || value instanceof Int32Array) return value;
  if (value instanceof Uint8Array) return value;
  return Float32Array.from(value as unknown as ArrayLike<number>);
}

interface TensorLike {
  readonly shape: number[];
  data(): Promise<ArrayBufferView>;
}

function isTensor(value: unknown): value is TensorLike {
  return isRecord(value) && Array.isArray(value['shape']) && typeof value['data'] === 'function';
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function describe(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'an object' : `${typeof value} ${JSON.stringify(value)}`;
}
