import * as vscode from 'vscode';
import { writeModule, type ModuleLibrary } from '../../language';
import { readPlan } from '../../run/runFolder';
import { readCompactTopology, readRunResult } from '../../shell/results';
import { Cancelled } from '../failure';
import { pickRun, type RunTarget } from '../runs/pickRun';
import type { Services } from '../services';

/** `Emit as Module`: the compact model as a file of its own, for widths that cannot be edited in place. */
export async function emitModuleCommand({ runs }: Services, target: RunTarget | undefined): Promise<void> {
  const question = vscode.l10n.t('Whose compact model shall be written?');
  const run = await pickRun(runs, target, (each) => each.state === 'done', question);
  const plan = await readPlan(run.folder);
  const result = await readRunResult(run.folder);
  const topology = await readCompactTopology(run.folder);
  const library = plan.language === 'python' ? await pickLibrary() : 'tfjs';
  const typescript = plan.language === 'typescript' || plan.language === 'tsx';
  const content = writeModule(topology, {
    library,
    typescript,
    model: plan.model,
    hintOf: (layer) => {
      const id = result.layers.find((each) => each.name === layer)?.siteId;
      const hint = typeof id === 'number' ? plan.sites[id]?.hint : undefined;
      if (hint === undefined) return undefined;
      const { off, ...keys } = hint;
      const words = Object.entries(keys).map(([key, value]) => `${key}=${value}`);
      return ['@shrink', ...(off === true ? ['off'] : words)].join(' ');
    },
  });
  const language = library === 'tfjs' ? (typescript ? 'typescript' : 'javascript') : 'python';
  const document = await vscode.workspace.openTextDocument({ language, content });
  await vscode.window.showTextDocument(document, { viewColumn: vscode.ViewColumn.One });
}

async function pickLibrary(): Promise<ModuleLibrary> {
  const picked = await vscode.window.showQuickPick(
    [
      { label: 'Keras', library: 'keras' as const },
      { label: 'PyTorch', library: 'torch' as const },
    ],
    { placeHolder: vscode.l10n.t('For which library?') },
  );
  if (picked === undefined) throw new Cancelled();
  return picked.library;
}
