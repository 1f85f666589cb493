/** What a chart shows, apart from how it is drawn: canvas, SVG, table and CSV are all made from it. */
export interface ChartSpec {
  readonly kind: 'line' | 'bars' | 'scatter';
  readonly xTitle: string;
  readonly yTitle: string;
  readonly lines: readonly Line[];
  /** Names of the bars, in the order of the points of every line. */
  readonly labels?: readonly string[];
  readonly logX?: boolean;
  /** Shares are shown as percentages. */
  readonly percentY?: boolean;
  /** One sentence for people who do not see the chart. */
  readonly summary: string;
}

export interface Line {
  readonly name: string;
  readonly points: readonly Dot[];
  /** The emphasised one: drawn thicker. */
  readonly strong?: boolean;
  /** Dots that a line joins. */
  readonly joined?: boolean;
}

export interface Dot {
  readonly x: number;
  /** NaN ends a line; the next dot begins another piece of it. */
  readonly y: number;
  /** What is picked with it. */
  readonly ref?: string;
}

export interface TableSpec {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | number | null)[])[];
}

/** A chart with everything around it. */
export interface CardSpec {
  readonly id: string;
  readonly title: string;
  readonly about: string;
  readonly chart: ChartSpec;
  /** Made only when it is shown or exported. */
  readonly table: () => TableSpec;
}

/** Comma-separated values, as spreadsheets read them. */
export function toCsv({ columns, rows }: TableSpec): string {
  const cell = (value: string | number | null): string => {
    const text = value === null ? '' : String(value);
    return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return [columns, ...rows].map((row) => `${row.map(cell).join(',')}\r\n`).join('');
}

export function toJson({ columns, rows }: TableSpec): string {
  const objects = rows.map((row) => Object.fromEntries(columns.map((column, i) => [column, row[i] ?? null])));
  return `${JSON.stringify(objects, null, 1)}\n`;
}
