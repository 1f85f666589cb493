import * as vscode from 'vscode';
import type { Range } from '../../core/errors';
import { joinCells } from '../../language/notebook';
import { fileNameOf } from './documents';

/**
 * What is read as one source, as it was at one moment: a document, or a notebook, whose Python cells are joined, so that
 * a model may stand in one cell and its training in another.
 */
export interface EditorSource {
  readonly uri: vscode.Uri;
  /** Name that tells the language; of what is on disk, its path. */
  readonly file: string;
  readonly text: string;
  /** Differs after every change. */
  readonly version: string;
  /** The documents that it consists of. */
  readonly documents: readonly vscode.TextDocument[];
  readonly isNotebook: boolean;
  /** Where a range of the text lies; undefined for one between two cells. */
  placeOf(range: Range): Place | undefined;
  /** Offset in the text of an offset in one of its documents. */
  offsetOf(document: vscode.TextDocument, offset: number): number | undefined;
  /** Saves it if it has changes. */
  save(): Promise<void>;
}

/** A range in a document, as offsets when the source was taken. */
export interface Place {
  readonly document: vscode.TextDocument;
  readonly range: Range;
}

const CELL = 'vscode-notebook-cell';

/** What a document belongs to, under a name that stays. Undefined for a cell whose notebook is gone. */
export function sourceKeyOf(document: vscode.TextDocument): string | undefined {
  return document.uri.scheme === CELL ? notebookOf(document)?.uri.toString() : document.uri.toString();
}

/** The source that a document is or belongs to. Undefined for a cell whose notebook is gone. */
export function sourceOf(document: vscode.TextDocument): EditorSource | undefined {
  if (document.uri.scheme !== CELL) return new DocumentSource(document);
  const notebook = notebookOf(document);
  return notebook === undefined ? undefined : new CellsSource(notebook);
}

/** Opens a file as what it is. @throws what the editor throws where it cannot be opened */
export async function openEditorSource(uri: vscode.Uri): Promise<EditorSource> {
  if (uri.path.toLowerCase().endsWith('.ipynb'))
    return new CellsSource(await vscode.workspace.openNotebookDocument(uri));
  return new DocumentSource(await vscode.workspace.openTextDocument(uri));
}

/** The source as it is now. @throws what the editor throws where it was closed and cannot be opened again */
export async function takeAgain(source: EditorSource): Promise<EditorSource> {
  const [first] = source.documents;
  return (first === undefined ? undefined : sourceOf(first)) ?? openEditorSource(source.uri);
}

/** Shows it in the editor: where it is open already, if it is. */
export async function showSource(source: EditorSource): Promise<void> {
  const viewColumn = columnOf(source.uri);
  if (source.isNotebook) await vscode.commands.executeCommand('vscode.open', source.uri, { viewColumn });
  else await vscode.window.showTextDocument(source.uri, { preview: false, viewColumn });
}

/** Where a file is open, be it behind others; the active column when it is open nowhere. */
export function columnOf(uri: vscode.Uri): vscode.ViewColumn {
  const isIt = ({ input }: vscode.Tab): boolean =>
    (input instanceof vscode.TabInputText || input instanceof vscode.TabInputNotebook) &&
    input.uri.toString() === uri.toString();
  const group = vscode.window.tabGroups.all.find(({ tabs }) => tabs.some(isIt));
  return group?.viewColumn ?? vscode.ViewColumn.Active;
}

/** What tells whether a source changed, without reading it. */
export function sourceVersionOf(document: vscode.TextDocument): string | undefined {
  if (document.uri.scheme !== CELL) return String(document.version);
  const notebook = notebookOf(document);
  return notebook === undefined ? undefined : versionOfCells(notebook);
}

function notebookOf(document: vscode.TextDocument): vscode.NotebookDocument | undefined {
  const isIt = (cell: vscode.NotebookCell): boolean => cell.document === document;
  return vscode.workspace.notebookDocuments.find(
    (notebook) => notebook.uri.path === document.uri.path && notebook.getCells().some(isIt),
  );
}

function versionOfCells(notebook: vscode.NotebookDocument): string {
  return notebook
    .getCells()
    .map(({ document }) => `${document.uri.fragment} ${document.languageId} ${document.version}`)
    .join('\n');
}

class DocumentSource implements EditorSource {
  readonly uri: vscode.Uri;
  readonly file: string;
  readonly text: string;
  readonly version: string;
  readonly documents: readonly [vscode.TextDocument];
  readonly isNotebook = false;

  constructor(document: vscode.TextDocument) {
    this.uri = document.uri;
    this.file = fileNameOf(document);
    this.text = document.getText();
    this.version = String(document.version);
    this.documents = [document];
  }

  placeOf(range: Range): Place {
    return { document: this.documents[0], range };
  }

  offsetOf(_document: vscode.TextDocument, offset: number): number {
    return offset;
  }

  async save(): Promise<void> {
    if (this.documents[0].isDirty) await this.documents[0].save();
  }
}

class CellsSource implements EditorSource {
  readonly uri: vscode.Uri;
  readonly file: string;
  readonly text: string;
  readonly version: string;
  readonly documents: readonly vscode.TextDocument[];
  readonly isNotebook = true;
  private readonly joined: ReturnType<typeof joinCells>;

  constructor(private readonly notebook: vscode.NotebookDocument) {
    const cells = notebook.getCells();
    this.uri = notebook.uri;
    this.file = /\.ipynb$/i.test(notebook.uri.fsPath) ? notebook.uri.fsPath : `${notebook.uri.fsPath}.ipynb`;
    this.version = versionOfCells(notebook);
    this.documents = cells.map((cell) => cell.document);
    this.joined = joinCells(
      cells.map(({ kind, document }) => ({
        isPython: kind === vscode.NotebookCellKind.Code && document.languageId === 'python',
        text: document.getText(),
      })),
    );
    this.text = this.joined.text;
  }

  placeOf(range: Range): Place | undefined {
    const place = this.joined.inCell(range);
    const document = place === undefined ? undefined : this.documents[place.cell];
    return place === undefined || document === undefined ? undefined : { document, range: place.range };
  }

  offsetOf(document: vscode.TextDocument, offset: number): number | undefined {
    return this.joined.offsetOf(this.documents.indexOf(document), offset);
  }

  async save(): Promise<void> {
    if (this.notebook.isDirty) await this.notebook.save();
  }
}
