import { make } from '../elements';
import { plain } from '../words';
import type { TableSpec } from './spec';

/** Cells beyond these would make the page slow: a long table shows rows evenly chosen, the export has all. */
const MOST_CELLS = 6_000;

/** Shows a table in a box. */
export function fillTable(box: HTMLElement, { columns, rows }: TableSpec): void {
  const head = make('tr', '');
  for (const column of columns) {
    const cell = make('th', '', column);
    cell.scope = 'col';
    head.append(cell);
  }
  const body = make('tbody', '');
  const most = Math.max(20, Math.floor(MOST_CELLS / Math.max(1, columns.length)));
  for (const row of thin(rows, most)) {
    const line = make('tr', '');
    row.forEach((value, i) => {
      const text = typeof value === 'string' ? value : plain(value);
      const cell = make(i === 0 ? 'th' : 'td', typeof value === 'string' ? 'text' : 'number', text);
      if (i === 0) cell.setAttribute('scope', 'row');
      line.append(cell);
    });
    body.append(line);
  }
  box.replaceChildren(make('table', '', make('thead', '', head), body));
}

function thin<Row>(rows: readonly Row[], most: number): readonly Row[] {
  if (rows.length <= most) return rows;
  const step = (rows.length - 1) / (most - 1);
  return Array.from({ length: most }, (_, i) => rows[Math.round(i * step)]).filter(
    (row) => row !== undefined,
  );
}
