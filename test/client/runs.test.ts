import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { attachRun, startRun } from '../../src/client/runs';
import { describeRun } from '../../src/run/listRuns';
import { collect, makeFolder, removeFolders, startSettings } from '../run/support/runs';

afterAll(removeFolders);

describe('a run', () => {
  it('is trained to its end and leaves its result', async () => {
    const handle = await startRun(startSettings());
    const events = await collect(handle);
    expect(await handle.closed).toMatchObject({ state: 'done', exit: { code: 0, signal: null } });
    expect(events.map((event) => event.seq)).toEqual(events.map((_event, index) => index));
    expect(events[0]).toMatchObject({ type: 'start', run: handle.run, model: 'mnist', mode: 'budget' });
    expect(events.at(-1)?.type).toBe('result');
    expect(JSON.parse(readFileSync(join(handle.folder, 'result.json'), 'utf8'))).toMatchObject({
      type: 'result',
      run: handle.run,
    });
    expect(await describeRun(handle.folder)).toMatchObject({ state: 'done', id: handle.run });
    const again = await attachRun(handle.folder);
    expect(await collect(again)).toEqual(events);
  });
  it('refuses a folder without a run', async () => {
    await expect(attachRun(makeFolder())).rejects.toMatchObject({ kind: 'bad-input', code: 'run-missing' });
  });
});
