import * as vscode from 'vscode';
import type { ReadSite } from '../../language';
import { badInput } from '../../core/errors';
import { Cancelled } from '../failure';
import { sourceOf, type Place } from './editorSource';
import type { PlainReading } from '../reader/messages';
import type { Readings } from './readings';

/** Layers that have a width and no hint yet. */
export function sitesWithoutHint(reading: PlainReading): ReadSite[] {
  return reading.models
    .flatMap((model) => model.sites)
    .filter((site) => site.hint === undefined && site.trace.kind !== 'none');
}

/** The edit that puts `@shrink` on a line of its own above a layer. */
export function hintEdit({ document, range }: Place): vscode.WorkspaceEdit {
  const line = document.lineAt(document.positionAt(range.start).line);
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
  const source = sourceOf(document);
  if (source === undefined) throw new Cancelled();
  const sites = sitesWithoutHint(await readings.ask('read', source, {}));
  if (sites.length === 0)
    throw badInput('no-site', vscode.l10n.t('Every layer in this file has a hint, or there is none.'));
  const { active } = editor.selection;
  const offset = source.offsetOf(document, document.offsetAt(active)) ?? -1;
  const isInLine = ({ range }: ReadSite): boolean => {
    const place = source.placeOf(range);
    return place?.document === document && document.positionAt(place.range.start).line === active.line;
  };
  const site =
    sites.find(({ range }) => range.start <= offset && offset <= range.end) ??
    sites.find(isInLine) ??
    (await pickSite(sites));
  const place = site === undefined ? undefined : source.placeOf(site.range);
  if (place === undefined) throw new Cancelled();
  await vscode.workspace.applyEdit(hintEdit(place));
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
