import {
  appendFileSync,
  chmodSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { attachRun, resumeRun, startRun } from '../../src/client/runs';
import { backendEnvironment, spawnBackend } from '../../src/client/spawnBackend';
import { messageOf } from '../../src/core/errors';
import type { JournalEvent } from '../../src/core/events';
import { readJournal } from '../../src/run/journal';
import { ALLOCATOR } from '../../src/protocol/process';
import { describeRun } from '../../src/run/listRuns';
import { readLock } from '../../src/run/lock';
import { createRun } from '../../src/run/runFolder';
import { readStartTime } from '../../src/run/processIdentity';
import type { Trouble } from '../run/support/countingJob';
import {
  addSupervisor,
  collect,
  makeFolder,
  removeFolders,
  startOwner,
  startSettings,
  until,
} from '../run/support/runs';

afterAll(removeFolders);

const ENDLESS = { steps: 10_000_000, checkpointEvery: 10_000_000 };

/** A script that is started in place of the backend. */
function script(code: string): string {
  const folder = makeFolder();
  addSupervisor(folder);
  writeFileSync(join(folder, 'script.cjs'), code);
  return join(folder, 'script.cjs');
}

const trouble = (kind: Trouble['kind']) => startSettings({ checkpointEvery: 4, trouble: { at: 10, kind } });

const warnings = (events: readonly JournalEvent[]): string[] =>
  events.flatMap((event) => (event.type === 'warning' ? [event.code] : []));

describe('a job that fails', () => {
  it('says so in the journal, with the stack in the log', async () => {
    const handle = await startRun(trouble('throw'));
    expect(await handle.closed).toMatchObject({ state: 'failed' });
    expect((await collect(handle)).at(-1)).toMatchObject({
      type: 'failed',
      kind: 'training',
      code: 'internal',
      message: expect.stringContaining('the engine is on fire') as unknown,
    });
    expect(readFileSync(join(handle.folder, 'backend.log'), 'utf8')).toMatch(/on fire\n\s+at /);
    expect(await describeRun(handle.folder)).toMatchObject({ state: 'failed' });
  });

  it('with something the user can mend says just that', async () => {
    const handle = await startRun(trouble('throw-shrink'));
    expect((await collect(handle)).at(-1)).toMatchObject({
      type: 'failed',
      kind: 'bad-input',
      code: 'data-shape',
      message: 'The data has 3 columns, the model takes 4.',
    });
  });

  it('where nobody catches, or without a result, is told as well', async () => {
    const later = await startRun(trouble('throw-later'));
    expect((await later.closed).message).toContain('thrown where nobody catches');
    const none = await startRun(trouble('no-result'));
    expect((await none.closed).message).toContain('gave no result');
  });

  it('at once, before anybody is attached, is told as well', async () => {
    const handle = await startRun(startSettings({ trouble: { at: 1, kind: 'throw-shrink' } }));
    const end = await handle.closed;
    expect(end.state).toBe('failed');
    expect(end.message).toContain('3 columns');
  });

  it('can be resumed once its cause is mended', async () => {
    const settings = trouble('throw');
    const handle = await startRun(settings);
    await handle.closed;
    const plan = readFileSync(join(handle.folder, 'plan.json'), 'utf8');
    writeFileSync(join(handle.folder, 'plan.json'), plan.replace('\\"at\\":10', '\\"at\\":-1'));
    const resumed = await resumeRun(handle.folder, settings);
    expect(await resumed.closed).toMatchObject({ state: 'done' });
    await expect(resumeRun(handle.folder, settings)).rejects.toMatchObject({ code: 'run-done' });
  });
});

describe('a backend that dies', () => {
  it('with its client leaves a lock and a socket, which the next one takes over and says so', async () => {
    const settings = startSettings({ ...ENDLESS, checkpointEvery: 5 });
    const owner = await startOwner(settings);
    owner.process.kill('SIGKILL');
    process.kill(-owner.group, 'SIGKILL');
    for (const pid of [owner.pid, owner.group])
      await until(
        () => readStartTime(pid),
        (start) => start === undefined,
      );
    const stale = await readLock(owner.folder);
    expect(stale?.pid).toBe(owner.pid);
    expect((await describeRun(owner.folder)).state).toBe('interrupted');
    const handle = await resumeRun(owner.folder, settings);
    const opening: JournalEvent[] = [];
    for await (const event of handle.events) {
      opening.push(event);
      if (event.type === 'epoch' && opening.some((each) => each.type === 'warning')) break;
    }
    expect(warnings(opening)).toContain('stale-lock');
    expect(readdirOrNone(join(stale?.socket ?? '', '..'))).toEqual([]);
    await handle.stop();
    await handle.closed;
  });
});

function readdirOrNone(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

describe('a folder that power loss left', () => {
  it('with a torn line and a half-written checkpoint goes back to the checkpoint before', async () => {
    const settings = startSettings({
      steps: 60,
      checkpointEvery: 5,
      trouble: { at: 43, kind: 'power-loss' },
    });
    const handle = await startRun(settings);
    await handle.closed;
    const checkpoints = (await readJournal(handle.folder)).events.filter(
      (event) => event.type === 'checkpoint',
    );
    const newest = checkpoints.at(-1);
    expect(newest?.step).toBe(40);
    truncateSync(join(handle.folder, newest?.file ?? ''), 100);
    appendFileSync(join(handle.folder, 'journal.jsonl'), '{"seq":99,"at":1');
    const leftover = join(handle.folder, 'checkpoints', '.00000099.safetensors.0123.tmp');
    writeFileSync(leftover, 'half');
    const plan = readFileSync(join(handle.folder, 'plan.json'), 'utf8');
    writeFileSync(join(handle.folder, 'plan.json'), plan.replace('\\"at\\":43', '\\"at\\":-1'));
    const resumed = await resumeRun(handle.folder, settings);
    const events = await collect(resumed);
    expect(events.find((event) => event.type === 'start' && event.seq > 0)).toMatchObject({
      resumedFrom: checkpoints.at(-2)?.file,
    });
    expect(warnings(events)).toEqual(expect.arrayContaining(['journal-torn', 'checkpoint-damaged']));
    expect(readdirSync(join(handle.folder, 'checkpoints')).every((name) => !name.endsWith('.tmp'))).toBe(
      true,
    );
    expect((await resumed.closed).state).toBe('done');
  });

  it('with no checkpoint that can be used starts over', async () => {
    const settings = startSettings({ steps: 20, trouble: { at: 12, kind: 'power-loss' } });
    const handle = await startRun(settings);
    await handle.closed;
    for (const name of readdirSync(join(handle.folder, 'checkpoints')))
      writeFileSync(join(handle.folder, 'checkpoints', name), '');
    const plan = readFileSync(join(handle.folder, 'plan.json'), 'utf8');
    writeFileSync(join(handle.folder, 'plan.json'), plan.replace('\\"at\\":12', '\\"at\\":-1'));
    const resumed = await resumeRun(handle.folder, settings);
    const events = await collect(resumed);
    expect(warnings(events)).toContain('restarted');
    expect(events.filter((event) => event.type === 'epoch')).toHaveLength(4);
  });

  it('written by a newer version is refused and left as it is', async () => {
    const settings = startSettings({ trouble: { at: 12, kind: 'power-loss' } });
    const handle = await startRun(settings);
    await handle.closed;
    const path = join(handle.folder, 'journal.jsonl');
    const newer = readFileSync(path, 'utf8').replace('"version":1', '"version":2');
    writeFileSync(path, newer);
    await expect(resumeRun(handle.folder, settings)).rejects.toMatchObject({ code: 'journal-version' });
    expect(readFileSync(path, 'utf8')).toBe(newer);
    expect(await readLock(handle.folder)).toBeUndefined();
  });
});

describe('a disk', () => {
  it('that is full is said, and leaves nothing half', async () => {
    // The system's limit on the size of a file stands for the end of the disk; checkpoints here have 400 kB.
    const limited = script('');
    writeFileSync(limited, `#!/bin/sh\nulimit -f 200\nexec "${process.execPath}" "$@"\n`);
    chmodSync(limited, 0o755);
    const settings = startSettings({ size: 100_000, checkpointEvery: 10 }, { nodePath: limited });
    const handle = await startRun(settings);
    expect(await handle.closed).toMatchObject({ state: 'failed' });
    const last = (await readJournal(handle.folder)).events.at(-1);
    expect(last).toMatchObject({ type: 'failed', kind: 'environment', code: 'disk-full' });
    expect(readdirSync(join(handle.folder, 'checkpoints'))).toEqual([]);
    // With room again the run goes on.
    const resumed = await resumeRun(handle.folder, { ...settings, nodePath: process.execPath });
    expect(await resumed.closed).toMatchObject({ state: 'done' });
  });

  it('from which the run was deleted ends it at the next checkpoint, and it does not come back', async () => {
    for (const remove of [
      (folder: string) => rmSync(folder, { recursive: true }),
      (folder: string) => renameSync(folder, `${folder}-away`),
    ]) {
      const handle = await startRun(startSettings({ ...ENDLESS, checkpointEvery: 50 }));
      for await (const event of handle.events) if (event.type === 'checkpoint') break;
      remove(handle.folder);
      const end = await handle.closed;
      expect(end.message).toContain('not there');
      expect(readdirOrNone(handle.folder)).toEqual([]);
    }
  });
});

describe('a backend whose lock', () => {
  const TEST_TIMES = JSON.stringify({ renewalMs: 100 });

  it('is gone or another’s ends, rather than that two write one run', async () => {
    for (const take of [
      (path: string) => rmSync(path),
      (path: string) => writeFileSync(path, readFileSync(path, 'utf8').replace(/"token":"\w/, '"token":"z')),
    ]) {
      const handle = await startRun(startSettings(ENDLESS, { env: { TEST_TIMES } }));
      take(join(handle.folder, 'lock'));
      expect((await handle.closed).message).toContain('deleted or taken by another process');
    }
  });

  it('is renewed for those who cannot look at the process', async () => {
    const handle = await startRun(startSettings(ENDLESS, { env: { TEST_TIMES } }));
    const path = join(handle.folder, 'lock');
    const longAgo = new Date(1_000_000);
    utimesSync(path, longAgo, longAgo);
    await until(
      () => statSync(path).mtimeMs,
      (time) => time > longAgo.getTime(),
    );
    await handle.stop();
    expect((await handle.closed).state).toBe('stopped');
  });

  it('names a socket that looks used, and that is made again when something tidied it away', async () => {
    const handle = await startRun(startSettings(ENDLESS, { env: { TEST_TIMES } }));
    const socket = (await readLock(handle.folder))?.socket ?? '';
    const longAgo = new Date(1_000_000);
    for (const path of [dirname(socket), socket]) {
      utimesSync(path, longAgo, longAgo);
      await until(
        () => statSync(path).atimeMs,
        (time) => time > longAgo.getTime(),
      );
    }
    for (const path of [socket, dirname(socket)]) {
      rmSync(path, { recursive: true });
      await until(() => existsSync(socket), Boolean);
      expect(statSync(dirname(socket)).mode & 0o777).toBe(0o700);
      const late = await attachRun(handle.folder);
      // Progress comes over the socket alone.
      await until(
        () => late.progress,
        (progress) => progress !== undefined,
      );
      await late.detach();
    }
    await handle.stop();
    expect((await handle.closed).state).toBe('stopped');
    expect(existsSync(dirname(socket))).toBe(false);
  });

  it('nobody comes to stops by itself, if it was started for somebody', async () => {
    const settings = startSettings(ENDLESS, {
      env: { TEST_TIMES: JSON.stringify({ firstClientMs: 50 }) },
    });
    const folder = await createRun(settings.runsFolder, settings);
    const { backend } = await spawnBackend(folder, settings);
    expect(await backend.exited).toEqual({ code: 0, signal: null });
    expect((await describeRun(folder)).state).toBe('stopped');
  });

  it('nobody waits for any more ends a job that does not stop', async () => {
    const times = { firstClientMs: 50, ownerlessMs: 50 };
    const settings = startSettings(
      { ...ENDLESS, trouble: { at: 2, kind: 'hang' } },
      { env: { TEST_TIMES: JSON.stringify(times) } },
    );
    const folder = await createRun(settings.runsFolder, settings);
    const { backend } = await spawnBackend(folder, settings);
    expect(await backend.exited).toEqual({ code: 143, signal: null });
    expect(await readLock(folder)).toBeUndefined();
  });
});

describe('a backend that does not begin', () => {
  it('because its script is missing', async () => {
    await expect(
      startRun(startSettings({}, { backendScript: '/no/such/backend.cjs' })),
    ).rejects.toMatchObject({
      kind: 'environment',
      code: 'backend-missing',
    });
  });

  it('because it breaks, with the end of its log', async () => {
    const backendScript = script('console.error("about to"); throw new Error("no engine in here")');
    await expect(startRun(startSettings({}, { backendScript }))).rejects.toMatchObject({
      code: 'backend-start',
      message: expect.stringMatching(/ended with code 1[^]*no engine in here/) as unknown,
    });
    const silent = script('process.exit(0)');
    await expect(startRun(startSettings({}, { backendScript: silent }))).rejects.toThrow('ended with code 0');
  });

  it('because it hangs, and leaves no process', async () => {
    // Time enough for a busy machine to start Node.js and say its number.
    const backendScript = script('console.log(process.pid); setInterval(() => {}, 1000)');
    const failure = await startRun(startSettings({}, { backendScript, startTimeoutMs: 4000 })).then(
      () => '',
      (error: unknown) => messageOf(error),
    );
    expect(failure).toContain('did not begin');
    const pid = Number(/\n(\d+)$/.exec(failure)?.[1]);
    expect(pid).toBeGreaterThan(1);
    expect(await readStartTime(pid)).toBeUndefined();
  });

  it('because there is no such program', async () => {
    const settings = startSettings({}, { nodePath: '/no/such/node' });
    await expect(startRun(settings)).rejects.toMatchObject({ code: 'backend-start' });
  });

  it('because another one trains the run', async () => {
    const settings = startSettings(ENDLESS);
    const handle = await startRun(settings);
    await expect(spawnBackend(handle.folder, settings)).rejects.toMatchObject({ code: 'run-locked' });
    const joined = await resumeRun(handle.folder, settings);
    expect(joined.pid).toBe(handle.pid);
    await handle.stop();
    expect((await joined.closed).state).toBe('stopped');
  });
});

describe('the environment of a backend', () => {
  it('is the parent’s without what would change how Node.js runs', () => {
    const parent = {
      PATH: '/bin',
      NODE_OPTIONS: '--inspect',
      VSCODE_INSPECTOR_OPTIONS: '{}',
      ELECTRON_RUN_AS_NODE: '1',
      NODE_EXTRA_CA_CERTS: '/ca',
      // Training that is started from within a training process has a supervisor of its own.
      SHRINKNETS_GROUP: '77',
      MALLOC_ARENA_MAX: '1',
    };
    expect(backendEnvironment(parent, { owner: 'detached', env: { ELECTRON_RUN_AS_NODE: '1' } })).toEqual({
      PATH: '/bin',
      NODE_EXTRA_CA_CERTS: '/ca',
      ELECTRON_RUN_AS_NODE: '1',
      SHRINKNETS_OWNER: 'detached',
      ...ALLOCATOR,
      // What the user says goes before what we say.
      MALLOC_ARENA_MAX: '1',
    });
  });
});
