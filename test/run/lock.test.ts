import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import {
  acquireLock,
  readLiveLock,
  readLock,
  releaseLock,
  removeStaleLock,
  type LockInfo,
} from '../../src/run/lock';
import { readStartTime } from '../../src/run/processIdentity';
import { makeFolder, removeFolders } from './support/runs';

afterAll(removeFolders);

const lockOf = (token: string, more: Partial<LockInfo> = {}): LockInfo => ({
  version: 1,
  pid: process.pid,
  startTime: 'linux:another:1',
  host: hostname(),
  socket: '/tmp/none',
  token: token.repeat(64).slice(0, 64),
  ...more,
});

const alive = async (token: string): Promise<LockInfo> =>
  lockOf(token, { startTime: (await readStartTime(process.pid)) ?? '' });

describe('the lock', () => {
  it('is taken once, kept from others, and readable by its user alone', async () => {
    const folder = makeFolder();
    const mine = await alive('a');
    expect(await acquireLock(folder, mine)).toEqual({});
    expect(statSync(join(folder, 'lock')).mode & 0o777).toBe(0o600);
    await expect(acquireLock(folder, await alive('b'))).rejects.toMatchObject({
      kind: 'bad-input',
      code: 'run-locked',
    });
    expect(await readLiveLock(folder)).toEqual(mine);
    await releaseLock(folder, (await alive('b')).token);
    expect(await readLock(folder)).toEqual(mine);
    await releaseLock(folder, mine.token);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('of a process id that is another process now is taken over', async () => {
    const folder = makeFolder();
    await acquireLock(folder, lockOf('s'));
    expect(await readLiveLock(folder)).toBeUndefined();
    const { stale } = await acquireLock(folder, await alive('a'));
    expect(stale).toContain('"token":"ssss');
    expect(await readLiveLock(folder)).toEqual(await alive('a'));
    expect(readdirSync(folder)).toEqual(['lock']);
  });

  it('of a process that has ended is taken over', async () => {
    const folder = makeFolder();
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
    const pid = child.pid ?? 0;
    await acquireLock(folder, lockOf('c', { pid, startTime: (await readStartTime(pid)) ?? '' }));
    expect((await readLiveLock(folder))?.pid).toBe(pid);
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
    expect(await readLiveLock(folder)).toBeUndefined();
    await acquireLock(folder, await alive('a'));
  });

  it('that is damaged is taken over', async () => {
    for (const text of ['', '{', 'null', '{"version":1,"pid":-1}']) {
      const folder = makeFolder();
      writeFileSync(join(folder, 'lock'), text);
      expect(await readLiveLock(folder)).toBeUndefined();
      expect((await acquireLock(folder, await alive('a'))).stale).toBe(text);
    }
  });

  it('that is stale goes to exactly one of many', async () => {
    for (let round = 0; round < 8; round += 1) {
      const folder = makeFolder();
      await acquireLock(folder, lockOf('s'));
      const contenders = await Promise.all(['a', 'b', 'c', 'd', 'e', 'f'].map(alive));
      const taken = await Promise.allSettled(contenders.map((lock) => acquireLock(folder, lock)));
      const winners = contenders.filter((_lock, i) => taken[i]?.status === 'fulfilled');
      expect(winners).toHaveLength(1);
      expect(await readLock(folder)).toEqual(winners[0]);
      expect(readdirSync(folder)).toEqual(['lock']);
    }
  });

  it('that is stale can be taken over though somebody died while doing so', async () => {
    const folder = makeFolder();
    await acquireLock(folder, lockOf('s'));
    // The one who died: its guard lies beside the lock, named after the stale content.
    writeFileSync(join(folder, guardName(folder)), `${JSON.stringify(lockOf('d'))}\n`);
    await acquireLock(folder, await alive('a'));
    expect(await readLiveLock(folder)).toEqual(await alive('a'));
    expect(readdirSync(folder)).toEqual(['lock']);
  });

  it('of another machine holds while it is renewed', async () => {
    const folder = makeFolder();
    await acquireLock(folder, lockOf('o', { host: 'another' }));
    await expect(acquireLock(folder, await alive('a'))).rejects.toThrow(/on another/);
    const longAgo = new Date(Date.now() - 3_600_000);
    utimesSync(join(folder, 'lock'), longAgo, longAgo);
    await acquireLock(folder, await alive('a'));
  });

  it('is removed by others only when it is stale', async () => {
    const folder = makeFolder();
    const mine = await alive('a');
    await acquireLock(folder, mine);
    await removeStaleLock(folder, mine);
    expect(await readLock(folder)).toEqual(mine);
    await releaseLock(folder, mine.token);
    await acquireLock(folder, lockOf('s'));
    await removeStaleLock(folder, lockOf('t'));
    expect(await readLock(folder)).toEqual(lockOf('s'));
    await removeStaleLock(folder, lockOf('s'));
    expect(readdirSync(folder)).toEqual([]);
  });

  it('in a folder that is gone cannot be taken', async () => {
    await expect(acquireLock(join(makeFolder(), 'gone'), await alive('a'))).rejects.toMatchObject({
      code: 'folder-gone',
    });
  });
});

/** The guard's name as the lock makes it: the first 8 hex digits of the SHA-256 of the stale text. */
function guardName(folder: string): string {
  const text = readFileSync(join(folder, 'lock'));
  return `lock.${createHash('sha256').update(text).digest('hex').slice(0, 8)}`;
}
