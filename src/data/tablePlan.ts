import { badInput } from '../core/errors';
import { quote, type Table } from './table';
import { findTargets } from './target';

/** What the columns of a table become, decided from their kinds alone, wherever their cells are. */

/** A column without its cells. */
export interface ColumnShape {
  readonly name: string;
  /** Different texts in sorted order; undefined for a column of numbers. */
  readonly texts?: readonly string[];
  /** Different numbers of a column of numbers, `undefined` when they are too many for classes. */
  readonly numbers: () => ReadonlySet<number> | undefined;
}

export interface TableShape {
  readonly file: string;
  readonly count: number;
  readonly columns: readonly ColumnShape[];
  readonly named: boolean;
}

/** How a column becomes inputs: a number as it is, a text as a 1 at its place in `texts`. */
export interface Encoder {
  readonly column: number;
  readonly name: string;
  readonly texts?: readonly string[];
}

export interface TablePlan {
  readonly inputs: readonly Encoder[];
  /** Inputs a row. */
  readonly width: number;
  /** Columns that are predicted. */
  readonly targets: readonly number[];
  readonly targetNames: readonly string[];
  /** Names of the classes in order; undefined where values are predicted. */
  readonly classes?: readonly string[];
  readonly notes: readonly string[];
  /** One an input: true for measurements, false for the 0 and 1 of a category. */
  readonly measured: readonly boolean[];
}

/** Inputs that one text column may become. */
const WIDEST_ONE_HOT = 1000;

/** What a table in memory looks like from outside. */
export function shapeOf(table: Table): TableShape {
  return {
    ...table,
    columns: table.columns.map((column) => ({
      name: column.name,
      ...(column.kind === 'texts' ? { texts: column.texts } : {}),
      numbers: () => (column.kind === 'texts' ? undefined : new Set(column.values)),
    })),
  };
}

/**
 * Decides what is predicted and what every column becomes.
 *
 * @param target as `target=` says it, see {@link findTargets}
 * @throws ShrinkError `data-target` or `data-format`
 */
export function planTable(table: TableShape, target: string | undefined): TablePlan {
  const notes: string[] = [];
  const { columns } = table;
  const targets = findTargets(table, target);
  const rest = columns.map((_, i) => i).filter((i) => !targets.includes(i));
  if (rest.length === 0)
    throw badInput(
      'data-target',
      `${table.file} has no column beside the target; add inputs or name another.`,
    );
  if (target === undefined)
    notes.push(`the last column, ${nameOf(columns[targets[0] ?? 0])}, is predicted; target= names another`);
  const inputs = rest.map((i) => encoderOf(table, i, notes));
  const classes = classesOf(table, targets, notes);
  return {
    inputs,
    width: inputs.reduce((sum, { texts }) => sum + (texts?.length ?? 1), 0),
    targets,
    targetNames: targets.map((i) => columns[i]?.name ?? ''),
    ...(classes === undefined ? {} : { classes }),
    notes,
    measured: inputs.flatMap(({ texts }) => texts?.map(() => false) ?? [true]),
  };
}

function encoderOf(table: TableShape, index: number, notes: string[]): Encoder {
  const column = table.columns[index];
  const name = column?.name ?? '';
  const texts = column?.texts;
  if (texts === undefined) return { column: index, name };
  if (texts.length > WIDEST_ONE_HOT)
    throw badInput(
      'data-format',
      `${table.file}: ${nameOf(column)} holds ${texts.length} different texts, e.g. ${quote(texts[0] ?? '')}; one-hot takes up to ${WIDEST_ONE_HOT}, so leave it out or group its values.`,
    );
  notes.push(`${nameOf(column)} is text: one-hot, ${texts.length} inputs in the order ${shortList(texts)}`);
  return { column: index, name, texts };
}

/** Text or whole numbers from 0 or 1 on without gaps are classes; anything else, and several targets, are values. */
function classesOf(
  table: TableShape,
  targets: readonly number[],
  notes: string[],
): readonly string[] | undefined {
  const [first] = targets;
  const column = first === undefined ? undefined : table.columns[first];
  if (targets.length === 1 && column !== undefined) {
    const classes = column.texts ?? classNumbers(column.numbers(), table.count);
    if (classes === undefined) return undefined;
    if (column.texts !== undefined)
      notes.push(`classes of ${nameOf(column)} in sorted order: ${numbered(classes)}`);
    else if (classes[0] === '1')
      notes.push(`classes of ${nameOf(column)} are 1 to ${classes.length}; they are counted from 0`);
    return classes;
  }
  notes.push(
    `${targets.length} columns are predicted: ${shortList(targets.map((i) => table.columns[i]?.name ?? ''))}`,
  );
  return undefined;
}

function classNumbers(present: ReadonlySet<number> | undefined, count: number): string[] | undefined {
  const sorted = [...(present ?? [])].sort((a, b) => a - b);
  const from = sorted[0];
  if ((from !== 0 && from !== 1) || sorted.length < 2 || sorted.length > count / 2) return undefined;
  return sorted.every((value, i) => value === i + from) ? sorted.map(String) : undefined;
}

/**
 * Where the columns of the training table lie in the test table.
 *
 * @throws ShrinkError `data-shape`
 */
export function sameColumns(table: TableShape, test: Omit<TableShape, 'count'>): number[] {
  if (table.columns.length !== test.columns.length)
    throw badInput(
      'data-shape',
      `${test.file} has ${test.columns.length} columns, ${table.file} has ${table.columns.length}; give test data of the same columns.`,
    );
  if (!table.named || !test.named) return table.columns.map((_, i) => i);
  return table.columns.map((column) => {
    const found = test.columns.findIndex(({ name }) => name === column.name);
    if (found >= 0) return found;
    throw badInput(
      'data-shape',
      `${test.file} has no column ${quote(column.name)}, which ${table.file} has; give test data of the same columns.`,
    );
  });
}

/** @throws what to say of a text in a column of numbers */
export function mixedColumn(file: string, column: string, example: string, wanted: string): Error {
  return badInput(
    'data-format',
    `${file}: ${column} holds text (${quote(example)}), but it must hold ${wanted}; correct it.`,
  );
}

export function unknownClass(file: string, row: number, cell: string): Error {
  return badInput(
    'data-target',
    `${file}: row ${row} has the class ${quote(cell)}, which the training data has not; correct it, or add rows of it to the training data.`,
  );
}

export function unknownTexts(column: string, texts: ReadonlySet<string>): string {
  return `${column} of the test data has texts that the training data has not, read as all zeros: ${shortList([...texts])}`;
}

export function tooLarge(file: string, row: number): Error {
  return badInput('data-nan', `${file}: row ${row} holds a number beyond 3.4e38; rescale that column.`);
}

/** A column's name for messages. */
export function nameOf(column: { readonly name: string } | undefined): string {
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
