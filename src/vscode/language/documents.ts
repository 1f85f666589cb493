import * as vscode from 'vscode';
import type { Range } from '../../core/errors';

/** Which documents may hold models, and the way from offsets to the editor's positions. */

const LANGUAGES: Readonly<Record<string, string>> = {
  typescript: '.ts',
  typescriptreact: '.tsx',
  javascript: '.js',
  javascriptreact: '.jsx',
  python: '.py',
};

/** Any scheme: hints work in virtual workspaces and in files that were never saved. */
export const MODEL_DOCUMENTS: vscode.DocumentSelector = Object.keys(LANGUAGES).map((language) => ({
  language,
}));

/** Larger documents are not read: nobody writes a model by hand in a megabyte. */
const MOST_CHARACTERS = 1_000_000;

const MENTIONS_MODELS = /@shrink|tensorflow|keras|\btorch\b/i;

/** Whether a source is worth parsing: a quick look that keeps the extension out of everybody's other files. */
export function isWorthReading(source: {
  readonly uri: vscode.Uri;
  readonly text: string;
  readonly documents: readonly vscode.TextDocument[];
}): boolean {
  const { uri, text, documents } = source;
  if (uri.scheme.startsWith('shrinknets-')) return false;
  if (!documents.some((document) => LANGUAGES[document.languageId] !== undefined)) return false;
  return text.length <= MOST_CHARACTERS && MENTIONS_MODELS.test(text);
}

/** A name that tells the language, for documents without a file as well. */
export function fileNameOf(document: vscode.TextDocument): string {
  const extension = LANGUAGES[document.languageId] ?? '';
  return /\.[a-z]+$/i.test(document.fileName) ? document.fileName : document.fileName + extension;
}

export function toRange(document: vscode.TextDocument, range: Range): vscode.Range {
  return new vscode.Range(document.positionAt(range.start), document.positionAt(range.end));
}
