import { readdir } from 'node:fs/promises';
import path from 'node:path';
import * as vscode from 'vscode';
import type { ModelReading } from '../../language';
import { Cancelled } from '../failure';
import { takeAgain, type EditorSource } from '../language/editorSource';

/** The answer to "where is the data": written into the model's hint, or for this run alone. */
export type DataAnswer = { readonly written: true } | { readonly written: false; readonly data: string };

const LIKELY = /data|train|set/i;
/** Modules, and files that `data=` reads by itself. */
const READABLE = /\.(mjs|cjs|js|ts|mts|csv|tsv|arff|parquet|npy|npz|idx|idx3-ubyte)(\.gz)?$/i;

/** Asks for the training data of a model that does not name any. */
export async function askForData(source: EditorSource, model: ModelReading): Promise<DataAnswer> {
  const browse = { label: vscode.l10n.t('$(folder-opened) Browse…'), file: undefined };
  const files = await candidates(source.file);
  const picked = await vscode.window.showQuickPick(
    [...files.map((file) => ({ label: file, file: `./${file}` })), browse],
    {
      title: vscode.l10n.t('Training data of {0}', model.name),
      placeHolder: vscode.l10n.t('A module that exports train = { x, y }, or a data file'),
    },
  );
  if (picked === undefined) throw new Cancelled();
  const data = picked.file ?? (await browseFor(source.file));
  const write = vscode.l10n.t('Write it into the model’s hint');
  const once = vscode.l10n.t('Use it for this run alone');
  const how = await vscode.window.showQuickPick([write, once], {
    placeHolder: vscode.l10n.t('Keep data={0}?', data),
  });
  if (how === undefined) throw new Cancelled();
  if (how === once) return { written: false, data };
  await vscode.workspace.applyEdit(dataEdit(source, model, data));
  await (await takeAgain(source)).save();
  return { written: true };
}

/** The edit that adds `data=` to a model's hint, or a hint above the model. */
export function dataEdit(source: EditorSource, model: ModelReading, data: string): vscode.WorkspaceEdit {
  const edit = new vscode.WorkspaceEdit();
  const value = /[\s"]/.test(data) ? JSON.stringify(data) : data;
  const hint = model.modelHintRange;
  const place = source.placeOf(hint ?? model.range);
  if (place === undefined) return edit;
  const { document, range } = place;
  if (hint !== undefined) {
    const tag = document.positionAt(range.start + '@shrink-model'.length);
    edit.insert(document.uri, tag, ` data=${value}`);
    return edit;
  }
  const line = document.lineAt(document.positionAt(range.start).line);
  const indent = line.text.slice(0, line.firstNonWhitespaceCharacterIndex);
  const mark = document.languageId === 'python' ? '#' : '//';
  const end = document.eol === vscode.EndOfLine.CRLF ? '\r\n' : '\n';
  edit.insert(document.uri, line.range.start, `${indent}${mark} @shrink-model data=${value}${end}`);
  return edit;
}

async function candidates(file: string): Promise<string[]> {
  const names = await readdir(path.dirname(file)).catch(() => []);
  const readable = names.filter((name) => READABLE.test(name) && name !== path.basename(file));
  return readable.sort((a, b) => Number(LIKELY.test(b)) - Number(LIKELY.test(a)) || a.localeCompare(b));
}

async function browseFor(file: string): Promise<string> {
  const folder = path.dirname(file);
  const picked = await vscode.window.showOpenDialog({
    defaultUri: vscode.Uri.file(folder),
    canSelectMany: false,
    openLabel: vscode.l10n.t('Use as Training Data'),
  });
  const chosen = picked?.[0]?.fsPath;
  if (chosen === undefined) throw new Cancelled();
  const relative = path.relative(folder, chosen).split(path.sep).join('/');
  return relative.startsWith('.') || path.isAbsolute(relative) ? relative : `./${relative}`;
}
