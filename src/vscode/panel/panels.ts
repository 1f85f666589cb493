import path from 'node:path';
import * as vscode from 'vscode';
import { messageOf } from '../../core/errors';
import type { LiveRun, RunStore } from '../runs/runStore';
import { inBackground } from '../failure';
import { panelHtml } from './html';
import { PanelFeed } from './panelFeed';

const VIEW_TYPE = 'shrinknets.panel';

/** The panels: one for a run, each a view of its folder that can be made again at any time. */
export class Panels implements vscode.Disposable {
  private readonly open$ = new Map<vscode.WebviewPanel, PanelFeed>();
  private readonly serializer: vscode.Disposable;

  constructor(
    private readonly context: vscode.ExtensionContext,
    private readonly runs: RunStore,
    private readonly log: vscode.LogOutputChannel,
  ) {
    this.serializer = vscode.window.registerWebviewPanelSerializer(VIEW_TYPE, {
      deserializeWebviewPanel: (panel, state: unknown) => {
        const folder = folderOf(state);
        // The page keeps the state: it cannot name other folders than those of runs.
        const isKept = folder !== undefined && runs.keeps(folder) && this.find(folder) === undefined;
        if (!isKept) panel.dispose();
        else this.fill(panel, folder);
        return Promise.resolve();
      },
    });
  }

  /** Shows the panel of a run; the source keeps the focus if it is opened beside it. */
  open(folder: string, preserveFocus = false): void {
    const known = this.find(folder);
    if (known !== undefined) {
      known.reveal(undefined, preserveFocus);
      return;
    }
    const title = vscode.l10n.t('ShrinkNets: {0}', this.runs.find(folder)?.model ?? path.basename(folder));
    const column =
      vscode.window.activeTextEditor === undefined ? vscode.ViewColumn.Active : vscode.ViewColumn.Beside;
    const panel = vscode.window.createWebviewPanel(
      VIEW_TYPE,
      title,
      { viewColumn: column, preserveFocus },
      {},
    );
    this.fill(panel, folder);
  }

  /** Opens the panel of a run once its model is there; input that cannot be used opens none. */
  openWhenTraining(live: LiveRun): void {
    if (live.view.layers.length > 0) {
      this.open(live.folder, true);
      return;
    }
    const subscription = this.runs.onDidChangeRun((folder) => {
      if (folder !== live.folder || live.view.layers.length === 0) return;
      subscription.dispose();
      this.open(folder, true);
    });
    inBackground(
      this.log,
      'open a panel',
      live.ended.finally(() => void subscription.dispose()),
    );
  }

  dispose(): void {
    this.serializer.dispose();
    for (const panel of this.open$.keys()) panel.dispose();
  }

  private find(folder: string): vscode.WebviewPanel | undefined {
    return [...this.open$].find(([, feed]) => feed.folder === folder)?.[0];
  }

  private fill(panel: vscode.WebviewPanel, folder: string): void {
    const root = this.context.extensionUri;
    panel.webview.options = {
      enableScripts: true,
      localResourceRoots: [vscode.Uri.joinPath(root, 'dist', 'webview')],
    };
    panel.iconPath = vscode.Uri.joinPath(root, 'media', 'icon.png');
    const feed = new PanelFeed(panel, folder, this.runs, this.log);
    this.open$.set(panel, feed);
    panel.onDidDispose(() => {
      feed.dispose();
      this.open$.delete(panel);
    });
    try {
      panel.webview.html = panelHtml(panel.webview, root, folder);
    } catch (thrown) {
      this.log.error(messageOf(thrown));
    }
  }
}

function folderOf(state: unknown): string | undefined {
  if (typeof state !== 'object' || state === null || !('folder' in state)) return undefined;
  return typeof state.folder === 'string' ? state.folder : undefined;
}
