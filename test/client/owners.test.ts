import { execFile, execFileSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import { attachRun, killRun, resumeRun, startRun, stopRun } from '../../src/client/runs';
import { spawnBackend } from '../../src/client/spawnBackend';
import { readJournal } from '../../src/run/journal';
import { describeRun } from '../../src/run/listRuns';
import { readLock } from '../../src/run/lock';
import { exists, readStartTime } from '../../src/run/processIdentity';
import {
  bundle,
  collect,
  removeFolders,
  showFigure,
  startOwner,
  startSettings,
  until,
} from '../run/support/runs';

afterAll(removeFolders);

/** Longer than any test: these runs only end because somebody ends them. */
const ENDLESS = { steps: 10_000_000, checkpointEvery: 10_000_000 };

const stateOf = async (folder: string): Promise<string> => (await describeRun(folder)).state;
const isGone = async (pid: number): Promise<boolean> => (await readStartTime(pid)) === undefined;

describe('stopping', () => {
  it('keeps what was learned, and the run goes on from there', async () => {
    const settings = startSettings(ENDLESS);
    const handle = await startRun(settings);
    await handle.stop();
    expect(await handle.closed).toMatchObject({ state: 'stopped', exit: { code: 0 } });
    const events = await collect(handle);
    expect(events.slice(-2).map((event) => event.type)).toEqual(['checkpoint', 'stopped']);
    expect(existsSync(join(handle.folder, 'lock'))).toBe(false);
    const resumed = await resumeRun(handle.folder, settings);
    const restart = await first(resumed.events, (event) => event.type === 'start' && event.seq > 0);
    expect(restart.type === 'start' ? restart.resumedFrom : '').toMatch(/^checkpoints\/\d{8}\.safetensors$/);
    await resumed.stop();
    expect(await resumed.closed).toMatchObject({ state: 'stopped' });
  });

  it('works from a program that did not start the run', async () => {
    const handle = await startRun(startSettings(ENDLESS));
    expect(await stopRun(handle.folder)).toBe(true);
    expect(await handle.closed).toMatchObject({ state: 'stopped' });
    expect(await stopRun(handle.folder)).toBe(false);
  });

  it('works on a backend whose socket is gone', async () => {
    // It is not made again within this test.
    const env = { TEST_TIMES: JSON.stringify({ renewalMs: 1e9 }) };
    const handle = await startRun(startSettings(ENDLESS, { owner: 'detached', env }));
    const socket = (await readLock(handle.folder))?.socket ?? '';
    rmSync(socket);
    // It can still be followed, through its journal.
    const follower = await attachRun(handle.folder);
    const seen = await first(follower.events, (event) => event.type === 'epoch' && event.epoch > 200);
    expect(seen.type).toBe('epoch');
    expect(follower.progress).toBeUndefined();
    expect(await stopRun(handle.folder)).toBe(true);
    expect(await handle.closed).toMatchObject({ state: 'stopped' });
    expect(await follower.closed).toMatchObject({ state: 'stopped' });
    expect(await collect(follower)).toEqual(await collect(handle));
  });

  it('is what SIGTERM means; a second one ends a job that does not stop', async () => {
    const handle = await startRun(startSettings({ ...ENDLESS, trouble: { at: 3, kind: 'hang' } }));
    const pid = handle.pid ?? 0;
    await until(
      () => handle.progress?.step,
      (step) => step === 3,
    );
    process.kill(pid, 'SIGTERM');
    process.kill(pid, 'SIGTERM');
    // Two signals may be told as one.
    const again = setInterval(() => exists(pid) && process.kill(pid, 'SIGTERM'), 50);
    expect(await handle.closed).toMatchObject({ state: 'interrupted', exit: { code: 143 } });
    clearInterval(again);
    expect(existsSync(join(handle.folder, 'lock'))).toBe(false);
  });
});

describe('killing', () => {
  it('ends the whole group, children that do not heed SIGTERM too', async () => {
    const handle = await startRun(startSettings({ ...ENDLESS, trouble: { at: 3, kind: 'child' } }));
    await until(
      () => handle.progress?.step ?? 0,
      (step) => step > 3,
    );
    // The supervisor, the backend, its child.
    expect(runningMembers(handle.group ?? 0)).toHaveLength(3);
    const before = performance.now();
    expect(await killRun(handle.folder)).toBe(true);
    showFigure(
      `a group with a child that ignores SIGTERM is gone after ${Math.round(performance.now() - before)} ms`,
    );
    await handle.closed;
    expect(runningMembers(handle.group ?? 0)).toEqual([]);
    expect(existsSync(join(handle.folder, 'lock'))).toBe(false);
    expect(await killRun(handle.folder)).toBe(false);
  });

  it('ends a job that hangs; the run can be resumed', async () => {
    const handle = await startRun(
      startSettings({ ...ENDLESS, checkpointEvery: 2, trouble: { at: 5, kind: 'hang' } }),
    );
    await until(
      () => handle.progress?.step,
      (step) => step === 5,
    );
    await handle.kill();
    expect(await handle.closed).toMatchObject({ state: 'interrupted' });
    expect(await stateOf(handle.folder)).toBe('interrupted');
  });
});

describe('the owner of a run', () => {
  it('takes an attached run with it when it is killed, after a checkpoint', async () => {
    const owner = await startOwner(startSettings(ENDLESS));
    expect(await describeRun(owner.folder)).toMatchObject({ state: 'running', pid: owner.pid });
    owner.process.kill('SIGKILL');
    await until(() => isGone(owner.pid), Boolean);
    expect(await stateOf(owner.folder)).toBe('stopped');
    const { events } = await readJournal(owner.folder);
    expect(events.slice(-2).map((event) => event.type)).toEqual(['checkpoint', 'stopped']);
  });

  it('leaves the run to another client that watches', async () => {
    const owner = await startOwner(startSettings(ENDLESS));
    const watcher = await attachRun(owner.folder);
    await until(
      () => watcher.progress,
      (progress) => progress !== undefined,
    );
    owner.process.kill('SIGKILL');
    const seen = watcher.progress?.step ?? 0;
    // Far longer than a backend waits for its owner to come back.
    await until(
      () => watcher.progress?.step ?? 0,
      (step) => step > seen + 1_000,
    );
    expect(await stateOf(owner.folder)).toBe('running');
    await watcher.stop();
    expect(await watcher.closed).toMatchObject({ state: 'stopped' });
  });

  it('may die when the run is detached', async () => {
    const owner = await startOwner(startSettings(ENDLESS, { owner: 'detached' }));
    owner.process.kill('SIGKILL');
    await until(() => isGone(owner.process.pid ?? 0), Boolean);
    const watcher = await attachRun(owner.folder);
    const seen = await first(watcher.events, (event) => event.type === 'epoch' && event.epoch > 150);
    expect(seen.type).toBe('epoch');
    expect(await stateOf(owner.folder)).toBe('running');
    await watcher.stop();
    expect(await watcher.closed).toMatchObject({ state: 'stopped' });
  });

  it('can let go of an attached run', async () => {
    const handle = await startRun(startSettings(ENDLESS));
    await handle.detach();
    expect(await handle.closed).toMatchObject({ state: 'detached' });
    const watcher = await attachRun(handle.folder);
    await first(watcher.events, (event) => event.type === 'epoch' && event.epoch > 150);
    expect(await stateOf(handle.folder)).toBe('running');
    await watcher.stop();
    await watcher.closed;
  });
});

describe('a program that starts a run', () => {
  const run = promisify(execFile);
  it('lives until the run has ended', async () => {
    const settings = startSettings({ steps: 100 });
    const { stdout } = await run(process.execPath, [
      bundle('letsGo'),
      JSON.stringify({ settings, detach: false }),
    ]);
    expect(stdout.split('\n')[1]).toBe('done');
  });

  it('need not, once it has let go', async () => {
    const settings = startSettings(ENDLESS);
    const { stdout } = await run(process.execPath, [
      bundle('letsGo'),
      JSON.stringify({ settings, detach: true }),
    ]);
    const [folder, state] = stdout.split('\n');
    expect(state).toBe('detached');
    expect(await stateOf(folder ?? '')).toBe('running');
    expect(await stopRun(folder ?? '')).toBe(true);
  });
});

describe('a run on another machine with the same disk', () => {
  it('is followed through its journal, and neither killed nor started twice from here', async () => {
    const settings = startSettings(ENDLESS, { owner: 'detached' });
    const handle = await startRun(settings);
    const path = join(handle.folder, 'lock');
    const lock = readFileSync(path, 'utf8');
    writeFileSync(path, lock.replace(/"host":"[^"]*"/, '"host":"another"'));
    const follower = await attachRun(handle.folder);
    await first(follower.events, (event) => event.type === 'epoch');
    await expect(killRun(handle.folder)).rejects.toMatchObject({ code: 'other-machine' });
    await expect(spawnBackend(handle.folder, settings)).rejects.toMatchObject({ code: 'run-locked' });
    await follower.detach();
    expect(await follower.closed).toMatchObject({ state: 'detached' });
    writeFileSync(path, lock);
    await handle.stop();
    expect(await handle.closed).toMatchObject({ state: 'stopped' });
  });
});

describe('two clients', () => {
  it('see the same events', async () => {
    const handle = await startRun(startSettings({ steps: 200 }));
    const late = await attachRun(handle.folder);
    const [one, two] = await Promise.all([collect(handle), collect(late)]);
    expect(two).toEqual(one);
    expect(await late.closed).toMatchObject({ state: 'done' });
  });
});

/** Processes of a group, without those that have ended and only wait to be collected by their parent. */
function runningMembers(group: number): string[] {
  const all = execFileSync('ps', ['-eo', 'pgid=,stat=,args='], { encoding: 'utf8' }).split('\n');
  return all.filter((line) => new RegExp(`^\\s*${group}\\s+[^ZX]`).test(line));
}

async function first<T>(items: AsyncIterable<T>, wanted: (item: T) => boolean): Promise<T> {
  for await (const item of items) if (wanted(item)) return item;
  throw new Error('the run ended before');
}
