import { openSync, closeSync, readFileSync, statSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { boundLog, logLength, MAX_LOG_BYTES, readLogLines } from '../../src/run/log';
import { makeFolder, removeFolders } from './support/runs';

afterAll(removeFolders);

/** Lines of 32 bytes. */
const line = (number: number): string => `line ${String(number).padStart(26, '0')}\n`;
const LINES = MAX_LOG_BYTES / 32 + 1;

function writeLog(): { folder: string; path: string } {
  const folder = makeFolder();
  const path = join(folder, 'backend.log');
  writeFileSync(path, Array.from({ length: LINES }, (_value, i) => line(i)).join(''));
  return { folder, path };
}

describe('the log of a run', () => {
  it('that has grown too long keeps whole lines of its beginning and its end', async () => {
    const { folder, path } = writeLog();
    await boundLog(folder);
    const kept = readFileSync(path, 'utf8');
    expect(kept.length).toBeLessThan(MAX_LOG_BYTES);
    const [head = '', tail = ''] = kept.split('\n[ShrinkNets left out the middle of this log]\n');
    expect(head.startsWith(line(0) + line(1))).toBe(true);
    expect(tail.endsWith(line(LINES - 2) + line(LINES - 1))).toBe(true);
    for (const text of `${head}${tail}`.trim().split('\n')) expect(text).toMatch(/^line \d{26}$/);
    expect(await readLogLines(folder)).toContain(line(LINES - 1).trim());
  });

  it('goes on at its new end for who has it open, and can be cut again', async () => {
    const { folder, path } = writeLog();
    const open = openSync(path, 'a');
    for (let round = 0; round < 3; round += 1) {
      await boundLog(folder);
      const before = statSync(path).size;
      writeSync(open, 'and on\n');
      expect(statSync(path).size).toBe(before + 7);
      expect(readFileSync(path, 'utf8').endsWith('and on\n')).toBe(true);
      writeSync(open, line(round).repeat(LINES));
    }
    closeSync(open);
    await boundLog(folder);
    const kept = readFileSync(path, 'utf8');
    expect(kept.match(/left out the middle/g)).toHaveLength(1);
    expect(kept.startsWith(line(0) + line(1))).toBe(true);
  });

  it('that is not too long, has no lines or is not there is left as it is', async () => {
    const { folder, path } = writeLog();
    truncateSync(path, MAX_LOG_BYTES);
    await boundLog(folder);
    expect(await logLength(folder)).toBe(MAX_LOG_BYTES);
    writeFileSync(path, 'x'.repeat(MAX_LOG_BYTES + 1));
    await boundLog(folder);
    expect(await logLength(folder)).toBeLessThan(MAX_LOG_BYTES);
    const none = makeFolder();
    await boundLog(none);
    expect(await logLength(none)).toBe(0);
    expect(await readLogLines(none)).toEqual([]);
  });
});
