import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { followRun } from '../../src/client/followRun';
import type { RunEnd, RunHandle } from '../../src/client/runHandle';
import { attachRun, killRun, resumeRun, startRun, stopRun } from '../../src/client/runs';
import { spawnBackend } from '../../src/client/spawnBackend';
import type { JournalEvent } from '../../src/core/events';
import { readCrashes } from '../../src/run/crashes';
import { readJournal } from '../../src/run/journal';
import { describeRun } from '../../src/run/listRuns';
import { readLock } from '../../src/run/lock';
import { logLength, MAX_LOG_BYTES } from '../../src/run/log';
import { runningMembers } from '../../src/run/processGroup';
import { readStartTime } from '../../src/run/processIdentity';
import { createRun } from '../../src/run/runFolder';
import type { Trouble } from '../run/support/countingJob';
import {
  collect,
  hear,
  heardOf,
  learnedEvents,
  removeFolders,
  startSettings,
  until,
} from '../run/support/runs';

afterAll(removeFolders);

/** Longer than any test: these runs only end because somebody ends them. */
const ENDLESS = { steps: 10_000_000, checkpointEvery: 20 };
const SHORT = { steps: 60, checkpointEvery: 5 };
const dying = (kind: Trouble['kind']) => startSettings({ ...SHORT, trouble: { at: 33, kind } });

const restarts = (events: readonly JournalEvent[]): string[] =>
  events.flatMap((event) =>
    event.type === 'warning' && event.code === 'restarted-after-crash' ? [event.message] : [],
  );
const isGone = async (pid: number): Promise<boolean> => (await readStartTime(pid)) === undefined;
const stateOf = async (folder: string): Promise<string> => (await describeRun(folder)).state;

/** Follows a run over its restarts. @returns its handles, one for every life of the backend */
async function followAll(
  first: RunHandle,
): Promise<{ handles: RunHandle[]; heard: (readonly JournalEvent[])[]; end: RunEnd }> {
  const handles = [first];
  const heard = [hear(first)];
  const end = await followRun(first, (next) => {
    handles.push(next);
    heard.push(hear(next));
  });
  return { handles, heard, end };
}

async function trained(handle: RunHandle): Promise<RunHandle> {
  await heardOf(handle, 'checkpoint');
  return handle;
}

async function learnedUndisturbed(more: { stepMs?: number } = {}): Promise<unknown[]> {
  return learnedEvents(await collect(await startRun(startSettings({ ...SHORT, ...more }))));
}

describe('a backend that dies', () => {
  it('is started again though nobody watches, and without the engine on which it died twice', async () => {
    const settings = { ...dying('abort'), owner: 'detached' } as const;
    const folder = await createRun(settings.runsFolder, settings);
    // Nobody connects to it.
    const { backend } = await spawnBackend(folder, settings);
    expect(await backend.exited).toEqual({ code: 0, signal: null });
    expect(await describeRun(folder)).toMatchObject({ state: 'done' });
    const { events } = await readJournal(folder);
    expect(restarts(events).at(-1)).toMatch(/was ended by SIGABRT.* without counting, which died twice/);
    expect(learnedEvents(events)).toEqual(await learnedUndisturbed());
    expect((await readCrashes(folder)).map(({ engine, how }) => [engine, how])).toEqual([
      ['counting', 'was ended by SIGABRT'],
      ['counting', 'was ended by SIGABRT'],
    ]);
  });

  it('is seen to by everybody who watches: who started it, and who came later', async () => {
    const settings = dying('abort');
    const started = await startRun(settings);
    const [one, two] = await Promise.all([followAll(started), followAll(await attachRun(started.folder))]);
    for (const { heard, end } of [one, two]) {
      expect(end.state).toBe('done');
      expect(restarts(heard.at(-1) ?? []).length).toBeGreaterThan(0);
      expect(learnedEvents(heard.at(-1) ?? [])).toEqual(await learnedUndisturbed());
    }
    expect(one.handles).toHaveLength(3);
    expect(restarts(one.heard[0] ?? [])).toEqual([]);
    expect((await one.handles[0]?.closed)?.message).toBe(
      'The training process was ended by SIGABRT and was started again.',
    );
  });

  it('again and again is given up, and it is said how it died', async () => {
    const { handles, end } = await followAll(await startRun(dying('exit')));
    expect(handles).toHaveLength(6);
    expect(end).toMatchObject({ state: 'interrupted', exit: { code: 9, signal: null } });
    expect(end.message).toContain('ended with code 9; the run can be resumed');
    const watched = await attachRun(handles[0]?.folder ?? '');
    expect((await watched.closed).message).toContain('ended with code 9');
    expect(await readLock(watched.folder)).toBeUndefined();
  });

  it('takes with it what it had started', async () => {
    const settings = startSettings({ ...SHORT, trouble: { at: 33, kind: 'orphan' } });
    const handle = await startRun(settings);
    const group = handle.group ?? 0;
    const { end } = await followAll(handle);
    expect(end.state).toBe('interrupted');
    expect(await runningMembers(group)).toEqual([]);
  });

  it('and cannot begin again says why', async () => {
    const handle = await trained(await startRun(startSettings(ENDLESS)));
    writeFileSync(join(handle.folder, 'plan.json'), '{');
    process.kill(handle.pid ?? 0, 'SIGKILL');
    const { end } = await followAll(handle);
    expect(end).toMatchObject({ state: 'interrupted', exit: { code: 2 } });
    expect(end.message).toMatch(/plan\.json cannot be understood/);
  });

  it('stays detached', async () => {
    const settings = startSettings(ENDLESS, { env: { TEST_TIMES: JSON.stringify({ firstClientMs: 50 }) } });
    const handle = await trained(await startRun(settings));
    await handle.detach();
    process.kill(handle.pid ?? 0, 'SIGKILL');
    const second = await until(
      () => readLock(handle.folder),
      (lock) => lock !== undefined && lock.pid !== handle.pid,
    );
    const steps = async () =>
      (await readJournal(handle.folder)).events.findLast((e) => e.type === 'checkpoint')?.step ?? 0;
    const seen = await steps();
    // Far longer than 50 ms without a client.
    await until(steps, (step) => step > seen + 300);
    expect(second?.supervisor?.pid).toBe(handle.group);
    expect(await stopRun(handle.folder)).toBe(true);
    expect(await stateOf(handle.folder)).toBe('stopped');
  });
});

describe('a backend that was asked to end', () => {
  it('stays ended when it was killed, or failed by its own fault', async () => {
    const killed = await trained(await startRun(startSettings(ENDLESS)));
    const following = followAll(killed);
    await killRun(killed.folder);
    const { handles, end } = await following;
    expect(['interrupted', 'stopped']).toContain(end.state);
    expect(handles).toHaveLength(1);
    expect(await readCrashes(killed.folder)).toEqual([]);
    const failed = await followAll(await startRun(dying('throw')));
    expect(failed.end.state).toBe('failed');
    expect(failed.handles).toHaveLength(1);
  });

  it('stays ended though it dies in stopping', async () => {
    const settings = startSettings({ ...ENDLESS, trouble: { at: 0, kind: 'abort-on-stop' } });
    const handle = await trained(await startRun(settings));
    const following = followAll(handle);
    await handle.stop();
    const { handles, end } = await following;
    expect(end.state).toBe('interrupted');
    expect(handles).toHaveLength(1);
  });

  it.each(['the supervisor', 'the whole group'])('by SIGTERM to %s keeps what was learned', async (whom) => {
    const handle = await trained(await startRun(startSettings(ENDLESS)));
    const group = handle.group ?? 0;
    process.kill(whom === 'the supervisor' ? group : -group, 'SIGTERM');
    const { handles, heard, end } = await followAll(handle);
    expect(end).toMatchObject({ state: 'stopped', exit: { code: 0, signal: null } });
    expect(handles).toHaveLength(1);
    expect(heard[0]?.slice(-2).map((event) => event.type)).toEqual(['checkpoint', 'stopped']);
  });
});

describe('a backend that prints', () => {
  it('does not fill the disk with its log', async () => {
    const settings = startSettings({ ...ENDLESS, trouble: { at: 3, kind: 'print' } });
    const handle = await trained(await startRun(settings));
    await until(
      () => logLength(handle.folder),
      (length) => length > 0 && length <= MAX_LOG_BYTES,
    );
    await handle.stop();
    expect((await handle.closed).state).toBe('stopped');
  });
});

describe('a supervisor that is killed', () => {
  it('leaves a run that goes on to its end, with nothing left behind', async () => {
    // A backend that is left alone before it trains does not begin.
    const handle = await trained(
      await startRun(startSettings({ steps: 400, checkpointEvery: 20, stepMs: 5 })),
    );
    const group = handle.group ?? 0;
    process.kill(group, 'SIGKILL');
    await until(() => isGone(group), Boolean);
    expect(await describeRun(handle.folder)).toMatchObject({ state: 'running', pid: handle.pid });
    const { handles, end } = await followAll(handle);
    expect(end.state).toBe('done');
    expect(handles).toHaveLength(1);
    expect(await runningMembers(group)).toEqual([]);
    expect(await readLock(handle.folder)).toBeUndefined();
  });

  it('leaves a run that can be stopped and killed with everything it started', async () => {
    for (const end of [stopRun, killRun]) {
      const settings = startSettings({ ...ENDLESS, trouble: { at: 3, kind: 'child' } });
      const handle = await trained(await startRun(settings));
      const group = handle.group ?? 0;
      process.kill(group, 'SIGKILL');
      await until(() => isGone(group), Boolean);
      expect(await end(handle.folder)).toBe(true);
      await handle.closed;
      expect(await isGone(handle.pid ?? 0)).toBe(true);
      expect(await readLock(handle.folder)).toBeUndefined();
      // Nobody is left to end what a backend leaves that ends by itself.
      if (end === stopRun) process.kill(-group, 'SIGKILL');
      else expect(await runningMembers(group)).toEqual([]);
    }
  });

  it('and its backend leave a run that is interrupted and goes on to the same end', async () => {
    const settings = startSettings({ ...SHORT, stepMs: 10 });
    const handle = await trained(await startRun(settings));
    process.kill(handle.group ?? 0, 'SIGKILL');
    process.kill(handle.pid ?? 0, 'SIGKILL');
    const { end } = await followAll(handle);
    expect(end).toMatchObject({ state: 'interrupted', exit: { signal: 'SIGKILL' } });
    expect(await runningMembers(handle.group ?? 0)).toEqual([]);
    const resumed = await resumeRun(handle.folder, settings);
    expect(learnedEvents(await collect(resumed))).toEqual(await learnedUndisturbed({ stepMs: 10 }));
  });
});

describe('between two lives of a backend', () => {
  /** A run whose backend is dead and whose supervisor does not see it yet. */
  async function inBetween() {
    const settings = startSettings(ENDLESS);
    const handle = await trained(await startRun(settings));
    process.kill(handle.group ?? 0, 'SIGSTOP');
    process.kill(handle.pid ?? 0, 'SIGKILL');
    await until(() => isGone(handle.pid ?? 0), Boolean);
    return { handle, settings, group: handle.group ?? 0 };
  }

  it('a run is running: nobody else takes it, and who comes then sees it go on', async () => {
    const { handle, settings, group } = await inBetween();
    expect(await stateOf(handle.folder)).toBe('running');
    await expect(spawnBackend(handle.folder, settings)).rejects.toMatchObject({ code: 'run-locked' });
    const late = await resumeRun(handle.folder, settings);
    const seen = [followAll(handle), followAll(late)];
    process.kill(group, 'SIGCONT');
    await until(
      () => readLock(handle.folder),
      (lock) => lock !== undefined && lock.pid !== handle.pid,
    );
    expect(await stopRun(handle.folder)).toBe(true);
    for (const { handles, heard, end } of await Promise.all(seen)) {
      expect(end.state).toBe('stopped');
      expect(handles).toHaveLength(2);
      expect(heard[1]?.slice(-2).map((event) => event.type)).toEqual(['checkpoint', 'stopped']);
    }
  });

  it('a run can be stopped: it is not started again', async () => {
    const { handle, group } = await inBetween();
    const stopping = handle.stop();
    process.kill(group, 'SIGCONT');
    await stopping;
    const end = await followRun(handle);
    // The supervisor saw the death first, or the request.
    expect(['interrupted', 'stopped']).toContain(end.state);
    expect(await isGone(group)).toBe(true);
  });

  it('a run can be killed', async () => {
    const { handle, group } = await inBetween();
    expect(await killRun(handle.folder)).toBe(true);
    expect(await runningMembers(group)).toEqual([]);
    expect((await followRun(handle)).state).toBe('interrupted');
    expect(readFileSync(join(handle.folder, 'journal.jsonl'), 'utf8')).toContain('"checkpoint"');
  });
});
