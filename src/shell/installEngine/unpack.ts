import { createReadStream } from 'node:fs';
import { mkdir, open, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createGunzip } from 'node:zlib';
import { ShrinkError } from '../../core/errors';

/**
 * Unpacks the tarballs of the npm registry: ustar, whose files all lie in one folder. Links and devices, which a
 * package may not have, are refused.
 */

const BLOCK = 512;
const FILE_TYPES = new Set(['0', '\0']);
const FOLDER = '5';
/** Extended headers (dates, long names): skipped, but for the name. */
const PAX = 'x';
const PAX_GLOBAL = 'g';

function damaged(what: string): ShrinkError {
  return new ShrinkError('environment', 'package-damaged', `The downloaded package cannot be read: ${what}.`);
}

interface Entry {
  readonly path: string;
  readonly type: string;
  readonly size: number;
}

function text(header: Buffer, start: number, length: number): string {
  const field = header.subarray(start, start + length);
  const end = field.indexOf(0);
  return field.toString('utf8', 0, end < 0 ? length : end);
}

function readHeader(header: Buffer): Entry {
  const sum = header.reduce((total, byte, i) => total + (i >= 148 && i < 156 ? 32 : byte), 0);
  if (sum !== parseInt(text(header, 148, 8), 8)) throw damaged('a header is wrong');
  const prefix = text(header, 257, 5) === 'ustar' ? text(header, 345, 155) : '';
  const name = text(header, 0, 100);
  return {
    path: prefix === '' ? name : `${prefix}/${name}`,
    type: String.fromCharCode(header[156] ?? 0),
    size: parseInt(text(header, 124, 12).trim() || '0', 8),
  };
}

/** The path that an extended header gives to the entry after it: lines of `length key=value`. */
function paxPath(content: Buffer): string | undefined {
  return /(?:^|\n)\d+ path=([^\n]*)\n/u.exec(content.toString('utf8'))?.[1];
}

/** The path inside the package, without its outermost folder. */
function insidePath(path: string): string {
  const parts = path.split('/').slice(1);
  const odd = parts.some((part) => part === '..' || part.includes('\\') || part.includes(':'));
  if (odd || path.startsWith('/') || parts.length === 0)
    throw damaged(`${path} would lie outside the package`);
  return parts.join('/');
}

/** Cuts a stream of bytes into pieces of any size. */
class Reader {
  private readonly chunks: AsyncIterator<Buffer>;
  private rest: Buffer = Buffer.alloc(0);

  constructor(stream: AsyncIterable<Buffer>) {
    this.chunks = stream[Symbol.asyncIterator]();
  }

  /** Up to `size` bytes, fewer only at the end of the stream. */
  async some(size: number): Promise<Buffer> {
    while (this.rest.length === 0) {
      const next = await this.chunks.next();
      if (next.done === true) return this.rest;
      this.rest = next.value;
    }
    const taken = this.rest.subarray(0, size);
    this.rest = this.rest.subarray(taken.length);
    return taken;
  }

  async exactly(size: number): Promise<Buffer> {
    const parts: Buffer[] = [];
    for (let missing = size; missing > 0;) {
      const part = await this.some(missing);
      if (part.length === 0) throw damaged('it ends in the middle of a file');
      parts.push(part);
      missing -= part.length;
    }
    return Buffer.concat(parts);
  }

  /** Hands `size` bytes on, or drops them. */
  async pour(size: number, to?: FileHandle): Promise<void> {
    for (let missing = size; missing > 0;) {
      const part = await this.some(missing);
      if (part.length === 0) throw damaged('it ends in the middle of a file');
      await to?.writeFile(part);
      missing -= part.length;
    }
  }
}

/**
 * Unpacks the wanted files of a package.
 *
 * @param tarball path of a `.tgz`
 * @param folder where its files go, without their outermost folder
 * @throws ShrinkError `package-damaged`
 */
export async function unpack(
  tarball: string,
  folder: string,
  isWanted: (path: string) => boolean,
): Promise<void> {
  const source = createReadStream(tarball);
  const unzipped = createGunzip();
  source.once('error', (error) => unzipped.destroy(error));
  const reader = new Reader(source.pipe(unzipped) as AsyncIterable<Buffer>);
  let longPath: string | undefined;
  try {
    for (;;) {
      const header = await reader.exactly(BLOCK);
      if (header.every((byte) => byte === 0)) return;
      const { path, type, size } = readHeader(header);
      const padding = (BLOCK - (size % BLOCK)) % BLOCK;
      if (type === PAX) longPath = paxPath(await reader.exactly(size)) ?? longPath;
      else if (FILE_TYPES.has(type)) {
        await unpackFile(reader, insidePath(longPath ?? path), size, folder, isWanted);
        longPath = undefined;
      } else if (type === FOLDER || type === PAX_GLOBAL) await reader.pour(size);
      else throw damaged(`${path} is neither a file nor a folder`);
      await reader.pour(padding);
    }
  } catch (thrown) {
    // What zlib says of bytes that are not its own has a code that begins with Z_.
    if (thrown instanceof Error && /^Z_/u.test(String((thrown as NodeJS.ErrnoException).code)))
      throw damaged(thrown.message);
    throw thrown;
  } finally {
    source.destroy();
    unzipped.destroy();
  }
}

async function unpackFile(
  reader: Reader,
  path: string,
  size: number,
  folder: string,
  isWanted: (path: string) => boolean,
): Promise<void> {
  if (!isWanted(path)) {
    await reader.pour(size);
    return;
  }
  const target = join(folder, path);
  await mkdir(dirname(target), { recursive: true });
  const file = await open(target, 'wx', 0o644);
  try {
    await reader.pour(size, file);
  } finally {
    await file.close();
  }
}
