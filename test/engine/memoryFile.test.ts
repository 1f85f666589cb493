import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import { afterAll, describe, expect, it } from 'vitest';
import { openMemory } from '../../src/engine/memory';

const root = mkdtempSync(join(tmpdir(), 'memory-'));
afterAll(() => rmSync(root, { recursive: true }));
let folders = 0;
const newFolder = () => join(root, String((folders += 1)), 'deep');

const DAY = 24 * 3600 * 1000;

describe('what is remembered of engines', () => {
  it('is there for the next run, by everything it depends on', () => {
    const folder = newFolder();
    expect(openMemory(folder).recall(['a', { version: 1 }])).toBeUndefined();
    openMemory(folder, () => 5).remember(['a', { version: 1 }], { fast: true });
    const recalled = openMemory(folder, () => 6).recall(['a', { version: 1 }]);
    expect(recalled).toEqual({ at: 5, value: { fast: true } });
    expect(openMemory(folder, () => 6).recall(['a', { version: 2 }])).toBeUndefined();
  });

  it('is forgotten after a month, and where it is from the future', () => {
    const folder = newFolder();
    openMemory(folder, () => 100 * DAY).remember('a', 1);
    expect(openMemory(folder, () => 129 * DAY).recall('a')).toBeDefined();
    expect(openMemory(folder, () => 131 * DAY).recall('a')).toBeUndefined();
    expect(openMemory(folder, () => 99 * DAY).recall('a')).toBeUndefined();
  });

  it.each(['', '{"a":', '[]', 'null', '{"a":1,"b":{"at":"x"}}', '\0'.repeat(100)])(
    'is nothing where the file holds %j, and whole afterwards',
    (content) => {
      const folder = newFolder();
      openMemory(folder).remember('a', 1);
      writeFileSync(join(folder, 'engines.json'), content);
      expect(openMemory(folder).recall('a')).toBeUndefined();
      openMemory(folder).remember('b', 2);
      expect(openMemory(folder).recall('b')?.value).toBe(2);
    },
  );

  it.skipIf(process.platform === 'win32')('is for the user alone', () => {
    const folder = newFolder();
    openMemory(folder).remember('a', 1);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    expect(statSync(join(folder, 'engines.json')).mode & 0o777).toBe(0o600);
  });

  it('costs nothing but time where it cannot be written', () => {
    const file = join(root, 'file');
    writeFileSync(file, '');
    const memory = openMemory(file);
    memory.remember('a', 1);
    expect(memory.recall('a')).toBeUndefined();
  });

  it('does not grow without end', () => {
    const folder = newFolder();
    const memory = openMemory(folder);
    for (let i = 0; i < 230; i += 1) memory.remember(i, i);
    expect(
      Object.keys(JSON.parse(readFileSync(join(folder, 'engines.json'), 'utf8')) as object),
    ).toHaveLength(200);
    expect(memory.recall(229)?.value).toBe(229);
  });

  it('is whole when processes write at once', async () => {
    const folder = newFolder();
    const script = join(root, 'writer.cjs');
    buildSync({
      stdin: {
        contents: `import { openMemory } from './src/engine/memory'; const m = openMemory(process.argv[2]);
          for (let i = 0; i < 60; i += 1) { m.remember([process.argv[3], i], i); m.recall('x'); }`,
        resolveDir: process.cwd(),
        loader: 'ts',
      },
      outfile: script,
      bundle: true,
      platform: 'node',
      format: 'cjs',
    });
    const writers = ['a', 'b', 'c'].map((name) => spawn(process.execPath, [script, folder, name]));
    const ends = await Promise.all(writers.map((writer) => once(writer, 'exit')));
    expect(ends).toEqual([
      [0, null],
      [0, null],
      [0, null],
    ]);
    expect(readdirSync(folder)).toEqual(['engines.json']);
    const kept = Object.keys(JSON.parse(readFileSync(join(folder, 'engines.json'), 'utf8')) as object);
    expect(kept.length).toBeGreaterThanOrEqual(60);
  });
});
