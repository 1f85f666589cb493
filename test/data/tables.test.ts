import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { completeDataset } from '../../src/data/splitData';
import { standardizeDataset } from '../../src/data/standardize';
import { DIGITS, makeFolder, REAL, type Folder } from './files';

let folder: Folder;
beforeAll(() => {
  folder = makeFolder();
  copyFileSync(DIGITS, path.join(folder.path, 'digits.csv.gz'));
  for (const name of ['oes97.arff.gz', 'gas-sensor-drift-batch1.csv.gz'])
    copyFileSync(path.join(REAL, name), path.join(folder.path, name));
});
afterAll(() => folder.remove());

describe('CSV', () => {
  it('reads the digits, without a header, the last column the class', async () => {
    const { parts, notes, measured } = await folder.read('digits.csv.gz');
    expect(parts.train).toMatchObject({
      count: 1797,
      x: { shape: [64] },
      y: { kind: 'classes', classes: 10 },
    });
    expect([...parts.train.x.data.slice(0, 6)]).toEqual([0, 0, 5, 13, 9, 1]);
    expect(measured).toEqual(Array.from({ length: 64 }, () => true));
    expect(notes).toEqual(['the last column, column 65, is predicted; target= names another']);
  });

  it('reads a header, text classes in sorted order, and a text column one-hot', async () => {
    folder.write('pets.csv', 'size,"coat, kind",sort\n1.5,long,dog\n2,short,cat\n-3e1,"long",dog\n');
    const { parts, notes, measured } = await folder.read('pets.csv', { target: 'sort' });
    expect(parts.train.x.shape).toEqual([3]);
    expect([...parts.train.x.data]).toEqual([1.5, 1, 0, 2, 0, 1, -30, 1, 0]);
    expect(parts.train.y).toEqual({ kind: 'classes', ids: Int32Array.from([1, 0, 1]), classes: 2 });
    expect(measured).toEqual([true, false, false]);
    expect(notes.join('\n')).toContain('"coat, kind" is text: one-hot, 2 inputs in the order long, short');
    expect(notes.join('\n')).toContain('classes of column "sort" in sorted order: 0 cat, 1 dog');
  });

  it('reads the gas sensors: a class by name, a concentration as a value', async () => {
    const gas = await folder.read('gas-sensor-drift-batch1.csv.gz', { target: 'gas' });
    expect(gas.parts.train).toMatchObject({ x: { shape: [130] }, y: { kind: 'classes' } });
    expect(gas.notes.join('\n')).toContain('0 Acetaldehyde');
    const ppm = await folder.read('gas-sensor-drift-batch1.csv.gz', { target: '3' });
    expect(ppm.parts.train.y).toMatchObject({ kind: 'values', features: { shape: [1] } });
  });

  it.each([
    ['a tab', 'tabs.tsv', 'a\tb\n1\t0.5\n2\t1.5\n'],
    ['a semicolon', 'semicolons.csv', 'a;b\r\n1;0.5\r\n2;1.5\r\n'],
    ['a byte order mark', 'mark.csv', '\uFEFFa,b\n1,0.5\n2,1.5'],
  ])('reads values with %s', async (_what, name, text) => {
    folder.write(name, text);
    const { parts } = await folder.read(name, { target: 'b' });
    expect([...parts.train.x.data]).toEqual([1, 2]);
    expect(parts.train.y).toMatchObject({
      kind: 'values',
      features: { data: Float32Array.from([0.5, 1.5]) },
    });
  });

  it('numbers classes of the test data like those of the training data', async () => {
    folder.write('a.csv', 'x,kind\n1,red\n2,green\n3,blue\n');
    folder.write('b.csv', 'kind,x\nred,7\nblue,9\n');
    const { parts } = await folder.read('a.csv', { test: 'b.csv', target: 'kind' });
    expect(parts.test?.y).toMatchObject({ ids: Int32Array.from([2, 0]), classes: 3 });
    expect([...(parts.test?.x.data ?? [])]).toEqual([7, 9]);
  });

  it('says which target there can be, and takes lists', async () => {
    folder.write('list.csv', 'a,b,c,d\n1,2,3,4.5\n5,6,7,8.5\n');
    const { parts } = await folder.read('list.csv', { target: 'd,b' });
    expect(parts.train.y).toMatchObject({
      features: { shape: [2], data: Float32Array.from([2, 4.5, 6, 8.5]) },
    });
    expect(await folder.refusal('list.csv', { target: 'e' })).toMatch(/no column "e".*1 to 4.*"d"/);
    expect(await folder.refusal('list.csv', { target: '9' })).toMatch(/columns 1 to 4/);
    expect(await folder.refusal('list.csv', { target: 'last 4' })).toMatch(/leave at least one/);
  });
});

describe('ARFF', () => {
  it('reads the employment survey with its 16 targets', async () => {
    const { parts } = await folder.read('oes97.arff.gz', { target: 'last 16' });
    expect(parts.train).toMatchObject({ count: 334, x: { shape: [263] }, y: { features: { shape: [16] } } });
    const dataset = standardizeDataset(completeDataset(parts, 0.2, 1));
    const { x, y } = dataset.train;
    expect(Math.abs(meanOf(x.data))).toBeLessThan(1e-6);
    if (y.kind === 'values') expect(meanOf(y.features.data.map((v) => v * v))).toBeCloseTo(1, 5);
    expect(dataset.notes.join('\n')).toContain('263 input columns are standardised');
  });

  it('reads nominal values, quotes, comments and sparse rows', async () => {
    folder.write(
      'small.arff',
      "% a comment\n@RELATION r\n@attribute 'my size' REAL\n@attribute b integer\n@attribute c {no, 'oh yes'}\n@data\n1.5,2,no\n{1 4, 2 'oh yes'}\n{}\n",
    );
    const { parts } = await folder.read('small.arff');
    expect([...parts.train.x.data]).toEqual([1.5, 2, 0, 4, 0, 0]);
    expect(parts.train.y).toMatchObject({ ids: Int32Array.from([0, 1, 0]) });
  });
});

describe('Parquet', () => {
  it('reads numbers, big integers, booleans and text', async () => {
    const rows = 250;
    const column = <T>(make: (i: number) => T): T[] => Array.from({ length: rows }, (_, i) => make(i));
    const buffer = parquetWriteBuffer({
      columnData: [
        { name: 'a', data: column((i) => i / 4), type: 'DOUBLE' },
        { name: 'b', data: column((i) => BigInt(i)), type: 'INT64' },
        { name: 'c', data: column((i) => i % 2 === 0), type: 'BOOLEAN' },
        { name: 'label', data: column((i) => ['x', 'y', 'z'][i % 3] ?? ''), type: 'STRING' },
      ],
      rowGroupSize: 100,
    });
    folder.write('rows.parquet', new Uint8Array(buffer));
    const { parts } = await folder.read('rows.parquet');
    expect(parts.train).toMatchObject({ count: rows, x: { shape: [3] }, y: { classes: 3 } });
    expect([...parts.train.x.data.slice(-3)]).toEqual([62.25, 249, 0]);
  });
});

describe('damaged Parquet', () => {
  it.each([
    ['damaged-run-length.parquet', /makes no progress, so it is damaged/],
    ['damaged-footer.parquet', /cannot be read as Parquet/],
  ])('%s is refused, and the next file is read', async (name, says) => {
    copyFileSync(path.join(REAL, name), path.join(folder.path, name));
    expect(await folder.refusal(name)).toMatch(says);
    expect((await folder.read('rows.parquet')).parts.train.count).toBe(250);
  });

  it('ends its process with the one that asked', async () => {
    const file = path.join(REAL, 'damaged-run-length.parquet');
    const script = path.resolve('dist/parquet.cjs');
    // The asking process is killed while the reading one is caught in the file; both write their ids.
    const asker = spawn(process.execPath, [
      '-e',
      `const child = require('child_process').fork(${JSON.stringify(script)}, [], { serialization: 'advanced' });
       child.on('message', (m) => {
         if (m.ready) child.send({ open: ${JSON.stringify(file)} });
         if (m.groups) { child.send({ read: [0, 10] }); setTimeout(() => { console.log(child.pid); }, 300); }
       });`,
    ]);
    const [said] = (await once(asker.stdout, 'data')) as [Buffer];
    asker.kill('SIGKILL');
    await vi.waitFor(() => expect(isAlive(Number(said.toString()))).toBe(false), {
      timeout: 20_000,
      interval: 100,
    });
  });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe('standardisation', () => {
  it('takes the training rows alone, and leaves one-hot inputs', async () => {
    folder.write(
      's.csv',
      `x,k,y\n${Array.from({ length: 40 }, (_, i) => `${i},${i % 2 ? 'a' : 'b'},${i % 3}`).join('\n')}\n`,
    );
    folder.write('t.csv', 'x,k,y\n1000,a,0\n1000,c,1\n');
    const { parts, measured, notes } = await folder.read('s.csv', { test: 't.csv' });
    expect(notes.join('\n')).toContain('read as all zeros: c');
    const { train, test } = standardizeDataset(completeDataset(parts, 0.25, 1), measured);
    expect(meanOf(train.x.data.filter((_, i) => i % 3 === 0))).toBeCloseTo(0, 5);
    expect(test.x.data[0]).toBeGreaterThan(50);
    expect([...test.x.data.slice(1, 3)]).toEqual([1, 0]);
    expect([...test.x.data.slice(4, 6)]).toEqual([0, 0]);
  });
});

describe('a bad table is refused in a sentence', () => {
  it.each([
    ['nothing', 'empty.csv', '', /empty\.csv is empty/],
    ['a header alone', 'header.csv', 'a,b\n', /no rows/],
    ['a short row', 'short.csv', 'a,b\n1,2\n3\n', /line 3 has 1 values where 2/],
    ['a missing value', 'gap.csv', 'a,b\n1,2\n,4\n', /line 3 has no value in column "a"/],
    ['NaN', 'nan.csv', 'a,b\n1,2\nNaN,4\n', /line 3.*"NaN"/],
    ['an open quote', 'quote.csv', 'a,b\n1,"2\n3,4\n', /quote\.csv cannot be read.*[Qq]uote/],
    ['a text among numbers', 'typo.csv', `a,b\n${'1,2\n'.repeat(30)}l,2\n`, /row 31 of column "a" is "l"/],
    ['one column', 'one.csv', 'a\n1\n2\n', /no column beside the target/],
    [
      'gzip cut off',
      'cut.csv.gz',
      gzipSync('a,b\n1,2\n'.repeat(99)).subarray(0, 20),
      /cut\.csv\.gz cannot be read/,
    ],
    ['no gzip', 'no.csv.gz', 'a,b\n1,2\n', /no\.csv\.gz cannot be read/],
    ['no @data', 'no.arff', '@relation r\n@attribute a real\n', /no @data/],
    ['a date', 'date.arff', '@attribute a date "yyyy"\n@data\n', /line 1: attributes of type "date"/],
    [
      'a row too long',
      'long.arff',
      '@attribute a real\n@attribute b real\n@data\n1,2,3\n',
      /line 4 has 3 values/,
    ],
    [
      'a wrong index',
      'index.arff',
      '@attribute a real\n@attribute b real\n@data\n{7 1}\n',
      /line 4.*no attribute/,
    ],
    ['no Parquet', 'no.parquet', 'a,b\n1,2\n', /no\.parquet cannot be read as Parquet/],
    ['an unknown kind', 'what.xyz', 'hello', /no known kind.*\.csv/],
  ])('%s', async (_what, name, content, says) => {
    folder.write(name, content);
    const message = await folder.refusal(name);
    expect(message).toMatch(says);
    expect(message).not.toContain('\n');
  });

  it('missing files and files of another kind', async () => {
    expect(await folder.refusal('nowhere.csv')).toMatch(/nowhere\.csv does not exist/);
    expect(await folder.refusal('digits.csv.gz', { test: 'nowhere.csv' })).toMatch(
      /nowhere\.csv does not exist/,
    );
    expect(await folder.refusal('digits.csv.gz', { test: '.' })).toMatch(/same kind/);
  });
});

function meanOf(values: ArrayLike<number>): number {
  return Array.from(values).reduce((sum, value) => sum + value, 0) / values.length;
}
