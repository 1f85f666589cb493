import type { Range, TextEdit } from '../core/errors';

/** A cell of a notebook. */
export interface NotebookCell {
  /** `code` cells in Python are read; others only count. */
  readonly isPython: boolean;
  readonly text: string;
}

/** The Python cells of a notebook as one source, and the way back. */
export interface NotebookSource {
  /** Text to read as `<name>.py`: offsets in it lead back to cells. */
  readonly text: string;
  /** The cell that a range lies in, and the range in the cell's own text; undefined for one between cells. */
  inCell(range: Range): { readonly cell: number; readonly range: Range } | undefined;
  /** Offset in the joined text of an offset in a cell. */
  offsetOf(cell: number, offset: number): number | undefined;
  /** Edits by index of the cell they are in. @throws RangeError for an edit across cells */
  splitEdits(edits: readonly TextEdit[]): ReadonlyMap<number, readonly TextEdit[]>;
}

/** What begins a line of IPython that is no Python: `%magic`, `!command`, `?help`, `help?`, `help??`. */
const NOT_PYTHON = /^([ \t]*)(?:[%!?]|[A-Za-z_*](?=[\w.*]*\?{1,2}[ \t\r]*$))/gm;

/**
 * Joins the Python cells of a notebook, so that a model may stand in one cell and its training in another. Lines that
 * are not Python (`%matplotlib`, `!pip`, `model.fit?`) become comments of the same length; every offset stays what it was.
 */
export function joinCells(cells: readonly NotebookCell[]): NotebookSource {
  const starts: { readonly cell: number; readonly start: number; readonly end: number }[] = [];
  let text = '';
  cells.forEach((cell, index) => {
    if (!cell.isPython || /^\s*%%(?!time\b|timeit\b|capture\b)/.test(cell.text)) return;
    starts.push({ cell: index, start: text.length, end: text.length + cell.text.length });
    text += `${cell.text.replace(NOT_PYTHON, '$1#')}\n`;
  });
  const inCell: NotebookSource['inCell'] = (range) => {
    const found = starts.find((entry) => entry.start <= range.start && range.end <= entry.end);
    if (found === undefined) return undefined;
    return { cell: found.cell, range: { start: range.start - found.start, end: range.end - found.start } };
  };
  return {
    text,
    inCell,
    offsetOf(cell, offset) {
      const found = starts.find((entry) => entry.cell === cell);
      return found === undefined ? undefined : found.start + offset;
    },
    splitEdits(edits) {
      const byCell = new Map<number, TextEdit[]>();
      for (const edit of edits) {
        const place = inCell(edit.range);
        if (place === undefined) throw new RangeError('An edit lies across cells.');
        byCell.set(place.cell, [...(byCell.get(place.cell) ?? []), { range: place.range, text: edit.text }]);
      }
      return byCell;
    },
  };
}

/** The cells of an `.ipynb` file. @throws SyntaxError if it is no JSON, TypeError if it is no notebook */
export function readNotebookJson(json: string): NotebookCell[] {
  const parsed: unknown = JSON.parse(json);
  const { cells, metadata } = parsed as {
    cells?: unknown;
    metadata?: { kernelspec?: { language?: string } };
  };
  if (!Array.isArray(cells)) throw new TypeError('A notebook has a list of cells.');
  const isPython = (metadata?.kernelspec?.language ?? 'python') === 'python';
  return (cells as { cell_type?: string; source?: string | string[] }[]).map((cell) => ({
    isPython: isPython && cell.cell_type === 'code',
    text: Array.isArray(cell.source) ? cell.source.join('') : (cell.source ?? ''),
  }));
}
