import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { followRun } from '../../src/client/followRun';
import type { RunEnd, RunHandle } from '../../src/client/runHandle';
import { resumeRun, startRun, type StartSettings } from '../../src/client/runs';
import { readCrashes } from '../../src/run/crashes';
import { readJournal } from '../../src/run/journal';
import { describeRun } from '../../src/run/listRuns';
import { runningMembers } from '../../src/run/processGroup';
import { collect, hear, heardOf, makeFolder, removeFolders, until } from '../run/support/runs';
import { abortedDisk, fullDisk, quotaDisk, readOnlyFolder, whyNot, type Disk } from './support/disks';
import { fakedClock } from './support/clock';
import { isBuilt, learned, trainingSettings, weightsOf } from './support/training';

/** What the machine does to training in mid-run, with the real program; afterwards it ends as if nothing had been. */

let expected: { learned: unknown; weights: Map<string, Buffer> };

beforeAll(async () => {
  if (!isBuilt) return;
  const whole = await startRun(await trainingSettings('wasm'));
  expected = { learned: learned(await collect(whole)), weights: weightsOf(whole.folder) };
  expect(expected.weights.size).toBeGreaterThan(0);
});
afterAll(removeFolders);

async function expectSameEnd(resumed: RunHandle): Promise<void> {
  const events = await collect(resumed);
  expect(await resumed.closed).toMatchObject({ state: 'done', exit: { code: 0 } });
  expect(learned(events)).toEqual(expected.learned);
  expect(weightsOf(resumed.folder)).toEqual(expected.weights);
  expect(readdirSync(resumed.folder).filter((name) => /^\.|^lock/.test(name))).toEqual([]);
}

/** Spoils the disk at the second checkpoint, and again whenever a checkpoint was written all the same. */
async function spoilInMidRun(handle: RunHandle, disk: Disk): Promise<RunEnd> {
  let seen = 0;
  handle.onEvent((event) => {
    if (event.type === 'checkpoint' && (seen += 1) >= 2) disk.spoil();
  });
  const end = await followRun(handle);
  expect(seen).toBeGreaterThanOrEqual(2);
  expect(await runningMembers(handle.group ?? 0)).toEqual([]);
  return end;
}

const disks: readonly [what: string, make: () => Disk, message: RegExp, code: string][] = [
  ['that is full to the last byte', fullDisk, /disk is full or a quota is used up.*resume/, 'disk-full'],
  ['whose quota is used up', quotaDisk, /disk is full or a quota is used up.*resume/, 'disk-full'],
  ['that the system makes read-only', abortedDisk, /may not be written|the disk failed/, 'not-writable'],
  ['whose folder may not be written any more', readOnlyFolder, /may not be written/, 'not-writable'],
];

describe.skipIf(!isBuilt).each(disks)('a disk %s', (_what, make, message, code) => {
  const reason = whyNot(make);

  it(reason === undefined ? 'is said, and loses nothing' : `is left out: ${reason}`, async ({ skip }) => {
    if (reason !== undefined) skip(reason);
    const disk = make();
    try {
      const settings = await trainingSettings('wasm', { runsFolder: join(disk.folder, 'runs') });
      const handle = await startRun(settings);
      const end = await spoilInMidRun(handle, disk);
      expect(end).toMatchObject({ state: 'failed', message: expect.stringMatching(message) as unknown });
      // While it lasts the run can be looked at, and nothing is begun on it.
      disk.spoil();
      const { state } = await describeRun(handle.folder);
      expect(['failed', 'interrupted']).toContain(state);
      const before = (await readJournal(handle.folder)).events;
      await expect(resumeRun(handle.folder, settings)).rejects.toMatchObject({ code });
      expect((await readJournal(handle.folder)).events).toEqual(before);
      disk.mend();
      await expectSameEnd(await resumeRun(handle.folder, settings));
    } finally {
      disk.remove();
    }
  });
});

describe.skipIf(!isBuilt)('a folder', () => {
  it('that is moved away in mid-run ends the run, which goes on when it is back', async () => {
    const settings = await trainingSettings('wasm');
    const handle = await startRun(settings);
    await heardOf(handle, 'checkpoint');
    const away = join(makeFolder(), 'away');
    renameSync(handle.folder, away);
    const end = await followRun(handle);
    expect(end.message).toMatch(/the folder is not there|was deleted or taken/);
    expect(await runningMembers(handle.group ?? 0)).toEqual([]);
    expect(readdirSync(join(handle.folder, '..'))).toEqual([]);
    renameSync(away, handle.folder);
    await expectSameEnd(await resumeRun(handle.folder, settings));
  });

  it('that is deleted in mid-run stays deleted, and no process stays', async () => {
    const handle = await startRun(await trainingSettings('wasm'));
    await heardOf(handle, 'checkpoint');
    rmSync(handle.folder, { recursive: true });
    expect((await followRun(handle)).message).toMatch(/the folder is not there|was deleted or taken/);
    expect(await runningMembers(handle.group ?? 0)).toEqual([]);
    expect(readdirSync(join(handle.folder, '..'))).toEqual([]);
  });

  it('of a newer version is refused with what to do, left as it is, and goes on in that version', async () => {
    const settings = await trainingSettings('wasm');
    const handle = await startRun(settings);
    await heardOf(handle, 'checkpoint');
    await handle.stop();
    await handle.closed;
    const path = join(handle.folder, 'journal.jsonl');
    const ours = readFileSync(path, 'utf8');
    const newer = ours.replaceAll('"version":1', '"version":2');
    writeFileSync(path, newer);
    await expect(resumeRun(handle.folder, settings)).rejects.toMatchObject({
      kind: 'bad-input',
      code: 'journal-version',
      message: expect.stringContaining('Update ShrinkNets') as unknown,
    });
    expect(readFileSync(path, 'utf8')).toBe(newer);
    writeFileSync(path, ours);
    await expectSameEnd(await resumeRun(handle.folder, settings));
  });
});

describe.skipIf(!isBuilt)('a clock', () => {
  const clock = fakedClock();
  const title = 'that goes back two days in mid-run does not disturb training, restarts or the journal';

  it(clock.reason === undefined ? title : `is left out: ${clock.reason}`, async ({ skip }) => {
    if (clock.reason !== undefined) skip(clock.reason);
    const settings: StartSettings = await trainingSettings('wasm', { more: { env: clock.environment } });
    const handle = await startRun(settings);
    let last = hear(handle);
    await heardOf(handle, 'checkpoint');
    // The clock is looked at once a second; a fast machine would be done by then.
    process.kill(handle.pid ?? 0, 'SIGSTOP');
    clock.set('-2d');
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    const heard = last.length;
    process.kill(handle.pid ?? 0, 'SIGCONT');
    await until(
      () => last.length,
      (length) => length > heard,
    );
    process.kill(handle.pid ?? 0, 'SIGKILL');
    const end = await followRun(handle, (next) => (last = hear(next)));
    expect(end.state).toBe('done');
    expect(last.filter((event) => event.type === 'warning').map(({ code }) => code)).toContain(
      'restarted-after-crash',
    );
    expect((await readCrashes(handle.folder)).map(({ how }) => how)).toEqual(['was ended by SIGKILL']);
    const times = last.map(({ at }) => at);
    expect(times).toEqual([...times].sort((a, b) => a - b));
    // It did go back: time stands still from the restart on.
    const restart = last.findLastIndex((event) => event.type === 'start');
    expect(new Set(times.slice(restart - 1)).size).toBe(1);
    expect(learned(last)).toEqual(expected.learned);
    expect(weightsOf(handle.folder)).toEqual(expected.weights);
  });
});
