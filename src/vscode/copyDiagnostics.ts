import { arch, cpus, platform, release, totalmem } from 'node:os';
import * as vscode from 'vscode';
import { VERSION } from '../core/version';
import { chosenOptions } from './settings/settings';
import type { Services } from './services';

/** `Copy Diagnostics`: what a bug report needs, without names of files or folders. */
export async function copyDiagnosticsCommand({ runs }: Services): Promise<void> {
  const resource = vscode.workspace.workspaceFolders?.[0]?.uri ?? vscode.Uri.file('/');
  const lines = [
    `ShrinkNets ${VERSION}`,
    `${vscode.env.appName} ${vscode.version}, ${vscode.env.uiKind === vscode.UIKind.Web ? 'web' : 'desktop'}, remote ${vscode.env.remoteName ?? 'none'}`,
    `${platform()} ${release()} ${arch()}, Node.js ${process.versions.node}, Electron ${process.versions['electron'] ?? 'none'}`,
    `${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}, ${Math.round(totalmem() / 2 ** 30)} GB`,
    `trusted ${vscode.workspace.isTrusted}`,
    `settings ${JSON.stringify({ ...chosenOptions(resource), data: undefined, test: undefined, args: undefined })}`,
    ...runs.all
      .slice(0, 5)
      .map((run) => `run ${run.id} ${run.state} ${run.message?.split('\n')[0] ?? ''}`.trimEnd()),
  ];
  await vscode.env.clipboard.writeText(`${lines.join('\n')}\n`);
  await vscode.window.showInformationMessage(vscode.l10n.t('Copied. Read it before you share it.'));
}
