import path from 'node:path';
import * as vscode from 'vscode';
import { readPlan } from '../../run/runFolder';
import { writeCompactModule } from '../../shell/moduleEmission';
import { readCompactTopology, readRunResult } from '../../shell/results';
import { pickRun, type RunTarget } from '../runs/pickRun';
import type { Services } from '../services';

/** `Emit as Module`: the compact model as a file of its own, for widths that cannot be edited in place. */
export async function emitModuleCommand({ runs }: Services, target: RunTarget | undefined): Promise<void> {
  const question = vscode.l10n.t('Whose compact model shall be written?');
  const run = await pickRun(runs, target, (each) => each.state === 'done', question);
  const plan = await readPlan(run.folder);
  const result = await readRunResult(run.folder);
  const compact = await readCompactTopology(run.folder);
  // The name tells the language; the user chooses another where it is saved.
  const content = writeCompactModule(plan, result, compact, path.basename(plan.file));
  const language = plan.language === 'tsx' ? 'typescriptreact' : plan.language;
  const document = await vscode.workspace.openTextDocument({ language, content });
  await vscode.window.showTextDocument(document, { viewColumn: vscode.ViewColumn.One });
}
