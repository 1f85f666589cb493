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
const MOST_TEXTS = 4096;
/** Share of a column's cells that must be numbers for a text among them to count as a mistake. */
const MOSTLY_NUMBERS = 0.9;
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;
const MISSING = /^(\?|na|n\/a|nan|null|none|[+-]?inf(inity)?)?$/i;

export function isNumber(cell: string): boolean {
  return NUMBER.test(cell.trim());
}

/** Grows a column cell by cell; it holds numbers until the first text comes. */
class ColumnBuilder {
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
      if (code >= MOST_TEXTS)
        throw badInput(
          'data-format',
          `${this.file}: ${this.name} holds more than ${MOST_TEXTS} different texts (row ${this.length + 1}: ${quote(text)}); leave the column out or group its values.`,
        );
    }
    this.textRows.push(this.length);
    this.addNumber(code);
  }

  build(): Column {
    const values = this.values.slice(0, this.length);
    if (this.texts === 0) return { name: this.name, kind: 'numbers', values };
    if (this.length > 10 && this.texts < this.length * (1 - MOSTLY_NUMBERS))
      throw badInput(
        'data-format',
        `${this.file}: row ${this.firstTextRow} of ${this.name} is ${quote(this.firstText)} where a number should be; correct or drop the row.`,
      );
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

/** Grows a table row by row. */
export class TableBuilder {
  private readonly columns: readonly ColumnBuilder[];
  private count = 0;

  constructor(
    private readonly file: string,
    private readonly names: readonly string[],
    private readonly named: boolean,
  ) {
    this.columns = names.map((name) => new ColumnBuilder(named ? `column ${quote(name)}` : name, file));
  }

  /**
   * @param cells one a column: text as a file wrote it, or values as a binary format gives them
   * @param line line of the file, where the format has lines
   * @throws ShrinkError `data-shape` for a row of another length, `data-nan` for a missing value
   */
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
  build(): Table {
    if (this.count === 0) throw badInput('data-missing', `${this.file} holds no rows; give it some.`);
    const columns = this.columns.map((column, i) => ({ ...column.build(), name: this.names[i] ?? '' }));
    return { file: this.file, count: this.count, columns, named: this.named };
  }
}

function addCell(column: ColumnBuilder, cell: unknown, where: string, file: string): void {
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
