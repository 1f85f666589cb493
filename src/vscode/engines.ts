import * as vscode from 'vscode';
import { askBackend } from '../client/query';
import { MODEL_OPTIONS } from '../core/optionTable';
import { engineParts } from '../shell/engineText';
import { installOnnxRuntime } from '../shell/installEngine/install';
import { requireTrust } from './failure';
import { backendSettings, engineHomeOf } from './settings/settings';
import type { Services } from './services';

const AUTO = MODEL_OPTIONS.find(({ key }) => key === 'engine')?.default ?? 'auto';

/** The engine that {@link installEngineCommand} gets. */
const INSTALLABLE = 'onnxruntime';

/** `Select Engine`: what can compute here, and what the others lack. */
export async function selectEngineCommand(services: Services): Promise<void> {
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
        ? engineParts(engine).join(' · ')
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
    const install = vscode.l10n.t('Install');
    const chosen = await vscode.window.showInformationMessage(
      vscode.l10n.t('{0} cannot run here: {1}', picked.name, picked.description),
      ...(picked.name === INSTALLABLE ? [install] : []),
    );
    if (chosen === install) await installEngineCommand(services);
    return;
  }
  const target =
    vscode.workspace.workspaceFolders === undefined
      ? vscode.ConfigurationTarget.Global
      : vscode.ConfigurationTarget.Workspace;
  await settings.update('engine', picked.name === AUTO ? undefined : picked.name, target);
}

/** `Install Native Engine`: ONNX Runtime for this machine, into the extension's own folder. */
export async function installEngineCommand({ context }: Pick<Services, 'context'>): Promise<void> {
  requireTrust();
  const { folder, fresh } = await vscode.window.withProgress(
    {
      location: vscode.ProgressLocation.Notification,
      title: vscode.l10n.t('Installing ONNX Runtime'),
      cancellable: true,
    },
    (progress, token) => {
      const stop = new AbortController();
      token.onCancellationRequested(() => stop.abort());
      let told = 0;
      return installOnnxRuntime({
        home: engineHomeOf(context),
        signal: stop.signal,
        onProgress: (message, share) => {
          progress.report({ message, increment: (share - told) * 100 });
          told = share;
        },
      });
    },
  );
  await vscode.window.showInformationMessage(
    fresh
      ? vscode.l10n.t('ONNX Runtime is installed; the next run can use it.')
      : vscode.l10n.t('ONNX Runtime is installed already ({0}).', folder),
  );
}
