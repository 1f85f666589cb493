import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { deflateRawSync } from 'node:zlib';
import { ShrinkError } from '../../src/core/errors';
import { readDataFiles } from '../../src/data/readData';
import type { ReadData } from '../../src/data/tableParts';

/** Data files that tests make, in a folder of their own. */

export const REAL = path.join(import.meta.dirname, 'files');
export const DIGITS = path.resolve(import.meta.dirname, '../../media/sample/digits.csv.gz');

export interface Folder {
  readonly path: string;
  write(name: string, content: string | Uint8Array): string;
  read(data: string, names?: { test?: string; target?: string }): Promise<ReadData>;
  /** The sentence with which reading is refused. */
  refusal(data: string, names?: { test?: string; target?: string }): Promise<string>;
  remove(): void;
}

export function makeFolder(): Folder {
  const folder = mkdtempSync(path.join(tmpdir(), 'sn-data-'));
  const read: Folder['read'] = (data, names = {}) => readDataFiles({ folder, data, ...names });
  return {
    path: folder,
    read,
    write: (name, content) => {
      const file = path.join(folder, name);
      mkdirSync(path.dirname(file), { recursive: true });
      writeFileSync(file, content);
      return file;
    },
    refusal: async (data, names) => {
      const thrown: unknown = await read(data, names).then(
        () => undefined,
        (error: unknown) => error,
      );
      if (!(thrown instanceof ShrinkError)) throw new Error(`not refused: ${String(thrown)}`);
      return thrown.message;
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** An NPY file as `numpy.save` writes it. @param body the values' bytes */
export function npy(descr: string, shape: readonly number[], body: Uint8Array, fortran = false): Buffer {
  const tuple = shape.length === 1 ? `(${shape.join('')},)` : `(${shape.join(', ')})`;
  const text = `{'descr': '${descr}', 'fortran_order': ${fortran ? 'True' : 'False'}, 'shape': ${tuple}, }`;
  const header = `${text.padEnd(Math.ceil((text.length + 11) / 64) * 64 - 11 + 0)}\n`;
  const length = Buffer.alloc(2);
  length.writeUInt16LE(header.length);
  return Buffer.concat([
    Buffer.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0]),
    length,
    Buffer.from(header),
    body,
  ]);
}

export function floats(values: readonly number[]): Uint8Array {
  return new Uint8Array(Float32Array.from(values).buffer);
}

export function bigInts(values: readonly number[]): Uint8Array {
  return new Uint8Array(BigInt64Array.from(values.map(BigInt)).buffer);
}

/** An IDX file of bytes. */
export function idx(shape: readonly number[], body: Uint8Array): Buffer {
  const header = Buffer.alloc(4 + 4 * shape.length);
  header.set([0, 0, 8, shape.length]);
  shape.forEach((length, i) => header.writeUInt32BE(length, 4 + 4 * i));
  return Buffer.concat([header, body]);
}

/** A zip file, deflated, without checksums: readers of ours do not check them. */
export function zip(entries: Readonly<Record<string, Uint8Array>>): Buffer {
  const locals: Buffer[] = [];
  const central: Buffer[] = [];
  let offset = 0;
  for (const [name, content] of Object.entries(entries)) {
    const packed = deflateRawSync(content);
    const shared = Buffer.alloc(26);
    shared.writeUInt16LE(20, 0);
    shared.writeUInt16LE(8, 4);
    shared.writeUInt32LE(packed.length, 14);
    shared.writeUInt32LE(content.length, 18);
    shared.writeUInt16LE(name.length, 22);
    const local = Buffer.concat([Buffer.from('PK\u0003\u0004'), shared, Buffer.from(name), packed]);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(offset, 10);
    central.push(
      Buffer.concat([Buffer.from('PK\u0001\u0002'), Buffer.from([20, 0]), shared, tail, Buffer.from(name)]),
    );
    locals.push(local);
    offset += local.length;
  }
  const directory = Buffer.concat(central);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(central.length, 4);
  end.writeUInt16LE(central.length, 6);
  end.writeUInt32LE(directory.length, 8);
  end.writeUInt32LE(offset, 12);
  return Buffer.concat([...locals, directory, Buffer.from('PK\u0005\u0006'), end]);
}
