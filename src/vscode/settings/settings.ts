import path from 'node:path';
import * as vscode from 'vscode';
import { MODEL_OPTIONS } from '../../core/optionTable';
import type { BackendSettings } from '../../client/spawnBackend';
import { engineEnvironment } from '../../shell/installEngine/install';
import { backendScript } from '../../shell/programs';

/** Settings of the user, read when they are needed. */

/** Options that somebody set, as text by key; defaults of the manifest are those of the options anyway. */
export function chosenOptions(resource: vscode.Uri): Record<string, string> {
  const settings = vscode.workspace.getConfiguration('shrinknets', resource);
  const chosen: Record<string, string> = {};
  for (const { key } of MODEL_OPTIONS) {
    const known = settings.inspect<unknown>(key);
    const value = known?.workspaceFolderValue ?? known?.workspaceValue ?? known?.globalValue;
    if (typeof value === 'string' ? value !== '' : typeof value === 'number') chosen[key] = String(value);
  }
  return chosen;
}

export function isOn(
  name: 'openPanel' | 'codeLens' | 'inlayHints',
  resource?: vscode.ConfigurationScope,
): boolean {
  return vscode.workspace.getConfiguration('shrinknets', resource).get<boolean>(name, name !== 'inlayHints');
}

/** Where `Install Native Engine` puts engines: not the user's project, and gone with the extension. */
export function engineHomeOf(context: vscode.ExtensionContext): string {
  return path.join(context.globalStorageUri.fsPath, 'engines');
}

let engineHome: string | undefined;

/** Known once the extension is activated. */
export function setEngineHome(folder: string): void {
  engineHome = folder;
}

/** How this editor starts the training program: a process of its own that outlives the window. */
export function backendSettings(): BackendSettings {
  const settings = vscode.workspace.getConfiguration('shrinknets');
  const nodePath = settings.get<string>('nodePath', '').trim();
  const memory = settings.get<number>('maxMemory', 0);
  // The desktop editor's program is Electron, which is a Node.js only if it is told to.
  const electron = nodePath === '' && process.versions['electron'] !== undefined;
  return {
    backendScript: backendScript(),
    owner: 'detached',
    ...(nodePath === '' ? {} : { nodePath }),
    ...(memory > 0 ? { execArgv: [`--max-old-space-size=${memory}`] } : {}),
    env: {
      ...(electron ? { ELECTRON_RUN_AS_NODE: '1' } : {}),
      ...(engineHome === undefined ? {} : engineEnvironment(engineHome)),
    },
  };
}
