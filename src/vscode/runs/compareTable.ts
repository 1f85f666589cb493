import type { RunSummary } from '../../run/listRuns';
import { change, count, milliseconds, percent } from '../../shell/format';
import type { RunView } from '../../shell/runView';
import { describeState } from './pickRun';
import type { RunStore } from './runStore';

/** Runs side by side, as a Markdown table. Runs that cannot be read say so. */
export async function compareTable(runs: RunStore, compared: readonly RunSummary[]): Promise<string> {
  const views = await Promise.all(compared.map((run) => runs.view(run.folder).catch(() => undefined)));
  const layers = [...new Set(views.flatMap((view) => view?.layers.map(({ name }) => name) ?? []))];
  const rows: [string, (view: RunView) => string][] = [
    ['state', (view) => describeState(view.state)],
    ['engine', (view) => view.header.engine],
    ['training', (view) => view.header.training],
    ['parameters before', (view) => count(view.header.params)],
    ['parameters', (view) => sizeOf(view, 'params')],
    ['MACs', (view) => sizeOf(view, 'macs')],
    ['validation accuracy', (view) => percent(view.result?.metrics.validation.accuracy)],
    ['test accuracy', (view) => percent(view.result?.metrics.test.accuracy)],
    ['test loss', (view) => view.result?.metrics.test.loss.toFixed(4) ?? '–'],
    [
      'predicting a batch',
      (view) => (view.result === undefined ? '–' : milliseconds(view.result.timings.inferenceMs.after)),
    ],
    ...layers.map((name): [string, (view: RunView) => string] => [
      `\`${name}\``,
      (view) => widthOf(view, name),
    ]),
  ];
  const cell = (text: string): string => text.replaceAll('|', '\\|');
  const head = ['', ...compared.map((run) => run.id)];
  const lines = rows.map(([title, show]) => [
    title,
    ...views.map((view) => (view === undefined ? 'cannot be read' : cell(show(view)))),
  ]);
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return ['# Runs', '', line(head), line(head.map(() => '---')), ...lines.map(line), ''].join('\n');
}

function sizeOf(view: RunView, key: 'params' | 'macs'): string {
  const size = view.result?.[key];
  return size === undefined ? '–' : `${count(size.after)} (${change(size.before, size.after) || 'same'})`;
}

function widthOf(view: RunView, name: string): string {
  const layer = view.layers.find((each) => each.name === name);
  if (layer === undefined) return '–';
  const now = view.learnedWidths[name] ?? layer.start;
  return now === layer.start ? String(now) : `${layer.start} → ${now} (${change(layer.start, now)})`;
}
