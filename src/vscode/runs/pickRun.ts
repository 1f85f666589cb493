import path from 'node:path';
import * as vscode from 'vscode';
import { badInput } from '../../core/errors';
import type { RunState, RunSummary } from '../../run/listRuns';
import { Cancelled } from '../failure';
import { sourceOf } from '../language/editorSource';
import type { RunStore } from './runStore';

/** What menus, lenses and the panel pass to commands on a run. */
export interface RunTarget {
  readonly folder?: string;
}

export function describeState(state: RunState): string {
  switch (state) {
    case 'running':
      return vscode.l10n.t('running');
    case 'stopped':
      return vscode.l10n.t('stopped');
    case 'done':
      return vscode.l10n.t('done');
    case 'failed':
      return vscode.l10n.t('failed');
    case 'interrupted':
      return vscode.l10n.t('interrupted');
  }
}

/** The run a command is about: the given one, the newest of the open file, or one that is picked. */
export async function pickRun(
  runs: RunStore,
  target: RunTarget | undefined,
  fits: (run: RunSummary) => boolean,
  question: string,
): Promise<RunSummary> {
  await runs.refresh();
  if (typeof target?.folder === 'string') {
    const { describeRun } = await import('../../run/listRuns');
    return runs.find(target.folder) ?? describeRun(target.folder);
  }
  const fitting = runs.all.filter(fits);
  const active = vscode.window.activeTextEditor?.document;
  const file = active === undefined ? undefined : sourceOf(active)?.file;
  const ofFile = fitting.filter((run) => run.file === file);
  const [only] = ofFile.length > 0 ? ofFile : fitting;
  if (only === undefined)
    throw badInput('no-run', vscode.l10n.t('There is no run for this. Train a model first.'));
  if (ofFile.length > 0 || fitting.length === 1) return only;
  const picked = await vscode.window.showQuickPick(fitting.map(runItem), { placeHolder: question });
  if (picked === undefined) throw new Cancelled();
  return picked.run;
}

export function runItem(run: RunSummary): vscode.QuickPickItem & { readonly run: RunSummary } {
  return {
    label: run.model,
    description: `${describeState(run.state)} · ${new Date(run.startedAt).toLocaleString()}`,
    detail: `${path.basename(run.file)} · ${run.id}`,
    run,
  };
}
