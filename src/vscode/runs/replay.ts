import { attachRun } from '../../client/runs';
import { readOptions, readPlan } from '../../run/runFolder';
import { RunView } from '../../shell/runView';

/** An empty view that knows the run's batch size. @throws ShrinkError `run-missing` */
export async function newView(folder: string): Promise<RunView> {
  return new RunView((await readOptions(folder)).batchSize);
}

/** A run that is not being trained, as its journal tells it. @throws ShrinkError `run-missing`, `journal-version`, … */
export async function replayRun(folder: string): Promise<RunView> {
  await readPlan(folder);
  const view = await newView(folder);
  const handle = await attachRun(folder);
  handle.onEvent((event) => view.take(event));
  const end = await handle.closed;
  if (view.state === 'running' && end.state !== 'detached') view.end(end.state, end.message);
  return view;
}
