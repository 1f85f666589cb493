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
}

export const documentChanges = new EventEmitter<unknown>();
const never = new EventEmitter<unknown>();

export const workspace = {
  textDocuments: [],
  notebookDocuments: [],
  onDidOpenTextDocument: never.event,
  onDidChangeTextDocument: documentChanges.event,
  onDidCloseTextDocument: never.event,
  onDidOpenNotebookDocument: never.event,
  onDidChangeNotebookDocument: never.event,
  onDidCloseNotebookDocument: never.event,
};

export const l10n = {
  t: (text: string, ...values: unknown[]): string =>
    text.replace(/\{(\d)\}/g, (_, index: string) => String(values[Number(index)])),
};
