import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { encode } from 'jpeg-js';
import fc from 'fast-check';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { PNG } from 'pngjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ShrinkError } from '../../src/core/errors';
import { bigInts, DIGITS, floats, idx, makeFolder, npy, REAL, zip, type Folder } from './files';

/** Damaged data files end in rows or in a ShrinkError of one line, never in anything else. */

/** Files per kind; `SHRINKNETS_FUZZ=10000` runs them longer. */
const RUNS = Number(process.env['SHRINKNETS_FUZZ'] ?? 150);
const WORDS = [
  '\n',
  ',',
  '"',
  "'",
  '{',
  '}',
  '@data\n',
  '?',
  '-1',
  '1e999',
  '9007199254740993',
  '\u0000',
  ')',
  'L',
];

const mutation = fc.record({
  at: fc.nat(),
  length: fc.nat({ max: 20 }),
  bytes: fc.oneof(
    fc.uint8Array({ maxLength: 12 }),
    fc.constantFrom(...WORDS).map((text) => new Uint8Array(Buffer.from(text))),
    fc.constantFrom(Uint8Array.of(255, 255, 255, 127), new Uint8Array(8).fill(255), new Uint8Array(4)),
  ),
});
const mutations = fc.array(mutation, { minLength: 1, maxLength: 5 });

function mutate(
  bytes: Uint8Array,
  changes: readonly { at: number; length: number; bytes: Uint8Array }[],
): Buffer {
  let result = Buffer.from(bytes);
  for (const change of changes) {
    const at = result.length === 0 ? 0 : change.at % result.length;
    result = Buffer.concat([result.subarray(0, at), change.bytes, result.subarray(at + change.length)]);
  }
  return result;
}

function firstLines(file: string, count: number): Buffer {
  return Buffer.from(gunzipSync(readFileSync(file)).toString().split('\n').slice(0, count).join('\n'));
}

const X = npy('<f4', [3, 2], floats([1, 2, 3, 4, 5, 6]));
const Y = npy('<i8', [3], bigInts([0, 1, 0]));
const picture = new PNG({ width: 4, height: 4 });
picture.data.fill(120);

/** Thirty rows in three groups. @param codec of its pages */
function parquet(codec: 'SNAPPY' | 'UNCOMPRESSED'): Uint8Array {
  const column = <T>(make: (i: number) => T): T[] => Array.from({ length: 30 }, (_, i) => make(i));
  return new Uint8Array(
    parquetWriteBuffer({
      codec,
      columnData: [
        { name: 'a', data: column((i) => i / 4), type: 'DOUBLE' },
        { name: 'b', data: column((i) => BigInt(i)), type: 'INT64' },
        { name: 'c', data: column((i) => i % 2 === 0), type: 'BOOLEAN' },
        { name: 'label', data: column((i) => ['x', 'y', 'z'][i % 3] ?? ''), type: 'STRING' },
      ],
      rowGroupSize: 10,
    }),
  );
}

const KINDS: readonly [name: string, bytes: Uint8Array, data?: string][] = [
  ['a.csv', firstLines(DIGITS, 20)],
  ['gas.csv', firstLines(path.join(REAL, 'gas-sensor-drift-batch1.csv.gz'), 8)],
  [
    'b.arff',
    Buffer.from("@relation r\n@attribute 'a b' real\n@attribute c {x, y}\n@data\n1,x\n{0 4, 1 y}\n3,'x'\n"),
  ],
  ['c.parquet', parquet('UNCOMPRESSED')],
  ['packed.parquet', parquet('SNAPPY')],
  ['x.npy', X, 'x.npy,labels.npy'],
  ['e.npz', zip({ 'x.npy': X, 'y.npy': Y })],
  ['f-images-idx3-ubyte', idx([3, 2, 2], new Uint8Array(12)), 'f-images-idx3-ubyte,labels.npy'],
  ['digits.csv.gz', readFileSync(DIGITS).subarray(0, 3000)],
  ['png/a/i.png', PNG.sync.write(picture), 'png'],
  ['jpg/a/i.jpg', encode({ width: 8, height: 8, data: Buffer.alloc(256, 90) }, 80).data, 'jpg'],
];

let folder: Folder;
beforeAll(() => {
  folder = makeFolder();
  folder.write('labels.npy', Y);
});
afterAll(() => folder.remove());

describe('damaged files', () => {
  it.each(KINDS)('%s', { timeout: 120_000 + RUNS * 200 }, async (name, bytes, data = name) => {
    await fc.assert(
      fc.asyncProperty(mutations, async (changes) => {
        folder.write(name, mutate(bytes, changes));
        try {
          const { parts } = await folder.read(data);
          expect(parts.train.count).toBeGreaterThan(0);
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(ShrinkError);
          expect((thrown as ShrinkError).kind).toBe('bad-input');
          expect((thrown as ShrinkError).message).not.toMatch(/\n/);
        }
      }),
      { numRuns: RUNS },
    );
  });

  it('a pipe is refused, not waited for', async () => {
    if (process.platform === 'win32') return;
    const made = spawnSync('mkfifo', [path.join(folder.path, 'pipe.csv')]);
    if (made.status === 0) expect(await folder.refusal('pipe.csv')).toMatch(/no plain file/);
  });
});
