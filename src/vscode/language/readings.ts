import * as vscode from 'vscode';
import type { Range } from '../../core/errors';
import type { HintCompletion, HintHover } from '../../language';
import { inBackground } from '../failure';
import type { HeldTexts, PlainReading, Questions, ToRead } from '../reader/messages';
import { Reader } from '../reader/reader';
import { isWorthReading, toRange } from './documents';
import { sourceKeyOf, sourceOf, sourceVersionOf, type EditorSource } from './editorSource';

/** A pause in typing after which a source is read again: longer for one that takes long to read. */
const SHORTEST_PAUSE_MS = 150;
const LONGEST_PAUSE_MS = 2_000;
const PAUSE_FOR_READING = 2;

/** The last reading of a source, as one of its documents sees it. */
export interface HeldReading {
  readonly reading: PlainReading;
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

type Changes = Map<vscode.TextDocument, Change[]>;

interface Entry {
  readonly source: EditorSource;
  readonly reading: PlainReading;
  /** Changes since the text that was read, in order, by document. */
  readonly changes: Changes;
  /** What the last reading took. */
  readonly readMs: number;
  timer?: NodeJS.Timeout;
}

/** A reading that the thread is at. */
interface UnderWay {
  readonly changes: Changes;
  readonly done: Promise<void>;
}

/**
 * The readings of what is open. Answers at once from memory; reads again when somebody pauses typing, and then
 * tells those who listen.
 */
export class Readings implements vscode.Disposable {
  private readonly entries = new Map<string, Entry>();
  private readonly read$ = new vscode.EventEmitter<vscode.TextDocument>();
  private readonly subscriptions: vscode.Disposable[];
  private readonly underWay = new Map<string, UnderWay>();
  private readonly reader: Reader;
  /** Sources that the thread does not know any more, by key. */
  private readonly lost = new Set<string>();

  /** A document was read, or is no longer one of ours. */
  readonly onDidRead = this.read$.event;

  /** @param program of the thread that reads */
  constructor(
    private readonly log: vscode.LogOutputChannel,
    program?: string,
  ) {
    const { workspace } = vscode;
    const wantCells = (notebook: vscode.NotebookDocument): void => {
      const [first] = notebook.getCells();
      if (first !== undefined) this.want(first.document);
    };
    this.reader = new Reader((why) => {
      log.warn(`the thread that reads model files ended, and is started again when it is needed: ${why}`);
      for (const key of this.entries.keys()) this.lost.add(key);
    }, program);
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

  /** Asks the thread about a source as it is, whatever becomes of it meanwhile. @throws ShrinkError as it says */
  async ask<Kind extends 'read' | 'plan' | 'emit' | 'revert'>(
    kind: Kind,
    source: EditorSource,
    more: Omit<Questions[Kind]['ask'], keyof ToRead>,
  ): Promise<Questions[Kind]['answer']> {
    return this.reader.ask(kind, { ...toRead(source), ...more });
  }

  /** The reading of the text as it is now; undefined for what cannot be read any more. */
  async look(document: vscode.TextDocument): Promise<HeldReading | undefined> {
    for (;;) {
      await this.readNow(document);
      const held = this.peek(document);
      // Somebody may have typed while it was read.
      if (held === undefined || held.current || document.isClosed) return held;
    }
  }

  /** What can be written at an offset of a text that {@link look} gave. */
  async complete(held: HeldReading, offset: number): Promise<readonly HintCompletion[]> {
    return this.reader.ask('complete', { ...versionOf(held), offset });
  }

  /** What the word of a hint at such an offset means. */
  async hover(held: HeldReading, offset: number): Promise<HintHover | undefined> {
    return (await this.reader.ask('hover', { ...versionOf(held), offset })) ?? undefined;
  }

  dispose(): void {
    for (const entry of this.entries.values()) clearTimeout(entry.timer);
    for (const subscription of this.subscriptions) subscription.dispose();
    this.reader.dispose();
    this.read$.dispose();
  }

  private entryOf(document: vscode.TextDocument): Entry | undefined {
    const key = sourceKeyOf(document);
    return key === undefined ? undefined : this.entries.get(key);
  }

  private want(document: vscode.TextDocument): void {
    const source = sourceOf(document);
    if (source === undefined || (!isWorthReading(source) && this.entryOf(document) === undefined)) return;
    inBackground(this.log, 'read a model file', this.readNow(document));
  }

  private note(event: vscode.TextDocumentChangeEvent): void {
    const { document, contentChanges } = event;
    if (contentChanges.length === 0) return;
    const key = sourceKeyOf(document);
    const entry = key === undefined ? undefined : this.entries.get(key);
    const read = key === undefined ? undefined : this.underWay.get(key);
    for (const noted of [entry, read]) {
      if (noted === undefined) continue;
      const changes = noted.changes.get(document) ?? [];
      noted.changes.set(document, changes);
      // The editor gives changes so that each can be applied after the one before.
      for (const { rangeOffset, rangeLength, text } of contentChanges)
        changes.push({ start: rangeOffset, removed: rangeLength, added: text.length });
    }
    if (entry === undefined) {
      this.want(document);
      return;
    }
    clearTimeout(entry.timer);
    entry.timer = setTimeout(() => {
      if (!document.isClosed) inBackground(this.log, 'read a model file', this.readNow(document));
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
    inBackground(this.log, 'close a model file', this.reader.ask('close', { key }));
    this.entries.delete(key);
    this.lost.delete(key);
    for (const document of entry.source.documents) this.read$.fire(document);
    return true;
  }

  /** Reads the text as it is now, unless that has been done or is under way. */
  private async readNow(document: vscode.TextDocument): Promise<void> {
    const key = sourceKeyOf(document);
    if (key === undefined) return;
    for (;;) {
      const version = sourceVersionOf(document);
      const isRead = this.entries.get(key)?.source.version === version && !this.lost.has(key);
      if (document.isClosed || isRead) return;
      const known = this.underWay.get(key);
      if (known === undefined) break;
      // Of an older text, perhaps: then it is read once more.
      await known.done;
    }
    const source = sourceOf(document);
    if (source === undefined) return;
    const changes: Changes = new Map();
    const done = this.follow(key, source, changes).finally(() => this.underWay.delete(key));
    this.underWay.set(key, { changes, done });
    await done;
  }

  private async follow(key: string, source: EditorSource, changes: Changes): Promise<void> {
    clearTimeout(this.entries.get(key)?.timer);
    const began = performance.now();
    this.lost.delete(key);
    const reading = await this.reader.ask('follow', { key, version: source.version, ...toRead(source) });
    const readMs = performance.now() - began;
    if (source.documents.every((each) => each.isClosed)) {
      await this.reader.ask('close', { key });
      return;
    }
    // A timer that was set meanwhile is for changes after this text, and stays.
    const timer = changes.size > 0 ? this.entries.get(key)?.timer : undefined;
    this.entries.set(key, { source, reading, changes, readMs, ...(timer === undefined ? {} : { timer }) });
    for (const each of source.documents) this.read$.fire(each);
  }
}

function versionOf({ source: { uri, version } }: HeldReading): { key: string; version: string } {
  return { key: uri.toString(), version };
}

function toRead(source: EditorSource): ToRead {
  return { file: source.file, text: source.text, held: heldTexts(source) };
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

/** The texts of other files that are not as on disk: a model may import them. */
function heldTexts(source: EditorSource): HeldTexts {
  const others = vscode.workspace.textDocuments.filter(
    (document) => document.isDirty && document.uri.scheme === 'file' && !source.documents.includes(document),
  );
  return Object.fromEntries(others.map((document) => [document.fileName, document.getText()]));
}

function pauseFor(readMs: number): number {
  return Math.min(LONGEST_PAUSE_MS, Math.max(SHORTEST_PAUSE_MS, readMs * PAUSE_FOR_READING));
}

function moveOffset(offset: number, change: Change): number {
  if (offset < change.start) return offset;
  if (offset < change.start + change.removed) return change.start;
  return offset + change.added - change.removed;
}
