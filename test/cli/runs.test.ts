import { readdirSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { attachRun, startRun } from '../../src/client/runs';
import { describeRun } from '../../src/run/listRuns';
import { readLock } from '../../src/run/lock';
import { countingPlan, removeFolders, startOwner, startSettings, until } from '../run/support/runs';
import { eventsOf, makeProject, runCli, startCli } from '../support/cli';

/** The command line on runs that others started; what trains here counts, since runs are what this is about. */

const ENDLESS = { steps: 10_000_000, checkpointEvery: 50 };
let project: ReturnType<typeof makeProject>;
beforeAll(() => {
  project = makeProject({});
});
afterAll(() => {
  project.remove();
  removeFolders();
});

const startAs = (owner: 'attached' | 'detached', out: string, job: object = ENDLESS) =>
  startRun({
    ...startSettings(),
    runsFolder: path.join(project.folder, out, 'runs'),
    plan: countingPlan(job),
    owner,
  });

describe('a run of the extension', () => {
  it('is listed, watched, let go, stopped and gone on with from the command line', async () => {
    // As the extension starts it.
    const window = await startAs('detached', 'a');
    const listed = await runCli(['runs', '--out', 'a'], project.folder);
    expect(listed.stdout).toMatch(new RegExp(`${window.run} +running .* MB\n`));

    const watching = startCli(['watch', 'last', '--json', '--out', 'a'], project.folder);
    await watching.until('"type":"checkpoint"');
    watching.child.kill('SIGINT');
    const watched = await watching.done;
    expect(watched).toMatchObject({ code: 0, stderr: '' });
    expect(eventsOf(watched).map(({ seq }) => seq)).toEqual(eventsOf(watched).map((_event, i) => i));
    expect((await describeRun(window.folder)).state).toBe('running');

    const stopped = await runCli(['stop', window.run, '--out', 'a'], project.folder);
    expect(stopped.stdout).toContain('is stopped; go on with: shrinknets resume');
    // The window sees what the command line did.
    expect(await window.closed).toMatchObject({ state: 'stopped' });
    const ended = await runCli(['watch', 'last', '--out', 'a'], project.folder);
    expect(ended.stdout).toContain('shrinknets resume');
  });

  it('can be ended at once', async () => {
    const window = await startAs('detached', 'now');
    for await (const event of window.events) if (event.type === 'checkpoint') break;
    const ended = await runCli(['stop', '--now', 'last', '--out', 'now'], project.folder);
    expect(ended.code).toBe(0);
    // A backend that is quick to stop has the time to.
    expect(['interrupted', 'stopped']).toContain((await window.closed).state);
    expect(await readLock(window.folder)).toBeUndefined();
  });
});

describe('a run of the command line', () => {
  it('still ends with it after a window that looked on has closed', async () => {
    const owner = await startOwner({ ...startSettings(ENDLESS), owner: 'attached' });
    const window = await attachRun(owner.folder);
    await until(
      () => window.progress,
      (progress) => progress !== undefined,
    );
    await window.detach();
    owner.process.kill('SIGKILL');
    await until(
      () => describeRun(owner.folder),
      ({ state }) => state === 'stopped',
    );
    expect(await readLock(owner.folder)).toBeUndefined();
  });
});

describe('prune', () => {
  it('gives back the checkpoints that resuming does not need, of one run and of all', async () => {
    const checkpoints = (folder: string) => readdirSync(path.join(folder, 'checkpoints'));
    const job = { steps: 60, checkpointEvery: 5, size: 50_000 };
    const done = await startAs('detached', 'c', job);
    await done.closed;
    const stopped = await startAs('detached', 'c', { ...ENDLESS, checkpointEvery: 5, size: 50_000 });
    await until(
      () => checkpoints(stopped.folder).length,
      (count) => count > 2,
    );
    await stopped.stop();
    await stopped.closed;
    const running = await startAs('detached', 'c', ENDLESS);

    const one = await runCli(['prune', done.run, '--out', 'c'], project.folder);
    expect(one.stdout).toMatch(/0\.\d MB\n0\.\d MB given back/);
    expect(checkpoints(done.folder)).toEqual([]);
    const all = await runCli(['prune', '--out', 'c'], project.folder);
    expect(all).toMatchObject({ code: 0, stderr: '' });
    expect(all.stdout).toContain('left alone because in training: 1');
    // A name within the same second is the other one and a number.
    expect(all.stdout.split(/\s+/)).not.toContain(done.run);
    expect(checkpoints(stopped.folder)).toHaveLength(1);

    const busy = await runCli(['prune', running.run, '--out', 'c'], project.folder);
    expect(busy).toMatchObject({ code: 2 });
    expect(busy.stderr).toContain('is being trained by process');
    await running.stop();
    await running.closed;
  });
});
