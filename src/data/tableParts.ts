import { badInput } from '../core/errors';
import type { Features, Labels, Rows } from './dataset';
import type { ModuleParts } from './moduleData';
import { checkSize } from './openFile';
import { findTargets } from './target';
import { quote, type Column, type Table } from './table';

/** What reading a file gave: its parts, and which of its columns are measurements that standardisation is for. */
export interface ReadData {
  readonly parts: ModuleParts;
  readonly notes: readonly string[];
  /** One a value of a row: true for measurements, false for the 0 and 1 of a category. Tables only. */
  readonly measured?: readonly boolean[];
}

/** Inputs that one text column may become. */
const WIDEST_ONE_HOT = 1000;

/**
 * Makes rows of tables: the target becomes the labels, every other column inputs.
 *
 * @param test rows of the same columns
 * @param target as `target=` says it, see {@link findTargets}
 * @throws ShrinkError `data-target`, `data-shape` or `data-format`
 */
export function partsOfTables(table: Table, test: Table | undefined, target: string | undefined): ReadData {
  const notes: string[] = [];
  const { columns } = table;
  const chosen = findTargets(table, target);
  const tested = test === undefined ? undefined : { ...test, columns: sameColumns(table, test) };
  const inputs = columns.map((_, i) => i).filter((i) => !chosen.includes(i));
  if (inputs.length === 0)
    throw badInput(
      'data-target',
      `${table.file} has no column beside the target; add inputs or name another.`,
    );
  if (target === undefined)
    notes.push(`the last column, ${nameOf(columns[chosen[0] ?? 0])}, is predicted; target= names another`);
  const encoders = inputs.map((i) => encoderOf(table, i, notes));
  const label = labelEncoder(table, chosen, notes);
  const rowsOf = (part: Table): Rows => ({
    count: part.count,
    x: encodeInputs(part, encoders, notes),
    y: label(part),
  });
  const parts = { train: rowsOf(table), ...(tested === undefined ? {} : { test: rowsOf(tested) }) };
  const measured = encoders.flatMap(({ texts }) => texts?.map(() => false) ?? [true]);
  return { parts, notes, measured };
}

/** Test columns in the order of the training columns. */
function sameColumns(table: Table, test: Table): Column[] {
  if (table.columns.length !== test.columns.length)
    throw badInput(
      'data-shape',
      `${test.file} has ${test.columns.length} columns, ${table.file} has ${table.columns.length}; give test data of the same columns.`,
    );
  if (!table.named || !test.named) return [...test.columns];
  return table.columns.map((column) => {
    const found = test.columns.find(({ name }) => name === column.name);
    if (found !== undefined) return found;
    throw badInput(
      'data-shape',
      `${test.file} has no column ${quote(column.name)}, which ${table.file} has; give test data of the same columns.`,
    );
  });
}

/** How a column becomes inputs: a number as it is, a text as a 1 at its place in `texts`. */
interface Encoder {
  readonly column: number;
  readonly texts?: readonly string[];
}

function encoderOf(table: Table, index: number, notes: string[]): Encoder {
  const column = table.columns[index];
  if (column?.kind !== 'texts') return { column: index };
  if (column.texts.length > WIDEST_ONE_HOT)
    throw badInput(
      'data-format',
      `${table.file}: ${nameOf(column)} holds ${column.texts.length} different texts, e.g. ${quote(column.texts[0] ?? '')}; one-hot takes up to ${WIDEST_ONE_HOT}, so leave it out or group its values.`,
    );
  notes.push(
    `${nameOf(column)} is text: one-hot, ${column.texts.length} inputs in the order ${shortList(column.texts)}`,
  );
  return { column: index, texts: column.texts };
}

function encodeInputs(table: Table, encoders: readonly Encoder[], notes: string[]): Features {
  const width = encoders.reduce((sum, { texts }) => sum + (texts?.length ?? 1), 0);
  checkSize(table.count * width * Float32Array.BYTES_PER_ELEMENT, table.file);
  const data = new Float32Array(table.count * width);
  let at = 0;
  for (const { column: index, texts } of encoders) {
    const column = table.columns[index];
    if (column === undefined) continue;
    if (texts === undefined) {
      if (column.kind === 'texts') throw mixed(table, column, 'numbers');
      for (let row = 0; row < table.count; row += 1) data[row * width + at] = column.values[row] ?? 0;
      at += 1;
      continue;
    }
    const places = new Map(texts.map((text, place) => [text, place]));
    const cells = cellsOf(column, table.count);
    const unknown = new Set<string>();
    cells.forEach((cell, row) => {
      const place = places.get(cell);
      if (place === undefined) unknown.add(cell);
      else data[row * width + at + place] = 1;
    });
    if (unknown.size > 0)
      notes.push(
        `${nameOf(column)} of the test data has texts that the training data has not, read as all zeros: ${shortList([...unknown])}`,
      );
    at += texts.length;
  }
  const wrong = data.findIndex((value) => !Number.isFinite(value));
  if (wrong >= 0)
    throw badInput(
      'data-nan',
      `${table.file}: row ${Math.floor(wrong / width) + 1} holds a number beyond 3.4e38; rescale that column.`,
    );
  return { shape: [width], data, scale: 1 };
}

/** Text or whole numbers from 0 or 1 on without gaps are classes; anything else, and several targets, are values. */
function labelEncoder(table: Table, chosen: readonly number[], notes: string[]): (part: Table) => Labels {
  const [first] = chosen;
  const column = first === undefined ? undefined : table.columns[first];
  if (chosen.length === 1 && column !== undefined && first !== undefined) {
    const texts = column.kind === 'texts' ? column.texts : classNumbers(column.values);
    if (texts !== undefined) {
      if (column.kind === 'texts')
        notes.push(`classes of ${nameOf(column)} in sorted order: ${numbered(texts)}`);
      else if (texts[0] === '1')
        notes.push(`classes of ${nameOf(column)} are 1 to ${texts.length}; they are counted from 0`);
      return (part) => encodeClasses(part, first, texts);
    }
  }
  if (chosen.length > 1)
    notes.push(
      `${chosen.length} columns are predicted: ${shortList(chosen.map((i) => table.columns[i]?.name ?? ''))}`,
    );
  return (part) => encodeValues(part, chosen);
}

function classNumbers(values: Float64Array): string[] | undefined {
  const present = new Set(values);
  const sorted = [...present].sort((a, b) => a - b);
  const from = sorted[0];
  if ((from !== 0 && from !== 1) || sorted.length < 2 || sorted.length > values.length / 2) return undefined;
  return sorted.every((value, i) => value === i + from) ? sorted.map(String) : undefined;
}

function encodeClasses(table: Table, index: number, texts: readonly string[]): Labels {
  const column = table.columns[index];
  const places = new Map(texts.map((text, id) => [text, id]));
  const cells = column === undefined ? [] : cellsOf(column, table.count);
  const ids = Int32Array.from(cells, (cell, row) => {
    const id = places.get(cell);
    if (id !== undefined) return id;
    throw badInput(
      'data-target',
      `${table.file}: row ${row + 1} has the class ${quote(cell)}, which the training data has not; correct it, or add rows of it to the training data.`,
    );
  });
  return { kind: 'classes', ids, classes: texts.length };
}

function encodeValues(table: Table, chosen: readonly number[]): Labels {
  const data = new Float32Array(table.count * chosen.length);
  chosen.forEach((index, at) => {
    const column = table.columns[index];
    if (column === undefined) return;
    if (column.kind === 'texts') throw mixed(table, column, 'numbers, as it is predicted');
    for (let row = 0; row < table.count; row += 1) data[row * chosen.length + at] = column.values[row] ?? 0;
  });
  return { kind: 'values', features: { shape: [chosen.length], data, scale: 1 } };
}

function mixed(table: Table, column: Column, wanted: string): Error {
  const example = column.kind === 'texts' ? ` (${quote(column.texts.at(-1) ?? '')})` : '';
  return badInput(
    'data-format',
    `${table.file}: ${nameOf(column)} holds text${example}, but it must hold ${wanted}; correct it.`,
  );
}

function cellsOf(column: Column, count: number): string[] {
  return Array.from({ length: count }, (_, row) =>
    column.kind === 'texts' ? (column.texts[column.codes[row] ?? 0] ?? '') : String(column.values[row]),
  );
}

function nameOf(column: Column | undefined): string {
  const name = column?.name ?? '';
  return /^column \d+$/.test(name) ? name : `column ${quote(name)}`;
}

function numbered(texts: readonly string[]): string {
  return shortList(texts.map((text, id) => `${id} ${text}`));
}

/** The first of a list, for a note. */
export function shortList(texts: readonly string[]): string {
  const most = 12;
  const shown = texts.slice(0, most).map((text) => (text.length > 40 ? `${text.slice(0, 37)}...` : text));
  return texts.length > most ? `${shown.join(', ')} … (${texts.length})` : shown.join(', ');
}
