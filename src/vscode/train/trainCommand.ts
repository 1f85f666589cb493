import path from 'node:path';
import * as vscode from 'vscode';
import type { RunHandle } from '../../client/runHandle';
import { startRun, type StartSettings } from '../../client/runs';
import { startSweep } from '../../client/sweeps';
import { badInput, messageOf } from '../../core/errors';
import { DEFAULT_LAMBDAS, parseLambdas } from '../../core/sweep';
import { runsFolderFor } from '../../run/paths';
import { resolveRunOptions } from '../../shell/runOptions';
import { sweepMode } from '../../shell/sweepMode';
import { Cancelled, requireTrust } from '../failure';
import { sourceOf, takeAgain, type EditorSource } from '../language/editorSource';
import type { PlainReading } from '../reader/messages';
import { backendSettings, chosenOptions, isOn } from '../settings/settings';
import type { Services } from '../services';
import { askForData } from './askForData';
import { showTraining } from './showTraining';

/** What a lens or another command passes; both parts are optional, since the palette passes nothing. */
export interface TrainTarget {
  readonly uri?: string;
  readonly model?: string;
}

/** `Train Model`: reads the document as it stands, plans, and trains in a process that outlives the window. */
export async function trainCommand(services: Services, target: TrainTarget | undefined): Promise<void> {
  const { source, settings } = await prepareTraining(services, target);
  const handle = await startRun(settings);
  await showRun(services, handle, settings, source);
}

/** `Sweep λ`: the same with one λ after the other, each in a run of its own that the one before starts. */
export async function sweepCommand(services: Services, target: TrainTarget | undefined): Promise<void> {
  const { source, settings } = await prepareTraining(services, target);
  const lambdas = await askForLambdas(settings.plan.model);
  const options = { ...settings.options, mode: sweepMode(settings.options) };
  const handle = await startSweep({ ...settings, options, lambdas });
  await showRun(services, handle, settings, source);
}

async function showRun(
  services: Services,
  handle: RunHandle,
  { plan }: StartSettings,
  source: EditorSource,
): Promise<void> {
  services.log.info(`${handle.run}: training ${plan.model} of ${plan.file}`);
  const live = await services.runs.adopt(handle);
  if (isOn('openPanel', source.uri)) services.panels.openWhenTraining(live);
  showTraining(services, live, plan.model);
}

async function prepareTraining(
  services: Services,
  target: TrainTarget | undefined,
): Promise<{ readonly source: EditorSource; readonly settings: StartSettings }> {
  requireTrust();
  const source = await findSource(target);
  await source.save();
  const reading = await services.readings.ask('read', source, {});
  const name = target?.model ?? (await pickModel(reading));
  const wanted = name === undefined ? {} : { model: name };
  let plan = await services.readings.ask('plan', source, wanted);
  const chosen = chosenOptions(source.uri);
  const given: Record<string, string> = {};
  const model = reading.models.find((each) => each.name === plan.model);
  if (model !== undefined && plan.modelHint['data'] === undefined && chosen['data'] === undefined) {
    const answer = await askForData(source, model);
    if (answer.written) plan = await services.readings.ask('plan', await takeAgain(source), wanted);
    else given['data'] = answer.data;
  }
  const options = resolveRunOptions(plan, [
    { name: (key) => vscode.l10n.t('The setting shrinknets.{0}', key), values: chosen },
    { name: (key) => `${plan.file}: ${key}`, values: plan.modelHint },
    { name: (key) => key, values: given },
  ]);
  const runsFolder = runsFolderFor(plan.file);
  return { source, settings: { ...backendSettings(), runsFolder, plan, options } };
}

async function askForLambdas(model: string): Promise<number[]> {
  const shown = vscode.l10n.t('The list');
  const answer = await vscode.window.showInputBox({
    title: vscode.l10n.t('Sweep λ of {0}', model),
    prompt: vscode.l10n.t('Strengths of the penalty; the model is trained once with each, in this order.'),
    value: DEFAULT_LAMBDAS,
    validateInput: (text) => {
      try {
        parseLambdas(text, shown);
        return undefined;
      } catch (thrown) {
        return messageOf(thrown);
      }
    },
  });
  if (answer === undefined) throw new Cancelled();
  return parseLambdas(answer, shown);
}

async function findSource(target: TrainTarget | undefined): Promise<EditorSource> {
  const document =
    target?.uri === undefined
      ? vscode.window.activeTextEditor?.document
      : await vscode.workspace.openTextDocument(vscode.Uri.parse(target.uri));
  const source = document === undefined ? undefined : sourceOf(document);
  if (source === undefined) throw badInput('no-editor', vscode.l10n.t('Open a model file first.'));
  if (source.uri.scheme === 'file') return source;
  throw badInput(
    'not-on-disk',
    vscode.l10n.t('{0} is not a file on this machine; save it to a folder first.', source.file),
  );
}

/** The model to train; undefined where the source has no choice of them. */
async function pickModel(reading: PlainReading): Promise<string | undefined> {
  const wholes = reading.models.filter((model) => model.partOf.length === 0);
  if (wholes.length < 2) return undefined;
  const items = wholes.map((model) => ({
    label: model.name,
    description: vscode.l10n.t('{0} layers', model.sites.length),
    detail: path.basename(reading.file),
  }));
  const picked = await vscode.window.showQuickPick(items, {
    placeHolder: vscode.l10n.t('Which model shall be trained?'),
  });
  if (picked === undefined) throw new Cancelled();
  return picked.label;
}
