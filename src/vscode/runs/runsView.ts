import path from 'node:path';
import * as vscode from 'vscode';
import type { RunState, RunSummary } from '../../run/listRuns';
import { megabytes } from '../../shell/format';
import { describeState } from './pickRun';
import { isResumable, type RunStore } from './runStore';

const ICONS: Readonly<Record<RunState, string>> = {
  running: 'sync~spin',
  stopped: 'debug-pause',
  done: 'pass',
  failed: 'error',
  interrupted: 'debug-disconnect',
};

/** One run in the tree. Commands of its menu get it, and read its folder. */
export class RunItem extends vscode.TreeItem {
  readonly folder: string;

  constructor(run: RunSummary, runs: RunStore) {
    super(run.model, vscode.TreeItemCollapsibleState.None);
    const pinned = runs.isPinned(run.folder);
    this.folder = run.folder;
    this.id = run.folder;
    const state = describeState(run.state);
    const when = new Date(run.startedAt).toLocaleString();
    const { sweep } = run;
    const trial = sweep === undefined ? '' : `λ ${sweep.lambdas[sweep.trial]} · `;
    const size = megabytes(run.sizeBytes);
    this.description = `${trial}${state} · ${when} · ${size}`;
    this.iconPath = new vscode.ThemeIcon(pinned ? 'pinned' : ICONS[run.state]);
    this.contextValue = [
      'run',
      run.state,
      run.state === 'running' ? '' : 'ended',
      isResumable(run, runs.all) ? 'resumable' : '',
      pinned ? 'pinned' : 'unpinned',
    ].join(' ');
    const lines = [
      path.basename(run.file),
      run.id,
      size,
      ...(run.message === undefined ? [] : [run.message]),
    ];
    this.tooltip = lines.join('\n');
    this.accessibilityInformation = { label: `${run.model}, ${state}, ${when}` };
    this.command = {
      command: 'shrinknets.openPanel',
      title: vscode.l10n.t('Open Panel'),
      arguments: [{ folder: run.folder }],
    };
  }
}

/** The list of runs, and the contexts that decide which commands are offered. */
export function registerRunsView(runs: RunStore): vscode.Disposable {
  const changed = new vscode.EventEmitter<undefined>();
  const provider: vscode.TreeDataProvider<RunItem> = {
    onDidChangeTreeData: changed.event,
    getTreeItem: (item) => item,
    getChildren: (item) => (item === undefined ? runs.all.map((run) => new RunItem(run, runs)) : []),
  };
  const view = vscode.window.createTreeView('shrinknets.runs', { treeDataProvider: provider });
  const update = (): void => {
    changed.fire(undefined);
    const states = runs.all.map((run) => run.state);
    const running = runs.live.length;
    setContext('hasRuns', states.length > 0 || running > 0);
    setContext('running', states.includes('running') || running > 0);
    setContext(
      'resumable',
      runs.all.some((run) => isResumable(run, runs.all)),
    );
    setContext('learned', states.includes('done'));
    view.badge = running === 0 ? undefined : { value: running, tooltip: vscode.l10n.t('Runs in training') };
  };
  return vscode.Disposable.from(changed, view, runs.onDidChangeList(update));
}

export function setContext(name: string, value: boolean): void {
  void vscode.commands.executeCommand('setContext', `shrinknets.${name}`, value);
}
