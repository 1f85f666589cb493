import { existsSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import path from 'node:path';
import * as vscode from 'vscode';
import type { Services } from './services';

const FOLDER = 'shrinknets-sample';

/** `Open Sample`: a copy of the sample in the open folder, or in one of its own that is then opened. */
export async function openSampleCommand({ context }: Services): Promise<void> {
  const open = vscode.workspace.workspaceFolders?.find(({ uri }) => uri.scheme === 'file');
  const parent = open?.uri.fsPath ?? context.globalStorageUri.fsPath;
  const folder = path.join(parent, FOLDER);
  // A copy that is there may have been edited: it stays.
  if (!existsSync(folder))
    await cp(path.join(context.extensionPath, 'media', 'sample'), folder, { recursive: true });
  const model = vscode.Uri.file(path.join(folder, 'model.js'));
  if (open !== undefined) await vscode.window.showTextDocument(model);
  else await vscode.commands.executeCommand('vscode.openFolder', vscode.Uri.file(folder), true);
}
