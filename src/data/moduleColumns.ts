import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { badInput, messageOf } from '../core/errors';
import type { Features } from './dataset';
import { readIdx } from './idx';

/** What stands under `x` or `y` in a data module. */

export interface Columns {
  /** One an input or output, never none. */
  readonly columns: readonly Features[];
  /** Names of the inputs or outputs, where columns were given by name. */
  readonly names?: readonly string[];
}

/**
 * Reads one column, a list of columns, or columns by the name of an input or output. A list counts as one of columns
 * when a tensor, an object or a file name is in it; nothing but numbers and lists of them is one column.
 *
 * @param part names it in messages, e.g. `train.x`
 * @throws ShrinkError `data-…`
 */
export async function readColumns(value: unknown, part: string, file: string): Promise<Columns> {
  if (Array.isArray(value) && value.some(isColumnOfList)) {
    const columns: Features[] = [];
    for (const [i, item] of value.entries()) columns.push(await readColumn(item, `${part}.${i}`, file));
    return { columns };
  }
  if (isRecord(value) && !isNumbers(value) && !isColumn(value)) {
    const names = Object.keys(value);
    const columns: Features[] = [];
    for (const name of names) columns.push(await readColumn(value[name], `${part}.${name}`, file));
    if (columns.length > 0) return { columns, names };
  }
  return { columns: [await readColumn(value, part, file)] };
}

function isColumnOfList(item: unknown): boolean {
  return typeof item === 'string' || (isRecord(item) && !isNumbers(item));
}

/** A list of numbers, of whatever depth. */
function isNumbers(value: unknown): boolean {
  return Array.isArray(value) || ArrayBuffer.isView(value);
}

function isColumn(value: Record<string, unknown>): boolean {
  return isTensor(value) || typeof value['file'] === 'string' || ('data' in value && 'shape' in value);
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

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function describe(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'an object' : `${typeof value} ${JSON.stringify(value)}`;
}
