import type { TrialRow } from '../../protocol/webview';
import { readOptions } from '../../run/runFolder';
import { sweepRows } from '../../shell/sweepRows';
import type { RunStore } from './runStore';

/** The trials of the sweep that a run is one of; none if it is no sweep's. */
export async function readTrials(runs: RunStore, folder: string): Promise<TrialRow[]> {
  const sweep = runs.find(folder)?.sweep;
  if (sweep === undefined) return [];
  const summaries = runs.all.filter((run) => run.sweep?.id === sweep.id);
  const trials = await Promise.all(
    summaries.map(async (summary) => {
      const view = summary.state === 'done' ? await runs.view(summary.folder) : undefined;
      return { summary, ...(view?.result === undefined ? {} : { result: view.result }) };
    }),
  );
  return sweepRows(sweep, trials, (await readOptions(folder)).maxDrop);
}
