import * as vscode from 'vscode';
import { badInput } from '../../core/errors';
import type { RunSummary } from '../../run/listRuns';
import { readPlan } from '../../run/runFolder';
import { readCompactTopology, readRunResult, resultAt, topologyAt } from '../../shell/results';
import { requireTrust } from '../failure';
import { openEditorSource, type EditorSource } from '../language/editorSource';
import { pickRun, type RunTarget } from '../runs/pickRun';
import type { Services } from '../services';
import { backendSettings } from '../settings/settings';

/** `budget`: the size of the path that is wanted instead of the chosen one. */
export type EmitTarget = RunTarget & { readonly budget?: number };

/** `Emit Compact Architecture`: plans and checks the edits, then shows them. */
export async function emitCommand(services: Services, target: EmitTarget | undefined): Promise<void> {
  requireTrust();
  const { runs, readings, emissions } = services;
  const run = await pickRun(runs, target, isDone, vscode.l10n.t('Whose widths shall be written?'));
  const source = await openSource(run);
  const emission = await vscode.window.withProgress(
    {
      location: vscode.ProgressLocation.Window,
      title: vscode.l10n.t('Checking that the edited source makes the learned model'),
    },
    async () => {
      const plan = await readPlan(run.folder);
      const result = await readRunResult(run.folder);
      const compact = await readCompactTopology(run.folder);
      const { env, nodePath } = backendSettings();
      const starter = {
        ...(env === undefined ? {} : { env }),
        ...(nodePath === undefined ? {} : { nodePath }),
      };
      const index = result.points.findIndex((point) => point.budget === target?.budget);
      const point = result.points[index];
      if (target?.budget !== undefined && point === undefined)
        throw badInput('no-such-size', vscode.l10n.t('The run has no such size.'));
      const wanted =
        point === undefined
          ? { result, compact }
          : { result: resultAt(result, index), compact: topologyAt(compact, point) };
      return readings.ask('emit', source, { plan, starter, ...wanted });
    },
  );
  await emissions.show(emission, source);
}

/** `Revert Emitted Widths`: puts the widths from before training back, also after a save or other edits. */
export async function revertCommand(services: Services, target: RunTarget | undefined): Promise<void> {
  const { runs, readings, emissions } = services;
  const run = await pickRun(runs, target, isDone, vscode.l10n.t('Whose widths shall be taken back?'));
  const source = await openSource(run);
  const plan = await readPlan(run.folder);
  const result = await readRunResult(run.folder);
  const emission = await readings.ask('revert', source, { plan, result });
  await emissions.show(emission, source);
}

function isDone(run: RunSummary): boolean {
  return run.state === 'done';
}

async function openSource(run: RunSummary): Promise<EditorSource> {
  try {
    return await openEditorSource(vscode.Uri.file(run.file));
  } catch (thrown) {
    throw badInput(
      'file-missing',
      vscode.l10n.t('{0} cannot be opened; was it moved or deleted since training?', run.file),
      thrown,
    );
  }
}
