import * as vscode from 'vscode';
import type { Range } from '../../core/errors';
import type { FollowedSource, SourceReading } from '../../language';
import { inBackground } from '../failure';
import { isWorthReading, toRange } from './documents';
import { sourceKeyOf, sourceOf, sourceVersionOf, type EditorSource } from './editorSource';

/** A pause in typing after which a source is read again: longer for one that takes long to read. */
const SHORTEST_PAUSE_MS = 150;
const LONGEST_PAUSE_MS = 2_000;
const PAUSE_FOR_READING = 2;

/** The last reading of a source, as one of its documents sees it. */
export interface HeldReading {
  readonly reading: SourceReading;
  /** What was read. */
  readonly source: EditorSource;
  /** Whether the text is still the one that was read. */
  readonly current: boolean;
  /** Where a range of the reading lies in the document now; undefined for one in another cell of its notebook. */
  here(range: Range): Range | undefined;
  /** Offset in the text that was read of an offset in the document. */
  offsetOf(offset: number): number;
}

interface Change {
  readonly start: number;
  readonly removed: number;
  readonly added: number;
}

interface Entry {
  readonly followed: FollowedSource;
  readonly source: EditorSource;
  readonly reading: SourceReading;
  /** Changes since the reading, in order, by document. */
  readonly changes: Map<vscode.TextDocument, Change[]>;
  /** What the last reading took. */
  readonly readMs: number;
  timer?: NodeJS.Timeout;
}

/**
 * The readings of what is open. Answers at once from memory; reads again when somebody pauses typing, and then
 * tells those who listen.
 */
export class Readings implements vscode.Disposable {
  private readonly entries = new Map<string, Entry>();
  private readonly read$ = new vscode.EventEmitter<vscode.TextDocument>();
  private readonly subscriptions: vscode.Disposable[];
  private follow: ((file: string) => FollowedSource) | undefined;
  private loading: Promise<void> | undefined;

  /** A document was read, or is no longer one of ours. */
  readonly onDidRead = this.read$.event;

  constructor(private readonly log: vscode.LogOutputChannel) {
    const { workspace } = vscode;
    const wantCells = (notebook: vscode.NotebookDocument): void => {
      const [first] = notebook.getCells();
      if (first !== undefined) this.want(first.document);
    };
    this.subscriptions = [
      workspace.onDidOpenTextDocument((document) => this.want(document)),
      workspace.onDidChangeTextDocument((event) => this.note(event)),
      workspace.onDidCloseTextDocument((document) => this.drop(document)),
      workspace.onDidOpenNotebookDocument(wantCells),
      workspace.onDidChangeNotebookDocument(({ notebook, contentChanges }) => {
        if (contentChanges.length > 0) wantCells(notebook);
      }),
      workspace.onDidCloseNotebookDocument((notebook) => this.forget(notebook.uri.toString())),
    ];
  }

  /** Reads what is open already. */
  start(): void {
    for (const document of vscode.workspace.textDocuments) this.want(document);
  }

  /** The last reading, without waiting; undefined while there is none. */
  peek(document: vscode.TextDocument): HeldReading | undefined {
    const entry = this.entryOf(document);
    if (entry === undefined) return undefined;
    const { reading, source, changes } = entry;
    return {
      reading,
      source,
      current: sourceVersionOf(document) === source.version,
      here: (range) => {
        const place = source.placeOf(range);
        if (place?.document !== document) return undefined;
        const moved = (offset: number): number => (changes.get(document) ?? []).reduce(moveOffset, offset);
        return { start: moved(place.range.start), end: moved(place.range.end) };
      },
      offsetOf: (offset) => source.offsetOf(document, offset) ?? -1,
    };
  }

  /** A reading of a source that stays what it is, for work that takes longer. */
  async read(source: EditorSource): Promise<SourceReading> {
    const { readJoinedText } = await import('../../shell/sources');
    return readJoinedText(source.file, source.text, heldText);
  }

  /** The reading of the text as it is now, to be used at once: the next reading takes its place. */
  async look(document: vscode.TextDocument): Promise<HeldReading | undefined> {
    await this.load();
    const held = this.peek(document);
    if (held?.current === true) return held;
    this.readNow(document);
    return this.peek(document);
  }

  dispose(): void {
    for (const entry of this.entries.values()) {
      clearTimeout(entry.timer);
      entry.followed.close();
    }
    for (const subscription of this.subscriptions) subscription.dispose();
    this.read$.dispose();
  }

  private entryOf(document: vscode.TextDocument): Entry | undefined {
    const key = sourceKeyOf(document);
    return key === undefined ? undefined : this.entries.get(key);
  }

  private want(document: vscode.TextDocument): void {
    const source = sourceOf(document);
    if (source === undefined || (!isWorthReading(source) && this.entryOf(document) === undefined)) return;
    inBackground(
      this.log,
      'read a model file',
      this.load().then(() => {
        if (!document.isClosed) this.readNow(document);
      }),
    );
  }

  private note(event: vscode.TextDocumentChangeEvent): void {
    const { document, contentChanges } = event;
    if (contentChanges.length === 0) return;
    const entry = this.entryOf(document);
    if (entry === undefined) {
      this.want(document);
      return;
    }
    const changes = entry.changes.get(document) ?? [];
    entry.changes.set(document, changes);
    // The editor gives changes so that each can be applied after the one before.
    for (const { rangeOffset, rangeLength, text } of contentChanges)
      changes.push({ start: rangeOffset, removed: rangeLength, added: text.length });
    clearTimeout(entry.timer);
    entry.timer = setTimeout(() => {
      if (!document.isClosed) this.readNow(document);
    }, pauseFor(entry.readMs));
  }

  private drop(document: vscode.TextDocument): void {
    // A cell that is gone leaves its notebook, which is told of by itself.
    if (!this.forget(document.uri.toString())) this.read$.fire(document);
  }

  private forget(key: string): boolean {
    const entry = this.entries.get(key);
    if (entry === undefined) return false;
    clearTimeout(entry.timer);
    entry.followed.close();
    this.entries.delete(key);
    for (const document of entry.source.documents) this.read$.fire(document);
    return true;
  }

  private async load(): Promise<void> {
    // The parsers are loaded when the first document needs them.
    this.loading ??= import('../../shell/sources')
      .then(({ modelFollower }) => modelFollower(heldText))
      .then((follow) => {
        this.follow = follow;
      });
    await this.loading;
  }

  private readNow(document: vscode.TextDocument): void {
    if (this.follow === undefined) throw new RangeError('the parsers are loaded first');
    const key = sourceKeyOf(document);
    const source = sourceOf(document);
    if (key === undefined || source === undefined) return;
    const known = this.entries.get(key);
    if (known?.source.version === source.version) return;
    clearTimeout(known?.timer);
    const began = performance.now();
    const followed = known?.followed ?? this.follow(source.file);
    const reading = followed.read(source.text);
    const readMs = performance.now() - began;
    this.entries.set(key, { followed, source, reading, changes: new Map(), readMs });
    for (const each of source.documents) this.read$.fire(each);
  }
}

/** The ranges of a held reading as a document's own. */
export function rangeHere(
  held: HeldReading,
  document: vscode.TextDocument,
  range: Range,
): vscode.Range | undefined {
  const here = held.here(range);
  return here === undefined ? undefined : toRange(document, here);
}

/** The text of a file as an open document has it, saved or not. */
function heldText(file: string): string | undefined {
  const isIt = (document: vscode.TextDocument): boolean =>
    document.uri.scheme === 'file' && document.fileName === file;
  return vscode.workspace.textDocuments.find(isIt)?.getText();
}

function pauseFor(readMs: number): number {
  return Math.min(LONGEST_PAUSE_MS, Math.max(SHORTEST_PAUSE_MS, readMs * PAUSE_FOR_READING));
}

function moveOffset(offset: number, change: Change): number {
  if (offset < change.start) return offset;
  if (offset < change.start + change.removed) return change.start;
  return offset + change.added - change.removed;
}
