import { spawnSync } from 'node:child_process';
import {
  closeSync,
  copyFileSync,
  existsSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { encode } from 'jpeg-js';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { PNG } from 'pngjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ShrinkError } from '../../src/core/errors';
import { sizeOf } from '../../src/core/tensor';
import { fillRows, type AnyFeatures, type Dataset, type Rows } from '../../src/data/dataset';
import { readDataFiles, type DataNames } from '../../src/data/readData';
import { completeDataset } from '../../src/data/splitData';
import { standardizeDataset } from '../../src/data/standardize';
import { Conversion, Stopped } from '../../src/data/stored/conversion';
import { fitInputs } from '../../src/train/fitInput';
import { eventsOf, makeProject, root, startCli } from '../support/cli';
import { DIGITS, idx, makeFolder, npy, REAL, type Folder } from './files';

/** Rows that stay on disk are the rows that would be in memory. */

let folder: Folder;
let cache: string;
const shown: number[] = [];

beforeAll(() => {
  folder = makeFolder();
  cache = path.join(folder.path, 'cache');
  process.env['SHRINKNETS_CACHE'] = cache;
  writeFiles(folder);
});
afterAll(() => {
  delete process.env['SHRINKNETS_CACHE'];
  folder.remove();
});

function writeFiles(into: Folder): void {
  const to = into.path;
  const write = (name: string, content: string | Uint8Array): string => into.write(name, content);
  copyFileSync(DIGITS, path.join(to, 'digits.csv.gz'));
  copyFileSync(path.join(REAL, 'oes97.arff.gz'), path.join(to, 'oes97.arff.gz'));
  const kinds = ['long', 'short', '7', 'curly'];
  const pets = (from: number, count: number, sort: readonly string[]): string =>
    Array.from({ length: count }, (_, i) => {
      const n = from + i;
      return `${(n * 0.37).toFixed(3)},${kinds[n % kinds.length]},${sort[n % sort.length]},${n % 13}`;
    }).join('\n');
  write('pets.csv', `size,coat,sort,age\n${pets(0, 400, ['dog', 'cat', 'eel'])}\n`);
  write('more.csv', `size,coat,sort,age\n${pets(400, 60, ['cat', 'dog'])}\n3,woolly,cat,2\n`);
  const column = <T>(make: (i: number) => T): T[] => Array.from({ length: 500 }, (_, i) => make(i));
  const parquet = parquetWriteBuffer({
    columnData: [
      { name: 'a', data: column((i) => Math.sin(i)), type: 'DOUBLE' },
      { name: 'b', data: column((i) => BigInt(i * 3)), type: 'INT64' },
      { name: 'label', data: column((i) => ['x', 'y', 'z'][i % 3] ?? ''), type: 'STRING' },
    ],
    rowGroupSize: 70,
  });
  write('rows.parquet', new Uint8Array(parquet));
  const values = Float64Array.from({ length: 300 * 6 }, (_, i) => Math.cos(i) * 100);
  write('wide-x.npy', npy('<f8', [300, 2, 3], new Uint8Array(values.buffer)));
  write('plain-x.npy', npy('<f4', [300, 6], new Uint8Array(Float32Array.from(values).buffer)));
  write(
    'labels.npy',
    npy(
      '|u1',
      [300],
      Uint8Array.from({ length: 300 }, (_, i) => i % 4),
    ),
  );
  const pixels = Uint8Array.from({ length: 200 * 12 }, (_, i) => (i * 7) % 256);
  write('t-images-idx3-ubyte', idx([200, 4, 3], pixels));
  write('t-images-idx3-ubyte.gz', gzipSync(idx([200, 4, 3], pixels)));
  const classes = Uint8Array.from({ length: 200 }, (_, i) => i % 5);
  write('t-labels-idx1-ubyte', idx([200], classes));
  write('t-labels-idx1-ubyte.gz', gzipSync(idx([200], classes)));
  for (let i = 0; i < 24; i += 1) {
    const image = new PNG({ width: 4, height: 3 });
    image.data.forEach((_, at) => (image.data[at] = at % 4 === 3 ? 255 : Math.floor(at / 4) * 9 + i));
    write(`gray/${i % 2 === 0 ? 'even' : 'odd'}/${i}.png`, PNG.sync.write(image));
    const data = Buffer.alloc(8 * 8 * 4, 40 + i);
    data.forEach((_, at) => (data[at] = (at * (i + 3)) % 256));
    const part = i < 16 ? 'train' : 'test';
    write(`jpg/${part}/${['a', 'b', 'c'][i % 3]}/${i}.jpg`, encode({ width: 8, height: 8, data }, 90).data);
  }
}

function conversion(signal = new AbortController().signal): Conversion {
  return new Conversion(signal, (share) => shown.push(share));
}

async function stored(names: Omit<DataNames, 'folder'>, signal?: AbortSignal) {
  return readDataFiles({ folder: folder.path, ...names }, { budget: 0, conversion: conversion(signal) });
}

/** All values of a part, in an order that is not that of the file. */
function valuesOf({ x, count }: Rows): Float32Array {
  const order = Uint32Array.from({ length: count }, (_, i) => (i * 7 + 3) % count);
  const into = new Float32Array(count * sizeOf(x.shape));
  fillRows(x, order, into);
  return into;
}

function expectSame(a: Dataset, b: Dataset): void {
  for (const part of ['train', 'validation', 'test'] as const) {
    expect(a[part].count).toBe(b[part].count);
    expect(a[part].x.shape).toEqual(b[part].x.shape);
    expect(a[part].y).toEqual(b[part].y);
    expect(Buffer.compare(bytesOf(valuesOf(a[part])), bytesOf(valuesOf(b[part])))).toBe(0);
  }
}

function bytesOf(values: Float32Array): Uint8Array {
  return new Uint8Array(values.buffer);
}

describe('rows on disk', () => {
  it.each<[string, Omit<DataNames, 'folder'>]>([
    ['packed CSV', { data: 'digits.csv.gz' }],
    [
      'CSV with texts, a test file and texts that only it has',
      { data: 'pets.csv', test: 'more.csv', target: 'sort' },
    ],
    ['CSV with a number to predict', { data: 'pets.csv', target: 'size' }],
    ['ARFF with 16 targets', { data: 'oes97.arff.gz', target: 'last 16' }],
    ['Parquet', { data: 'rows.parquet' }],
    ['NPY of doubles', { data: 'wide-x.npy,labels.npy' }],
    ['NPY of floats', { data: 'plain-x.npy', target: 'labels.npy' }],
    ['IDX', { data: 't-images-idx3-ubyte' }],
    ['packed IDX', { data: 't-images-idx3-ubyte.gz', test: 't-images-idx3-ubyte' }],
    ['gray images', { data: 'gray' }],
    ['colour images with a test folder', { data: 'jpg' }],
  ])('%s: the same batches, bit by bit, as in memory', async (_what, names) => {
    const { test, target } = names;
    const memory = await folder.read(names.data, {
      ...(test === undefined ? {} : { test }),
      ...(target === undefined ? {} : { target }),
    });
    const disk = await stored(names);
    expect('fill' in disk.parts.train.x).toBe(true);
    expect(disk.notes.slice(0, -1)).toEqual(memory.notes);
    expect(disk.notes.at(-1)).toMatch(/read from disk/);
    expect({ ...disk, parts: undefined, notes: [] }).toEqual({ ...memory, parts: undefined, notes: [] });
    const [a, b] = [completeDataset<AnyFeatures>(memory.parts, 0.2, 5), completeDataset(disk.parts, 0.2, 5)];
    expectSame(a, b);
    const [c, h, w] = [a.train.x.shape[2] ?? 0, a.train.x.shape[0] ?? 0, a.train.x.shape[1] ?? 0];
    // Rows of [h, w, c], taken as channels first, are transposed to [w, c, h].
    const wanted = [{ shape: [w, c, h] }];
    if (c > 1)
      expectSame(fitInputs(a, wanted, 'channels-first', []), fitInputs(b, wanted, 'channels-first', []));
    // Sums are taken in another order, so that the last bits may differ.
    const [sa, sb] = [standardizeDataset(a, memory.measured), standardizeDataset(b, disk.measured)];
    const [va, vb] = [valuesOf(sa.train), valuesOf(sb.train)];
    expect(Math.max(...va.map((value, i) => Math.abs(value - (vb[i] ?? Number.NaN))))).toBeLessThan(1e-4);
  });

  it('are converted once, in a folder of the user alone, that is forgotten after a while', async () => {
    await stored({ data: 'rows.parquet' });
    const before = readdirSync(cache).sort();
    const times = before.map(
      (name) => statSync(path.join(cache, name, readdirSync(path.join(cache, name))[0] ?? '')).mtimeMs,
    );
    await stored({ data: 'rows.parquet' });
    expect(readdirSync(cache).sort()).toEqual(before);
    expect(
      before.map(
        (name) => statSync(path.join(cache, name, readdirSync(path.join(cache, name))[0] ?? '')).mtimeMs,
      ),
    ).toEqual(times);
    if (process.platform !== 'win32') expect(statSync(cache).mode & 0o077).toBe(0);
    const [old = ''] = before;
    utimesSync(path.join(cache, old), new Date(0), new Date(0));
    mkdirSync(path.join(cache, 'abc.999999999.ab12.tmp'));
    await stored({ data: 'pets.csv', target: '1,2' }).catch(() => undefined);
    expect(readdirSync(cache)).not.toContain(old);
    expect(readdirSync(cache)).not.toContain('abc.999999999.ab12.tmp');
  });

  it('are converted again when the file changed', async () => {
    folder.write('change.csv', `a,b\n${'1.5,2.5\n'.repeat(30)}`);
    expect((await stored({ data: 'change.csv' })).parts.train.count).toBe(30);
    folder.write('change.csv', `a,b\n${'1.5,2.5\n'.repeat(31)}`);
    expect((await stored({ data: 'change.csv' })).parts.train.count).toBe(31);
  });

  it('can be stopped while they are converted; nothing is left', async () => {
    const entries = existsSync(cache) ? readdirSync(cache) : [];
    folder.write('long.csv', `a,b\n${'1.5,2.5\n'.repeat(5000)}`);
    const stop = new AbortController();
    stop.abort();
    await expect(stored({ data: 'long.csv' }, stop.signal)).rejects.toBeInstanceOf(Stopped);
    expect(readdirSync(cache).filter((name) => !entries.includes(name))).toEqual([]);
  });

  it.each([
    ['gap.csv', 'a,b\n1,2\n,4\n', /line 3 has no value in column "a"/],
    ['typo.csv', `a,b\n${'1,2\n'.repeat(30)}l,2\n`, /row 31 of column "a" is "l"/],
    ['huge.csv', `a,b\n${'1,2\n'.repeat(30)}1e300,2\n`, /row 31 holds a number beyond/],
    ['empty.csv', 'a,b\n', /no rows/],
    ['nan-x.npy', npy('<f4', [2], bytesOf(Float32Array.of(1, Number.NaN))), /holds NaN in row 1/],
    ['cut-x.npy', npy('<f4', [99], new Uint8Array(4)), /cut off/],
  ])('%s is refused as in memory, and leaves nothing', async (name, content, says) => {
    folder.write(name, content);
    folder.write(
      name.replace('x.npy', 'y.npy'),
      name.endsWith('npy') ? npy('|u1', [2], Uint8Array.of(0, 1)) : content,
    );
    const entries = readdirSync(cache);
    const thrown: unknown = await stored({ data: name }).catch((error: unknown) => error);
    expect(thrown).toBeInstanceOf(ShrinkError);
    expect((thrown as ShrinkError).message).toMatch(says);
    expect(readdirSync(cache).filter((entry) => !entries.includes(entry))).toEqual([]);
  });
});

const MODEL = `
import * as tf from '@tensorflow/tfjs';
export function build() {
  const model = tf.sequential();
  model.add(tf.layers.dense({ inputShape: [WIDTH], units: 8, activation: 'relu' }));
  model.add(tf.layers.dense({ units: 4, activation: 'softmax' }));
  return model;
}
`;
const FLAGS = ['--engine', 'wasm', '--finish', '1', '--epochs', '2', '--budget', '50%', '--json'];

describe('training from disk', () => {
  it('needs less memory than the file has', { timeout: 180_000 }, async () => {
    if (process.platform !== 'linux') return;
    const [rows, width] = [50_000, 4096];
    const project = makeProject({ 'model.ts': MODEL.replace('WIDTH', String(width)) });
    try {
      makeLargeFile(path.join(project.folder, 'big-x.npy'), rows, width);
      const labels = Uint8Array.from({ length: rows }, (_, i) => i % 4);
      writeFileSync(path.join(project.folder, 'big-y.npy'), npy('|u1', [rows], labels));
      const args = ['train', 'model.ts', '--data', 'big-x.npy', '--data-memory', '64', '--batch-size', '512'];
      const running = startCli([...args, ...FLAGS], project.folder);
      let peak = 0;
      const watching = setInterval(() => (peak = Math.max(peak, peakMemory(project.folder))), 20);
      const result = await running.done;
      clearInterval(watching);
      expect(result.stderr).not.toMatch(/\n\s+at /);
      expect(result.code).toBe(0);
      expect(eventsOf(result).some((event) => event['type'] === 'result')).toBe(true);
      expect(peak).toBeGreaterThan(1e7);
      expect(peak).toBeLessThan(statSync(path.join(project.folder, 'big-x.npy')).size);
    } finally {
      project.remove();
    }
  });

  it('a full disk is said, and leaves no half-written rows', { timeout: 60_000 }, () => {
    if (process.platform === 'win32') return;
    const rows = Array.from({ length: 20_000 }, (_, i) => `${i % 91},${i % 17},${i % 7},${i % 4}`).join('\n');
    const project = makeProject({
      'model.ts': MODEL.replace('WIDTH', '3'),
      'rows.csv': `a,b,c,d\n${rows}\n`,
    });
    const own = path.join(project.folder, 'cache');
    try {
      // The system's limit on the size of a file stands for the end of the disk.
      const done = spawnSync(
        '/bin/sh',
        [
          '-c',
          `ulimit -f 200; exec "$0" "$@"`,
          process.execPath,
          path.join(root, 'dist', 'cli.cjs'),
          'train',
          'model.ts',
          '--data',
          'rows.csv',
          '--data-memory',
          '0',
          ...FLAGS,
        ],
        { cwd: project.folder, env: { ...process.env, SHRINKNETS_CACHE: own }, encoding: 'utf8' },
      );
      expect(done.stderr + done.stdout).toMatch(/no space left for its converted rows/);
      expect(done.status).toBe(1);
      expect(readdirSync(own)).toEqual([]);
    } finally {
      project.remove();
    }
  });
});

/** A file of floats of which only the first rows are other than 0: it takes next to no room on the disk. */
function makeLargeFile(file: string, rows: number, width: number): void {
  const head = npy('<f4', [rows, width], new Uint8Array(0));
  const descriptor = openSync(file, 'w');
  writeSync(descriptor, head);
  writeSync(descriptor, bytesOf(Float32Array.from({ length: 100 * width }, (_, i) => Math.sin(i))));
  ftruncateSync(descriptor, head.length + rows * width * 4);
  closeSync(descriptor);
}

/** Bytes that the backend of a project's only run had in memory at most; 0 when none runs. */
function peakMemory(project: string): number {
  try {
    const runs = path.join(project, '.shrinknets', 'runs');
    const [run = ''] = readdirSync(runs);
    const lock = readdirSync(path.join(runs, run)).find((name) => name.includes('lock')) ?? '';
    const { pid } = JSON.parse(readFileSync(path.join(runs, run, lock), 'utf8')) as { pid: number };
    const line = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
    return Number(line?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}
