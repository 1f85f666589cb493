import { mkdir } from 'node:fs/promises';
import * as vscode from 'vscode';
import { askBackend } from '../client/query';
import { MODEL_OPTIONS } from '../core/options';
import { requireTrust } from './failure';
import { backendSettings } from './settings/settings';
import type { Services } from './services';

const AUTO = MODEL_OPTIONS.find(({ key }) => key === 'engine')?.default ?? 'auto';

/** `Select Engine`: what can compute here, and what the others lack. */
export async function selectEngineCommand(): Promise<void> {
  requireTrust();
  const engines = await vscode.window.withProgress(
    { location: vscode.ProgressLocation.Window, title: vscode.l10n.t('Looking for engines') },
    () => askBackend({ kind: 'engines' }, backendSettings()),
  );
  const settings = vscode.workspace.getConfiguration('shrinknets');
  const current = settings.get<string>('engine', AUTO);
  const mark = (name: string): string => (name === current ? `$(check) ${name}` : name);
  const items = [
    {
      name: AUTO,
      label: mark(AUTO),
      description: vscode.l10n.t('the fastest that works here'),
      available: true,
    },
    ...engines.map((engine) => ({
      name: engine.name,
      label: engine.available ? mark(engine.name) : `$(circle-slash) ${engine.name}`,
      description: engine.available
        ? `${engine.device} · ${engine.version}`
        : [engine.missing, engine.install].filter((part) => part !== null).join(' · '),
      available: engine.available,
    })),
  ];
  const picked = await vscode.window.showQuickPick(items, {
    placeHolder: vscode.l10n.t('What shall compute?'),
    matchOnDescription: true,
  });
  if (picked === undefined) return;
  if (!picked.available) {
    await vscode.window.showInformationMessage(
      vscode.l10n.t('{0} cannot run here: {1}', picked.name, picked.description),
    );
    return;
  }
  const target =
    vscode.workspace.workspaceFolders === undefined
      ? vscode.ConfigurationTarget.Global
      : vscode.ConfigurationTarget.Workspace;
  await settings.update('engine', picked.name === AUTO ? undefined : picked.name, target);
}

/** Engines that npm can install for every platform. */
const INSTALLABLE = ['onnxruntime-node', '@tensorflow/tfjs-node'];

/** `Install Native Engine`: runs npm in a terminal where the user sees what it does; in the project if there is one. */
export async function installEngineCommand({ context }: Services): Promise<void> {
  requireTrust();
  const name = await vscode.window.showQuickPick(INSTALLABLE, {
    placeHolder: vscode.l10n.t('Which engine? npm downloads it into your project.'),
  });
  if (name === undefined) return;
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri ?? context.globalStorageUri;
  if (folder.scheme === 'file') await mkdir(folder.fsPath, { recursive: true });
  const terminal = vscode.window.createTerminal({ name: vscode.l10n.t('Install {0}', name), cwd: folder });
  terminal.show();
  terminal.sendText(`npm install --no-save ${name}`);
}
