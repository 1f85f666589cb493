import {
  checkTexts,
  columnName,
  ColumnSink,
  compareTexts,
  MOST_TEXTS,
  tooManyTexts,
  type CellSink,
} from '../table';
import type { ColumnShape, TableShape } from '../tablePlan';

/** Different numbers that are remembered of a column: classes are fewer. */
const MOST_NUMBERS = 2 ** 16;

/** What there is in a column, without its cells. */
class ColumnSummary implements CellSink {
  private readonly numbers = new Set<number>();
  private readonly texts = new Set<string>();
  private length = 0;
  private textCells = 0;
  private first = { text: '', row: 0 };

  constructor(
    readonly name: string,
    private readonly file: string,
  ) {}

  addNumber(value: number): void {
    this.length += 1;
    if (this.numbers.size <= MOST_NUMBERS) this.numbers.add(value);
  }

  addText(text: string): void {
    this.length += 1;
    if (this.textCells === 0) this.first = { text, row: this.length };
    this.textCells += 1;
    this.texts.add(text);
    if (this.texts.size > MOST_TEXTS) throw tooManyTexts(this.file, this.name, this.length, text);
  }

  build(name: string): ColumnShape {
    const { numbers } = this;
    const complete = numbers.size <= MOST_NUMBERS;
    if (this.textCells === 0) return { name, numbers: () => (complete ? numbers : undefined) };
    checkTexts(this.file, this.name, this.length, this.textCells, this.first.text, this.first.row);
    const all = new Set([...this.texts, ...Array.from(numbers, String)]);
    return { name, texts: [...all].sort(compareTexts), numbers: () => undefined };
  }
}

/** Looks at all rows of a table and keeps none. */
export class TableSummary extends ColumnSink<ColumnSummary> {
  constructor(
    file: string,
    private readonly names: readonly string[],
    private readonly named: boolean,
  ) {
    super(
      file,
      names.map((name) => new ColumnSummary(columnName(name, named), file)),
    );
  }

  /** @throws ShrinkError `data-missing` when no row was added, `data-format` for texts among numbers */
  build(): TableShape {
    this.checkFilled();
    const columns = this.columns.map((column, i) => column.build(this.names[i] ?? ''));
    return { file: this.file, count: this.count, columns, named: this.named };
  }
}
