import path from 'node:path';
import * as vscode from 'vscode';
import { killRun, stopRun } from '../../client/runs';
import { resumeRunOrSweep } from '../../client/sweeps';
import { deleteRun, pruneRun } from '../../run/prune';
import { megabytes } from '../../shell/format';
import { Cancelled, requireTrust } from '../failure';
import { backendSettings, isOn } from '../settings/settings';
import type { Services } from '../services';
import { showTraining } from '../train/showTraining';
import { describeState, pickRun, runItem, type RunTarget } from './pickRun';
import { isResumable } from './runStore';

/** Commands on runs. Each takes the run that a menu, lens or panel names, or asks. */

type Target = RunTarget | undefined;

export async function stopCommand({ runs }: Services, target: Target): Promise<void> {
  const run = await pickRun(
    runs,
    target,
    (each) => each.state === 'running',
    vscode.l10n.t('Which run shall stop?'),
  );
  await vscode.window.withProgress(
    {
      location: vscode.ProgressLocation.Window,
      title: vscode.l10n.t('Stopping {0}: keeping what was learned', run.model),
    },
    () => stopRun(run.folder),
  );
  await runs.refresh();
}

export async function killCommand({ runs }: Services, target: Target): Promise<void> {
  const run = await pickRun(
    runs,
    target,
    (each) => each.state === 'running',
    vscode.l10n.t('Which run shall be ended?'),
  );
  const kill = vscode.l10n.t('Kill');
  const message = vscode.l10n.t('End {0} at once? It can be resumed from its last checkpoint.', run.model);
  if ((await vscode.window.showWarningMessage(message, { modal: true }, kill)) !== kill)
    throw new Cancelled();
  await killRun(run.folder);
  await runs.refresh();
}

export async function resumeCommand(services: Services, target: Target): Promise<void> {
  requireTrust();
  const { runs, panels } = services;
  const question = vscode.l10n.t('Which run shall go on?');
  const run = await pickRun(runs, target, (each) => isResumable(each, runs.all), question);
  const live = await runs.adopt(await resumeRunOrSweep(run.folder, backendSettings()));
  if (isOn('openPanel')) panels.openWhenTraining(live);
  showTraining(services, live, run.model);
}

export async function openPanelCommand({ runs, panels }: Services, target: Target): Promise<void> {
  const run = await pickRun(runs, target, () => true, vscode.l10n.t('Which run shall be shown?'));
  panels.open(run.folder);
}

export async function deleteRunCommand({ runs }: Services, target: Target): Promise<void> {
  const run = await pickRun(
    runs,
    target,
    (each) => each.state !== 'running',
    vscode.l10n.t('Which run shall be deleted?'),
  );
  const remove = vscode.l10n.t('Delete');
  const message = vscode.l10n.t(
    'Delete the run {0} with its checkpoints and weights? This cannot be undone.',
    run.id,
  );
  if ((await vscode.window.showWarningMessage(message, { modal: true }, remove)) !== remove)
    throw new Cancelled();
  await deleteRun(run.folder);
  runs.forget(run.folder);
  await runs.refresh();
}

/** `Free Disk Space of Run`: deletes the checkpoints that resuming does not need. */
export async function pruneRunCommand({ runs }: Services, target: Target): Promise<void> {
  const question = vscode.l10n.t('Whose old checkpoints shall be deleted?');
  const run = await pickRun(runs, target, (each) => each.state !== 'running', question);
  const freed = megabytes(await pruneRun(run.folder));
  await runs.refresh();
  const message =
    run.state === 'done'
      ? vscode.l10n.t('{0}: {1} given back; its result and weights are kept.', run.id, freed)
      : vscode.l10n.t('{0}: {1} given back; it can still be resumed.', run.id, freed);
  void vscode.window.showInformationMessage(message);
}

export async function openRunFolderCommand({ runs }: Services, target: Target): Promise<void> {
  const run = await pickRun(runs, target, () => true, vscode.l10n.t('Whose folder?'));
  await vscode.commands.executeCommand('revealFileInOS', vscode.Uri.file(run.folder));
}

export async function openRunSourceCommand({ runs }: Services, target: Target): Promise<void> {
  const run = await pickRun(runs, target, () => true, vscode.l10n.t('Whose model file?'));
  // Not as text: it may be a notebook.
  await vscode.commands.executeCommand('vscode.open', vscode.Uri.file(run.file), vscode.ViewColumn.One);
}

export async function pinCommand({ runs }: Services, target: Target, pinned: boolean): Promise<void> {
  if (target?.folder !== undefined) await runs.pin(target.folder, pinned);
}

/** `Show Run Actions`: what the status bar opens. */
export async function runActionsCommand({ runs }: Services, target: Target): Promise<void> {
  const run = await pickRun(runs, target, () => true, vscode.l10n.t('Which run?'));
  const actions = [
    { label: vscode.l10n.t('$(graph-line) Open Panel'), command: 'shrinknets.openPanel', fits: true },
    {
      label: vscode.l10n.t('$(debug-stop) Stop, keep what was learned'),
      command: 'shrinknets.stop',
      fits: run.state === 'running',
    },
    { label: vscode.l10n.t('$(error) Kill'), command: 'shrinknets.kill', fits: run.state === 'running' },
    {
      label: vscode.l10n.t('$(debug-continue) Resume'),
      command: 'shrinknets.resume',
      fits: isResumable(run, runs.all),
    },
    {
      label: vscode.l10n.t('$(edit) Emit Compact Architecture'),
      command: 'shrinknets.emit',
      fits: run.state === 'done',
    },
    {
      label: vscode.l10n.t('$(go-to-file) Open Model File'),
      command: 'shrinknets.openRunSource',
      fits: true,
    },
    { label: vscode.l10n.t('$(output) Show Log'), command: 'shrinknets.showLog', fits: true },
  ].filter(({ fits }) => fits);
  const picked = await vscode.window.showQuickPick(actions, {
    placeHolder: `${run.model} · ${describeState(run.state)} · ${run.id}`,
  });
  if (picked !== undefined) await vscode.commands.executeCommand(picked.command, { folder: run.folder });
}

/** `Compare Runs`: a table of the runs of one model, or of those that are picked. */
export async function compareRunsCommand({ runs }: Services, target: Target): Promise<void> {
  await runs.refresh();
  const of = target?.folder === undefined ? undefined : runs.find(target.folder);
  const offered = runs.all.filter(
    (run) => of === undefined || (run.file === of.file && run.model === of.model),
  );
  const picked = await vscode.window.showQuickPick(
    offered.map((run) => ({ ...runItem(run), picked: true })),
    { canPickMany: true, placeHolder: vscode.l10n.t('Which runs shall be compared?') },
  );
  if (picked === undefined || picked.length === 0) throw new Cancelled();
  const { compareTable } = await import('./compareTable');
  const content = await compareTable(
    runs,
    picked.map(({ run }) => run),
  );
  const document = await vscode.workspace.openTextDocument({ language: 'markdown', content });
  await vscode.commands.executeCommand('markdown.showPreview', document.uri);
}

/** `Export Run`: its journal and result as one JSON file. */
export async function exportRunCommand({ runs }: Services, target: Target): Promise<void> {
  const run = await pickRun(runs, target, () => true, vscode.l10n.t('Which run shall be exported?'));
  const { readJournal } = await import('../../run/journal');
  const { events } = await readJournal(run.folder);
  const name = `${run.id}.json`;
  const file = await vscode.window.showSaveDialog({
    defaultUri: vscode.Uri.file(path.join(path.dirname(run.file), name)),
    filters: { JSON: ['json'] },
  });
  if (file === undefined) throw new Cancelled();
  const { folder: _folder, ...summary } = run;
  const content = `${JSON.stringify({ run: summary, events }, null, 1)}\n`;
  await vscode.workspace.fs.writeFile(file, Buffer.from(content));
}
