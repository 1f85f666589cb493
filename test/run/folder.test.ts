import { execFileSync, spawn } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readCrashes } from '../../src/run/crashes';
import { listRuns } from '../../src/run/listRuns';
import { readLock } from '../../src/run/lock';
import { resolveInside, runsFolderFor } from '../../src/run/paths';
import {
  exists,
  isSameProcess,
  parseProcStat,
  readStartTime,
  startTimeCommand,
} from '../../src/run/processIdentity';
import { createRun, isRunName, nameRun, readPlan } from '../../src/run/runFolder';
import {
  isOwnSocket,
  makeSocketPath,
  remakeSocketFolder,
  removeSocketPath,
  touchSocket,
} from '../../src/run/socketPath';
import { countingPlan, makeFolder, OPTIONS, removeFolders } from './support/runs';

afterAll(removeFolders);

const NOW = new Date(2026, 10, 22, 15, 30, 12);
const newRun = { plan: countingPlan(), options: OPTIONS, now: NOW };

describe('a run’s folder', () => {
  it('has a name that sorts and can be read', () => {
    expect(nameRun('mnist', NOW)).toBe('20261122-153012-mnist');
    expect(nameRun('../évil name\0/', NOW)).toBe('20261122-153012-vil-name');
    expect(nameRun('漢字', NOW)).toBe('20261122-153012-model');
    expect(nameRun('x'.repeat(300), NOW).length).toBeLessThan(60);
    for (const label of ['a', '..', '漢', 'a/b']) expect(isRunName(nameRun(label, NOW))).toBe(true);
    for (const name of ['..', '.', 'a', '20261122-153012-', '20261122-153012-a/b'])
      expect(isRunName(name)).toBe(false);
  });

  it('is made once, even in the same second, and is ignored by git', async () => {
    const runs = join(makeFolder(), 'dir ü', '.shrinknets', 'runs');
    const [one, two] = await Promise.all([createRun(runs, newRun), createRun(runs, newRun)]);
    expect([basename(one), basename(two)].sort()).toEqual([
      '20261122-153012-mnist',
      '20261122-153012-mnist-2',
    ]);
    expect(readFileSync(join(runs, '../.gitignore'), 'utf8')).toBe('*\n');
    expect(await readPlan(one)).toEqual(newRun.plan);
    expect((await listRuns(runs)).map((run) => run.state)).toEqual(['interrupted', 'interrupted']);
  });

  it('leaves a folder that the user chose as it is', async () => {
    const out = makeFolder();
    await createRun(runsFolderFor('/x/model.ts', out), newRun);
    expect(existsSync(join(out, '.gitignore'))).toBe(false);
    expect(existsSync(join(out, 'runs'))).toBe(true);
  });

  it('lies beside the nearest package.json or repository', () => {
    const root = makeFolder();
    mkdirSync(join(root, 'a/b'), { recursive: true });
    mkdirSync(join(root, '.git'));
    expect(runsFolderFor(join(root, 'a/b/model.ts'))).toBe(join(root, '.shrinknets/runs'));
    writeFileSync(join(root, 'a/package.json'), '{}');
    expect(runsFolderFor(join(root, 'a/b/model.ts'))).toBe(join(root, 'a/.shrinknets/runs'));
  });

  it('that cannot be made is the user’s to mend', async () => {
    const file = join(makeFolder(), 'file');
    writeFileSync(file, '');
    await expect(createRun(join(file, 'runs'), newRun)).rejects.toMatchObject({ kind: 'bad-input' });
    await expect(createRun('/proc/shrinknets/runs', newRun)).rejects.toMatchObject({ kind: 'bad-input' });
  });

  it('that is read-only is the user’s to mend', async () => {
    const folder = makeFolder();
    chmodSync(folder, 0o555);
    // Root may write everywhere, and tests may be run by root.
    const root = process.getuid?.() === 0;
    if (root) process.seteuid?.(65_534);
    try {
      await expect(createRun(join(folder, 'runs'), newRun)).rejects.toMatchObject({
        kind: 'bad-input',
        code: 'not-writable',
      });
    } finally {
      if (root) process.seteuid?.(0);
    }
  });

  it('that is damaged is left out of the list', async () => {
    const runs = join(makeFolder(), 'runs');
    const folder = await createRun(runs, newRun);
    mkdirSync(join(runs, '20261122-153013-empty'));
    writeFileSync(join(runs, 'notes.txt'), '');
    expect(await listRuns(runs)).toHaveLength(1);
    writeFileSync(join(folder, 'plan.json'), '{"version":1');
    expect(await listRuns(runs)).toEqual([]);
    await expect(readPlan(folder)).rejects.toMatchObject({ code: 'run-damaged' });
    expect(await listRuns(join(runs, 'gone'))).toEqual([]);
  });
});

describe('a path named in a journal', () => {
  it('stays inside the folder', () => {
    const folder = makeFolder();
    mkdirSync(join(folder, 'weights'));
    symlinkSync('/etc', join(folder, 'outside'));
    symlinkSync(join(folder, 'weights'), join(folder, 'inside'));
    symlinkSync('/nowhere/at/all', join(folder, 'dangling'));
    expect(resolveInside(folder, 'weights/a b.bin')).toBe(join(folder, 'weights/a b.bin'));
    expect(resolveInside(folder, 'inside/x')).toBe(join(folder, 'inside/x'));
    for (const bad of [
      '',
      '/etc/passwd',
      '../x',
      'weights/../../x',
      'a//b',
      './a',
      'a/.',
      'C:/x',
      '..\\x',
      'a\0b',
      'outside/passwd',
      'outside',
      'dangling',
    ])
      expect(() => resolveInside(folder, bad), bad).toThrow(/does not lie inside/);
  });
});

describe('a folder of somebody else’s', () => {
  it('may have files of any size and kind: they are not read into memory, and not waited for', async () => {
    const folder = await createRun(join(makeFolder(), 'runs'), newRun);
    for (const name of ['lock', 'crashes.json', 'plan.json']) {
      writeFileSync(join(folder, name), '');
      truncateSync(join(folder, name), 2 ** 40);
    }
    expect(await readLock(folder)).toBeUndefined();
    expect(await readCrashes(folder)).toEqual([]);
    await expect(readPlan(folder)).rejects.toMatchObject({ code: 'run-damaged' });
    rmSync(join(folder, 'lock'));
    execFileSync('mkfifo', [join(folder, 'lock')]);
    expect(await readLock(folder)).toBeUndefined();
    expect(await listRuns(join(folder, '..'))).toEqual([]);
  });
});

describe('a process', () => {
  it('is read from /proc, whatever its name', () => {
    const fields = Array.from({ length: 50 }, (_value, i) => String(i + 4)).join(' ');
    expect(parseProcStat(`77 (a) b (c) S ${fields}`)).toEqual({ state: 'S', group: 5, startTicks: '22' });
    expect(parseProcStat('')).toBeUndefined();
    expect(parseProcStat('1 (x) S 1')).toBeUndefined();
  });

  it('is the same only with its start time', async () => {
    const start = (await readStartTime(process.pid)) ?? '';
    expect(await isSameProcess(process.pid, start)).toBe(true);
    expect(await isSameProcess(process.pid, `${start}0`)).toBe(false);
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
    const pid = child.pid ?? 0;
    const childStart = (await readStartTime(pid)) ?? '';
    expect(childStart).not.toBe('');
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
    expect(await isSameProcess(pid, childStart)).toBe(false);
    expect(exists(process.pid)).toBe(true);
  });

  it('is asked for with ps on macOS and PowerShell on Windows', async () => {
    expect(startTimeCommand('darwin', 42)).toEqual({ file: 'ps', args: ['-o', 'lstart=', '-p', '42'] });
    expect(startTimeCommand('win32', 42).args.join(' ')).toContain('Get-Process -Id 42');
    // The macOS path as it is: this system's ps knows the same option.
    const start = await readStartTime(process.pid, 'darwin');
    expect(start).toMatch(/^darwin:\w{3} \w{3} \d+ [\d:]+ \d{4}$/);
    expect(await readStartTime(process.pid, 'darwin')).toBe(start);
    expect(await readStartTime(2 ** 22 + 1, 'darwin')).toBeUndefined();
  });
});

describe('a socket', () => {
  it('lies in a folder that only its user may enter', async () => {
    const socket = await makeSocketPath();
    expect(await isOwnSocket(socket)).toBe(true);
    execFileSync('chmod', ['755', join(socket, '..')]);
    expect(await isOwnSocket(socket)).toBe(false);
    await removeSocketPath(socket);
    expect(existsSync(join(socket, '..'))).toBe(false);
    expect(await isOwnSocket('/var/run/docker.sock')).toBe(false);
    const pipe = await makeSocketPath('win32');
    // Windows takes at most 256 characters, and only after this beginning.
    expect(pipe).toMatch(/^\\\\\.\\pipe\\shrinknets-[0-9a-f]{32}$/);
    expect(await isOwnSocket(pipe, 'win32')).toBe(true);
    for (const other of [
      `${pipe}0`,
      pipe.replace('pipe', 'mailslot'),
      String.raw`\\server\pipe\shrinknets-x`,
    ])
      expect(await isOwnSocket(other, 'win32')).toBe(false);
  });

  it('lies in the user’s runtime folder, if that is private and short enough', async () => {
    const parentFor = async (runtime: string): Promise<string> => {
      const socket = await makeSocketPath('linux', { XDG_RUNTIME_DIR: runtime });
      expect(await isOwnSocket(socket)).toBe(true);
      await removeSocketPath(socket);
      return join(socket, '../..');
    };
    const runtime = makeFolder();
    expect(await parentFor(runtime)).toBe(runtime);
    chmodSync(runtime, 0o755);
    expect(await parentFor(runtime)).toBe(tmpdir());
    const long = join(makeFolder(), 'x'.repeat(80));
    mkdirSync(long, { mode: 0o700 });
    for (const unfit of [long, join(runtime, 'gone'), 'relative', ''])
      expect(await parentFor(unfit)).toBe(tmpdir());
    const link = join(makeFolder(), 'link');
    symlinkSync(makeFolder(), link);
    expect(await parentFor(link)).toBe(tmpdir());
  });

  it('whose folder is another’s by now is not made again', async () => {
    const socket = await makeSocketPath();
    execFileSync('chmod', ['777', join(socket, '..')]);
    await expect(remakeSocketFolder(socket)).rejects.toThrow('not private');
    await removeSocketPath(socket);
    await remakeSocketFolder(socket);
    expect(await isOwnSocket(socket)).toBe(true);
    expect(await touchSocket(socket)).toBe(false);
    await removeSocketPath(socket);
  });

  it('is all that is removed, whatever a lock says', async () => {
    const folder = makeFolder();
    writeFileSync(join(folder, 's'), 'mine');
    await removeSocketPath(join(folder, 's'));
    expect(readFileSync(join(folder, 's'), 'utf8')).toBe('mine');
  });
});
