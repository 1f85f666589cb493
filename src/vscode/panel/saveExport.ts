import path from 'node:path';
import * as vscode from 'vscode';
import type { FromPanel } from '../../protocol/webview';

/** Asks where an export of the panel shall go, and writes it there. */
export async function saveExport(
  message: Extract<FromPanel, { type: 'export' }>,
  folder: string,
): Promise<void> {
  const { format, content } = message;
  const name = `${message.name.replace(/[^\w.-]+/g, '-').slice(0, 80)}.${format}`;
  const start = vscode.workspace.workspaceFolders?.[0]?.uri.fsPath ?? path.dirname(folder);
  const file = await vscode.window.showSaveDialog({
    defaultUri: vscode.Uri.file(path.join(start, name)),
    filters: { [format.toUpperCase()]: [format] },
  });
  if (file === undefined) return;
  await vscode.workspace.fs.writeFile(file, Buffer.from(content, format === 'png' ? 'base64' : 'utf8'));
}
