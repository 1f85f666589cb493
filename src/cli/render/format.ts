/** Rows as the terminal shows them, and the numbers in them. */
export { change, count, megabytes, milliseconds, percent, seconds } from '../../shell/format';

export interface Column {
  readonly title: string;
  readonly align: 'left' | 'right';
  readonly width: number;
}

/** One line of a table, cells padded to their columns. */
export function tableRow(columns: readonly Column[], cells: readonly string[]): string {
  return columns
    .map((column, i) => {
      const cell = cells[i] ?? '';
      return column.align === 'left' ? cell.padEnd(column.width) : cell.padStart(column.width);
    })
    .join('  ')
    .trimEnd();
}

/** A whole table whose columns fit their cells. */
export function table(
  titles: readonly { title: string; align: 'left' | 'right' }[],
  rows: readonly string[][],
): string[] {
  const columns = titles.map(({ title, align }, i) => ({
    title,
    align,
    width: Math.max(title.length, ...rows.map((row) => (row[i] ?? '').length)),
  }));
  return [
    tableRow(
      columns,
      titles.map(({ title }) => title),
    ),
    ...rows.map((row) => tableRow(columns, row)),
  ];
}
