import * as vscode from 'vscode';
import { count, milliseconds, percent, seconds } from '../../shell/format';
import type { RunView } from '../../shell/runView';
import { describeProgress } from '../train/showTraining';
import type { LiveRun, RunStore } from './runStore';

/** Text changes at most this often. */
const PERIOD_MS = 500;

/** Where the newest run in training stands; hidden when there is none. */
export function registerStatusBar(runs: RunStore): vscode.Disposable {
  const item = vscode.window.createStatusBarItem('shrinknets.run', vscode.StatusBarAlignment.Left, 10);
  item.name = 'ShrinkNets';
  let timer: NodeJS.Timeout | undefined;
  const show = (): void => {
    timer = undefined;
    const live = runs.live.at(-1);
    if (live === undefined) {
      item.hide();
      return;
    }
    item.text = `$(sync~spin) ${shortText(live.view)}`;
    item.tooltip = tooltip(live);
    item.command = {
      command: 'shrinknets.runActions',
      title: vscode.l10n.t('Show Run Actions'),
      arguments: [{ folder: live.folder }],
    };
    item.accessibilityInformation = { label: `ShrinkNets: ${shortText(live.view)}` };
    item.show();
  };
  const soon = (): void => {
    timer ??= setTimeout(show, PERIOD_MS);
  };
  return vscode.Disposable.from(
    item,
    runs.onDidChangeRun(soon),
    runs.onDidChangeList(soon),
    new vscode.Disposable(() => clearTimeout(timer)),
  );
}

/** "3/8 · 97.8 % · 231 of 1024 channels · 2 min left" */
function shortText(view: RunView): string {
  const { progress, lastEpoch } = view;
  const learned = view.layers.filter((layer) => layer.learned);
  const start = learned.reduce((sum, layer) => sum + layer.start, 0);
  const now = learned.reduce((sum, layer) => sum + (view.now[layer.name] ?? layer.start), 0);
  const accuracy = lastEpoch?.validationAccuracy;
  const parts = [
    progress === undefined || progress.phase === 'loading'
      ? vscode.l10n.t('starting')
      : `${progress.epoch}/${progress.epochs}`,
    ...(typeof accuracy === 'number' ? [percent(accuracy, 1)] : []),
    ...(start > 0 ? [vscode.l10n.t('{0} of {1} channels', count(now), count(start))] : []),
    ...(progress !== undefined && progress.secondsLeft >= 1
      ? [vscode.l10n.t('{0} left', seconds(progress.secondsLeft))]
      : []),
  ];
  return parts.join(' · ');
}

function tooltip(live: LiveRun): vscode.MarkdownString {
  const { view } = live;
  const { header, progress } = view;
  const lines = [
    `**ShrinkNets** · ${escape(header.model)} · ${escape(live.id)}`,
    ...(progress === undefined ? [] : [escape(describeProgress(progress))]),
    `${vscode.l10n.t('Engine')}: ${escape(header.engine)}`,
    ...(progress === undefined ? [] : [`${vscode.l10n.t('Step time')}: ${milliseconds(progress.stepMs)}`]),
    ...view.layers
      .filter((layer) => layer.learned)
      .slice(0, 12)
      .map((layer) => `\`${layer.name}\` ${layer.start} → ${view.now[layer.name] ?? layer.start}`),
  ];
  return new vscode.MarkdownString(lines.join('\n\n'));
}

function escape(text: string): string {
  return text.replace(/[\\`*_{}[\]()#+!|<>]/g, '\\$&');
}
