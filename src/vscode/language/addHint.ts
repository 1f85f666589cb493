import * as vscode from 'vscode';
import type { ReadSite, SourceReading } from '../../language';
import { badInput } from '../../core/errors';
import { Cancelled } from '../failure';
import type { Readings } from './readings';

/** Layers that have a width and no hint yet. */
export function sitesWithoutHint(reading: SourceReading): ReadSite[] {
  return reading.models
    .flatMap((model) => model.sites)
    .filter((site) => site.hint === undefined && site.trace.kind !== 'none');
}

/** The edit that puts `@shrink` on a line of its own above a layer. */
export function hintEdit(document: vscode.TextDocument, site: ReadSite): vscode.WorkspaceEdit {
  const line = document.lineAt(document.positionAt(site.range.start).line);
  const indent = line.text.slice(0, line.firstNonWhitespaceCharacterIndex);
  const mark = document.languageId === 'python' ? '#' : '//';
  const end = document.eol === vscode.EndOfLine.CRLF ? '\r\n' : '\n';
  const edit = new vscode.WorkspaceEdit();
  edit.insert(document.uri, line.range.start, `${indent}${mark} @shrink${end}`);
  return edit;
}

/** `Add Shrink Hint`: to the layer at the cursor, or to one that is picked. */
export async function addHintCommand(readings: Readings): Promise<void> {
  const editor = vscode.window.activeTextEditor;
  if (editor === undefined) throw badInput('no-editor', vscode.l10n.t('Open a model file first.'));
  const { document } = editor;
  const sites = sitesWithoutHint(await readings.read(document));
  if (sites.length === 0)
    throw badInput('no-site', vscode.l10n.t('Every layer in this file has a hint, or there is none.'));
  const offset = document.offsetAt(editor.selection.active);
  const site =
    sites.find(({ range }) => range.start <= offset && offset <= range.end) ??
    sites.find((each) => each.line === editor.selection.active.line + 1) ??
    (await pickSite(sites));
  if (site === undefined) throw new Cancelled();
  await vscode.workspace.applyEdit(hintEdit(document, site));
}

async function pickSite(sites: readonly ReadSite[]): Promise<ReadSite | undefined> {
  const items = sites.map((site) => ({
    label: `${site.layerType} ${site.width ?? ''}`.trim(),
    description: vscode.l10n.t('line {0}', site.line),
    site,
  }));
  const picked = await vscode.window.showQuickPick(items, {
    placeHolder: vscode.l10n.t('Which layer shall learn its width?'),
  });
  return picked?.site;
}
