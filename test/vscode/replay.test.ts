import { afterAll, expect, test } from 'vitest';
import { attachRun, startRun } from '../../src/client/runs';
import { replayRun } from '../../src/vscode/runs/replay';
import { collect, removeFolders, startSettings } from '../run/support/runs';

afterAll(removeFolders);

test('a view of a run has its result, however long ago its handle ended', async () => {
  const trained = await startRun(startSettings());
  const events = await collect(trained);
  await trained.closed;
  const handle = await attachRun(trained.folder);
  await handle.closed;
  const view = await replayRun(handle);
  expect(view.events).toBe(events.length);
  expect(view.state).toBe('done');
  expect(view.result?.run).toBe(trained.run);
});
