import { badInput, messageOf } from '../core/errors';
import { rowCount, type Features, type Labels, type Rows } from './dataset';
import { isRecord, readColumns } from './moduleColumns';

/**
 * What a data module gives: `train` and, where it has them, `validation` and `test`, each `{ x, y }`. A column is a
 * tensor, a typed array with a shape, nested arrays of numbers, or `{ file, scale }` naming an IDX file; several inputs
 * or outputs are a list of columns or columns by name (`moduleColumns`).
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
  const inputs = await readColumns(value['x'], `${part}.x`, file);
  const outputs = await readColumns(value['y'], `${part}.y`, file);
  const [x, ...moreX] = inputs.columns;
  const [y, ...moreY] = outputs.columns;
  if (x === undefined || y === undefined) throw new RangeError('columns are never none');
  const classes = classCounts(value['classes'], outputs.names);
  const first = joinColumns(x, y, part, file, classes[0]);
  const isSingle = inputs.names === undefined && outputs.names === undefined;
  if (isSingle && moreX.length === 0 && moreY.length === 0) return first;
  const nameOf = (what: 'x' | 'y', at: number): string =>
    `${part}.${what}.${(what === 'x' ? inputs : outputs).names?.[at] ?? String(at)}`;
  const check = (column: Features, name: string): Features => {
    if (rowCount(column) !== first.count)
      throw badInput(
        'data-shape',
        `${name} of ${file} has ${rowCount(column)} rows where the first input has ${first.count}; give every input and output the same rows.`,
      );
    checkFinite(column, name, file);
    return column;
  };
  return {
    ...first,
    several: {
      x: moreX.map((column, i) => check(column, nameOf('x', i + 1))),
      y: moreY.map((column, i) => toLabels(check(column, nameOf('y', i + 1)), classes[i + 1])),
      ...(inputs.names === undefined ? {} : { inputNames: inputs.names }),
      ...(outputs.names === undefined ? {} : { outputNames: outputs.names }),
    },
  };
}

/** Numbers of classes by output: one for the only output, a list, or by the output's name. */
function classCounts(given: unknown, names: readonly string[] | undefined): readonly unknown[] {
  if (Array.isArray(given)) return given;
  return isRecord(given) ? (names ?? []).map((name) => given[name]) : [given];
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
