import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { resumeRun, startRun } from '../../src/client/runs';
import { enginesToAvoid, readCrashes, recordCrash } from '../../src/run/crashes';
import { describeRun } from '../../src/run/listRuns';
import { deleteRun, pruneRun } from '../../src/run/prune';
import { collect, learnedEvents, makeFolder, removeFolders, startSettings } from './support/runs';

afterAll(removeFolders);

const JOB = { steps: 60, checkpointEvery: 5, size: 5_000 };

describe('pruning', () => {
  it('keeps what resuming needs, and gives back the rest', async () => {
    const settings = startSettings({ ...JOB, trouble: { at: 33, kind: 'power-loss' } });
    const handle = await startRun(settings);
    await handle.closed;
    const checkpoints = join(handle.folder, 'checkpoints');
    expect(readdirSync(checkpoints).length).toBeGreaterThan(2);
    const before = (await describeRun(handle.folder)).sizeBytes;
    const freed = await pruneRun(handle.folder);
    expect(readdirSync(checkpoints)).toHaveLength(1);
    expect(freed).toBeGreaterThan(40_000);
    expect((await describeRun(handle.folder)).sizeBytes).toBe(before - freed);
    for (const engine of ['counting', 'counting'])
      await recordCrash(handle.folder, { at: 1, engine, how: 'died' });
    const resumed = await resumeRun(handle.folder, settings);
    const whole = await startRun(startSettings(JOB));
    expect(learnedEvents(await collect(resumed))).toEqual(learnedEvents(await collect(whole)));
    await resumed.closed;
    await pruneRun(handle.folder);
    expect(readdirSync(checkpoints)).toEqual([]);
    expect((await describeRun(handle.folder)).state).toBe('done');
  });

  it('and deleting leave a run alone that is being trained', async () => {
    const handle = await startRun(startSettings({ steps: 10_000_000 }));
    await expect(pruneRun(handle.folder)).rejects.toMatchObject({ code: 'run-locked' });
    await expect(deleteRun(handle.folder)).rejects.toMatchObject({ code: 'run-locked' });
    await handle.stop();
    await handle.closed;
    await deleteRun(handle.folder);
    expect(existsSync(handle.folder)).toBe(false);
    expect(readdirSync(join(handle.folder, '..'))).toEqual([]);
  });

  it('touches nothing that is no run', async () => {
    const folder = makeFolder();
    await expect(deleteRun(folder)).rejects.toMatchObject({ code: 'run-missing' });
    expect(existsSync(folder)).toBe(true);
  });
});

describe('crashes', () => {
  it('of one engine make it one to avoid', async () => {
    const folder = makeFolder();
    expect(await readCrashes(folder)).toEqual([]);
    for (const engine of ['a', 'b', 'a', '', '']) await recordCrash(folder, { at: 1, engine, how: 'died' });
    expect(enginesToAvoid(await readCrashes(folder))).toEqual(['a']);
  });
});
