import { badInput } from '../core/errors';

/** Tables by column: numbers as they are, texts as numbers into a sorted list of the texts that occur. */

export type Column = { readonly name: string } & (
  | { readonly kind: 'numbers'; readonly values: Float64Array }
  | { readonly kind: 'texts'; readonly codes: Int32Array; readonly texts: readonly string[] }
);

export interface Table {
  /** Path of the file, for messages. */
  readonly file: string;
  readonly count: number;
  readonly columns: readonly Column[];
  /** Whether the file names its columns; otherwise they are called `column 1`, `column 2` … */
  readonly named: boolean;
}

/** Different texts that a column may hold; more than that is a name or an address, not a category. */
export const MOST_TEXTS = 4096;
/** Share of a column's cells that must be numbers for a text among them to count as a mistake. */
const MOSTLY_NUMBERS = 0.9;
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;
const MISSING = /^(\?|na|n\/a|nan|null|none|[+-]?inf(inity)?)?$/i;

export function isNumber(cell: string): boolean {
  return NUMBER.test(cell.trim());
}

/** Grows a column cell by cell; it holds numbers until the first text comes. */
class ColumnBuilder implements CellSink {
  private values = new Float64Array(64);
  private readonly codes = new Map<string, number>();
  private firstText = '';
  private firstTextRow = 0;
  private texts = 0;
  private length = 0;
  private readonly textRows: number[] = [];

  constructor(
    readonly name: string,
    private readonly file: string,
  ) {}

  addNumber(value: number): void {
    if (this.length === this.values.length) {
      const grown = new Float64Array(this.length * 2);
      grown.set(this.values);
      this.values = grown;
    }
    this.values[this.length] = value;
    this.length += 1;
  }

  /** A text is kept as its number in `codes`, in a row of `textRows`. */
  addText(text: string): void {
    if (this.texts === 0) {
      this.firstText = text;
      this.firstTextRow = this.length + 1;
    }
    this.texts += 1;
    let code = this.codes.get(text);
    if (code === undefined) {
      code = this.codes.size;
      this.codes.set(text, code);
      if (code >= MOST_TEXTS) throw tooManyTexts(this.file, this.name, this.length + 1, text);
    }
    this.textRows.push(this.length);
    this.addNumber(code);
  }

  build(): Column {
    const values = this.values.slice(0, this.length);
    if (this.texts === 0) return { name: this.name, kind: 'numbers', values };
    checkTexts(this.file, this.name, this.length, this.texts, this.firstText, this.firstTextRow);
    const byCode = [...this.codes.keys()];
    const isText = new Set(this.textRows);
    const cells = Array.from(values, (value, row) =>
      isText.has(row) ? (byCode[value] ?? '') : String(value),
    );
    const texts = [...new Set(cells)].sort(compareTexts);
    const place = new Map(texts.map((text, code) => [text, code]));
    return {
      name: this.name,
      kind: 'texts',
      texts,
      codes: Int32Array.from(cells, (cell) => place.get(cell) ?? 0),
    };
  }
}

/** @throws ShrinkError `data-format` when a column of numbers holds a few texts, which are mistakes */
export function checkTexts(
  file: string,
  column: string,
  length: number,
  texts: number,
  firstText: string,
  firstTextRow: number,
): void {
  if (texts === 0 || length <= 10 || texts >= length * (1 - MOSTLY_NUMBERS)) return;
  throw badInput(
    'data-format',
    `${file}: row ${firstTextRow} of ${column} is ${quote(firstText)} where a number should be; correct or drop the row.`,
  );
}

export function tooManyTexts(file: string, column: string, row: number, text: string): Error {
  return badInput(
    'data-format',
    `${file}: ${column} holds more than ${MOST_TEXTS} different texts (row ${row}: ${quote(text)}); leave the column out or group its values.`,
  );
}

/** What takes the rows of a table as they are read. */
export interface RowSink {
  /**
   * @param cells one a column: text as a file wrote it, or values as a binary format gives them
   * @param line line of the file, where the format has lines
   */
  addRow(cells: readonly unknown[], line?: number): void;
}

/**
 * Called once the columns of a file are known, before its rows.
 *
 * @param named whether the file names them
 */
export type Begin = (names: readonly string[], named: boolean) => RowSink;

/** What takes the cells of a column. */
export interface CellSink {
  /** For messages. */
  readonly name: string;
  addNumber(value: number): void;
  addText(text: string): void;
}

/** Takes rows apart into cells of columns. */
export abstract class ColumnSink<C extends CellSink> implements RowSink {
  protected count = 0;

  constructor(
    protected readonly file: string,
    protected readonly columns: readonly C[],
  ) {}

  /** @throws ShrinkError `data-shape` for a row of another length, `data-nan` for a missing value */
  addRow(cells: readonly unknown[], line?: number): void {
    const row = this.count + 1;
    const where = line === undefined ? `row ${row}` : `line ${line}`;
    if (cells.length !== this.columns.length)
      throw badInput(
        'data-shape',
        `${this.file}: ${where} has ${cells.length} values where ${this.columns.length} are expected; correct or drop it.`,
      );
    for (let i = 0; i < cells.length; i += 1) {
      const column = this.columns[i];
      if (column !== undefined) addCell(column, cells[i], where, this.file);
    }
    this.count += 1;
  }

  /** @throws ShrinkError `data-missing` when no row was added */
  protected checkFilled(): void {
    if (this.count === 0) throw badInput('data-missing', `${this.file} holds no rows; give it some.`);
  }
}

/** What a column is called in messages. */
export function columnName(name: string, named: boolean): string {
  return named ? `column ${quote(name)}` : name;
}

/** Grows a table in memory row by row. */
export class TableBuilder extends ColumnSink<ColumnBuilder> {
  constructor(
    file: string,
    private readonly names: readonly string[],
    private readonly named: boolean,
  ) {
    super(
      file,
      names.map((name) => new ColumnBuilder(columnName(name, named), file)),
    );
  }

  /** @throws ShrinkError `data-missing` when no row was added */
  build(): Table {
    this.checkFilled();
    const columns = this.columns.map((column, i) => ({ ...column.build(), name: this.names[i] ?? '' }));
    return { file: this.file, count: this.count, columns, named: this.named };
  }
}

function addCell(column: CellSink, cell: unknown, where: string, file: string): void {
  if (typeof cell === 'string') {
    const text = cell.trim();
    if (NUMBER.test(text) && Number.isFinite(Number(text))) column.addNumber(Number(text));
    else if (MISSING.test(text)) throw missing(column.name, text === '' ? 'empty' : quote(text), where, file);
    else column.addText(text);
  } else if (typeof cell === 'number' || typeof cell === 'bigint' || typeof cell === 'boolean') {
    if (!Number.isFinite(Number(cell))) throw missing(column.name, String(cell), where, file);
    column.addNumber(Number(cell));
  } else if (cell === null || cell === undefined) throw missing(column.name, 'empty', where, file);
  else
    throw badInput(
      'data-format',
      `${file}: ${where} of ${column.name} holds ${cell instanceof Date ? 'a date' : 'a nested value'}; give numbers or texts.`,
    );
}

function missing(column: string, found: string, where: string, file: string): Error {
  return badInput(
    'data-nan',
    `${file}: ${where} has no value in ${column} (it is ${found}); fill it in or drop the row.`,
  );
}

/** A text for a message, shortened. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 57)}...` : text);
}

/** By code unit, the same on every machine; numbers among texts by their value. */
export function compareTexts(a: string, b: string): number {
  if (NUMBER.test(a) && NUMBER.test(b) && Number(a) !== Number(b)) return Number(a) - Number(b);
  return a < b ? -1 : a > b ? 1 : 0;
}
