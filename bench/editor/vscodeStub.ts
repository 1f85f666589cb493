/** As much of the editor's API as lenses need, to time them without the editor. */

export class Position {
  constructor(
    readonly line: number,
    readonly character: number,
  ) {}
}

export class Range {
  constructor(
    readonly start: Position,
    readonly end: Position,
  ) {}
}

export class CodeLens {
  constructor(
    readonly range: Range,
    readonly command: unknown,
  ) {}
}

export class EventEmitter<T> {
  private readonly listeners = new Set<(value: T) => void>();
  readonly event = (listener: (value: T) => void) => {
    this.listeners.add(listener);
    return { dispose: () => this.listeners.delete(listener) };
  };
  fire(value: T): void {
    for (const listener of this.listeners) listener(value);
  }
  dispose(): void {
    this.listeners.clear();
  }
  get size(): number {
    return this.listeners.size;
  }
}

export const documentChanges = new EventEmitter<unknown>();
const closed = new EventEmitter<unknown>();
const never = new EventEmitter<unknown>();

/** A document of TypeScript that somebody types into. */
export class StubDocument {
  version = 1;
  isClosed = false;
  readonly isDirty = false;
  readonly uri: { readonly scheme: 'file'; toString(): string };
  readonly languageId = 'typescript';
  private starts: number[] = [];

  constructor(
    private text: string,
    readonly fileName = '/w/model.ts',
  ) {
    this.uri = { scheme: 'file', toString: () => `file://${fileName}` };
    this.index();
  }

  getText(): string {
    return this.text;
  }

  positionAt(offset: number): Position {
    let [low, high] = [0, this.starts.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.starts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return new Position(low, offset - (this.starts[low] ?? 0));
  }

  insert(offset: number, text: string): void {
    this.text = this.text.slice(0, offset) + text + this.text.slice(offset);
    this.version += 1;
    this.index();
    documentChanges.fire({ document: this, contentChanges: [{ rangeOffset: offset, rangeLength: 0, text }] });
  }

  close(): void {
    this.isClosed = true;
    closed.fire(this);
  }

  private index(): void {
    this.starts = [0];
    for (let at = this.text.indexOf('\n'); at >= 0; at = this.text.indexOf('\n', at + 1))
      this.starts.push(at + 1);
  }
}

export const workspace = {
  textDocuments: [],
  notebookDocuments: [],
  onDidOpenTextDocument: never.event,
  onDidChangeTextDocument: documentChanges.event,
  onDidCloseTextDocument: closed.event,
  onDidOpenNotebookDocument: never.event,
  onDidChangeNotebookDocument: never.event,
  onDidCloseNotebookDocument: never.event,
};

export const l10n = {
  t: (text: string, ...values: unknown[]): string =>
    text.replace(/\{(\d)\}/g, (_, index: string) => String(values[Number(index)])),
};

/** Never asked for here; named, so that their absence is nothing to warn of. */
export const [window, commands, NotebookCellKind] = [undefined, undefined, undefined];
