import type { RunHandle } from '../../client/runHandle';
import { readOptions } from '../../run/runFolder';
import { RunView } from '../../shell/runView';

/** An empty view that knows the run's batch size. @throws ShrinkError `run-missing` */
export async function newView(folder: string): Promise<RunView> {
  return new RunView((await readOptions(folder)).batchSize);
}

/** A run that is not being trained, as its journal tells it. @throws ShrinkError `run-missing`, `journal-version`, … */
export async function replayRun(handle: RunHandle): Promise<RunView> {
  const view = await newView(handle.folder);
  // Not by `onEvent`: the handle may have ended meanwhile, and nothing waits for who comes then.
  for await (const event of handle.events) view.take(event);
  const end = await handle.closed;
  if (view.state === 'running' && end.state !== 'detached') view.end(end.state, end.message);
  return view;
}
