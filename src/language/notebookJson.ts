import type { TextEdit } from '../core/errors';

/**
 * Edits of a notebook file as edits of its JSON, so that whatever else stands in it keeps its bytes: outputs, metadata,
 * indentation and the way in which lines are split.
 *
 * @param json text of the file
 * @param edits by index of the cell, of the cell's own text
 * @throws SyntaxError if it is no JSON
 */
export function editNotebookJson(json: string, edits: ReadonlyMap<number, readonly TextEdit[]>): TextEdit[] {
  const sources = new SourceFinder(json).find();
  return [...edits].flatMap(([cell, list]) =>
    list.map(({ range, text }): TextEdit => {
      const at = sources[cell] ?? [];
      const [start, last] = [at[range.start], at[range.end - 1]];
      if (start === undefined || last === undefined)
        throw new RangeError(`Cell ${cell} has no text to edit there.`);
      return { range: { start: start.start, end: last.end }, text: JSON.stringify(text).slice(1, -1) };
    }),
  );
}

/** Where in the file each UTF-16 unit of a cell's text stands. */
type Units = { readonly start: number; readonly end: number }[];

/** Goes through JSON and keeps the places of `cells[i].source`. */
class SourceFinder {
  private position = 0;
  private readonly sources: Units[] = [];

  constructor(private readonly json: string) {}

  find(): Units[] {
    // What follows relies on the text being JSON.
    JSON.parse(this.json);
    this.readValue([]);
    return this.sources;
  }

  private skipSpace(): void {
    while (/\s/.test(this.json.charAt(this.position))) this.position += 1;
  }

  private readValue(path: readonly (string | number)[]): void {
    this.skipSpace();
    const first = this.json.charAt(this.position);
    if (first === '{') this.readObject(path);
    else if (first === '[') this.readList(path);
    else if (first === '"') this.keep(path, this.readString());
    else while (/[^\s,\]}]/.test(this.json.charAt(this.position))) this.position += 1;
    this.skipSpace();
  }

  private readObject(path: readonly (string | number)[]): void {
    for (const _ of this.items('}')) {
      const start = this.position;
      this.readString();
      const key = JSON.parse(this.json.slice(start, this.position)) as string;
      this.skipSpace();
      this.position += 1;
      this.readValue([...path, key]);
    }
  }

  private readList(path: readonly (string | number)[]): void {
    let index = 0;
    for (const _ of this.items(']')) this.readValue([...path, index++]);
  }

  /** Stands before each item in turn, and in the end after the closing bracket. */
  private *items(close: string): Generator<undefined> {
    this.position += 1;
    this.skipSpace();
    while (this.json.charAt(this.position) !== close) {
      yield undefined;
      if (this.json.charAt(this.position) === ',') this.position += 1;
      this.skipSpace();
    }
    this.position += 1;
  }

  private readString(): Units {
    const units: Units = [];
    this.position += 1;
    while (this.json.charAt(this.position) !== '"') {
      const start = this.position;
      const isEscape = this.json.charAt(start) === '\\';
      this.position += isEscape ? (this.json.charAt(start + 1) === 'u' ? 6 : 2) : 1;
      units.push({ start, end: this.position });
    }
    this.position += 1;
    return units;
  }

  private keep([list, cell, key]: readonly (string | number)[], units: Units): void {
    if (list !== 'cells' || key !== 'source' || typeof cell !== 'number') return;
    this.sources[cell] = [...(this.sources[cell] ?? []), ...units];
  }
}
