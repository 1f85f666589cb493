import * as vscode from 'vscode';
import type { FollowedSource, SourceReading } from '../../language';
import { inBackground } from '../failure';
import { fileNameOf, mayHoldModels } from './documents';

/** A pause in typing after which a document is read again: longer for one that takes long to read. */
const SHORTEST_PAUSE_MS = 150;
const LONGEST_PAUSE_MS = 2_000;
const PAUSE_FOR_READING = 2;

/** The last reading of a document, and how the text moved since. */
export interface HeldReading {
  readonly reading: SourceReading;
  /** Whether the text is still the one that was read. */
  readonly current: boolean;
  /** Where an offset of the reading lies in the text now. */
  readonly moved: (offset: number) => number;
}

interface Change {
  readonly start: number;
  readonly removed: number;
  readonly added: number;
}

interface Entry {
  readonly source: FollowedSource;
  reading: SourceReading;
  version: number;
  /** Changes since the reading, in order. */
  changes: Change[];
  /** What the last reading took. */
  readMs: number;
  timer?: NodeJS.Timeout;
}

/**
 * The readings of open documents. Answers at once from memory; reads again when somebody pauses typing, and then
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
    this.subscriptions = [
      vscode.workspace.onDidOpenTextDocument((document) => this.want(document)),
      vscode.workspace.onDidChangeTextDocument((event) => this.note(event)),
      vscode.workspace.onDidCloseTextDocument((document) => this.drop(document)),
    ];
  }

  /** Reads the documents that are open already. */
  start(): void {
    for (const document of vscode.workspace.textDocuments) this.want(document);
  }

  /** The last reading, without waiting; undefined while there is none. */
  peek(document: vscode.TextDocument): HeldReading | undefined {
    const entry = this.entries.get(document.uri.toString());
    if (entry === undefined) return undefined;
    return {
      reading: entry.reading,
      current: entry.version === document.version,
      moved: (offset) => entry.changes.reduce(moveOffset, offset),
    };
  }

  /** A reading of the text as it is now that stays what it is, for work that takes longer. */
  async read(document: vscode.TextDocument): Promise<SourceReading> {
    const { readModelText } = await import('../../shell/sources');
    return readModelText(fileNameOf(document), document.getText(), heldText);
  }

  /** The reading of the text as it is now, to be used at once: the next reading takes its place. */
  async look(document: vscode.TextDocument): Promise<SourceReading> {
    await this.load();
    const entry = this.entries.get(document.uri.toString());
    return entry?.version === document.version ? entry.reading : this.readNow(document);
  }

  dispose(): void {
    for (const entry of this.entries.values()) {
      clearTimeout(entry.timer);
      entry.source.close();
    }
    for (const subscription of this.subscriptions) subscription.dispose();
    this.read$.dispose();
  }

  private want(document: vscode.TextDocument): void {
    if (!mayHoldModels(document)) return;
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
    const entry = this.entries.get(document.uri.toString());
    if (contentChanges.length === 0) return;
    if (entry === undefined) {
      this.want(document);
      return;
    }
    // The editor gives changes so that each can be applied after the one before.
    for (const { rangeOffset, rangeLength, text } of contentChanges)
      entry.changes.push({ start: rangeOffset, removed: rangeLength, added: text.length });
    clearTimeout(entry.timer);
    entry.timer = setTimeout(() => {
      if (!document.isClosed) this.readNow(document);
    }, pauseFor(entry.readMs));
  }

  private drop(document: vscode.TextDocument): void {
    const key = document.uri.toString();
    const entry = this.entries.get(key);
    if (entry === undefined) return;
    clearTimeout(entry.timer);
    entry.source.close();
    this.entries.delete(key);
    this.read$.fire(document);
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

  private readNow(document: vscode.TextDocument): SourceReading {
    if (this.follow === undefined) throw new RangeError('the parsers are loaded first');
    const key = document.uri.toString();
    const known = this.entries.get(key);
    if (known?.version === document.version) return known.reading;
    clearTimeout(known?.timer);
    const began = performance.now();
    const source = known?.source ?? this.follow(fileNameOf(document));
    const reading = source.read(document.getText());
    const readMs = performance.now() - began;
    this.entries.set(key, { source, reading, version: document.version, changes: [], readMs });
    this.read$.fire(document);
    return reading;
  }
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
