import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { totalmem } from 'node:os';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { createGunzip, gunzipSync } from 'node:zlib';
import { badInput, messageOf } from '../core/errors';

/** Reading files with the sentences that a user needs when it fails. */

/** Rows that lie in memory while a network trains may take this share of the machine's. */
const SHARE_OF_MEMORY = 0.5;

/** Bytes of data that may be held in memory, unless `dataMemory` says it. */
export function memoryLimit(): number {
  return Math.floor(totalmem() * SHARE_OF_MEMORY);
}

/** @throws ShrinkError `data-size` when so many bytes of data do not fit into memory */
export function checkSize(bytes: number, file: string): void {
  const limit = memoryLimit();
  if (bytes <= limit) return;
  throw badInput(
    'data-size',
    `${file} takes ${gigabytes(bytes)} in memory, more than half of this machine's (${gigabytes(limit)}); give fewer rows or columns.`,
  );
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toPrecision(3)} GB`;
}

/** The bytes of a file, unpacked if it is gzip. @throws ShrinkError `data-missing`, `data-size`, `data-format` */
export async function readBytes(file: string): Promise<Uint8Array> {
  checkSize(await sizeOfFile(file), file);
  const bytes = await readFile(file).catch((thrown: unknown) => {
    throw unreadable(file, thrown);
  });
  return unpack(bytes, file);
}

/** Unpacks gzip; other bytes stay as they are. */
export function unpack(bytes: Uint8Array, file: string): Uint8Array {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  try {
    return gunzipSync(bytes, { maxOutputLength: Math.min(memoryLimit(), 2 ** 32) });
  } catch (thrown) {
    throw badInput('data-format', `${file} cannot be unpacked: ${sentence(thrown)}; fetch it again.`, thrown);
  }
}

/** A file that is read from front to back. */
export interface FileStream {
  readonly stream: Readable;
  /** Share of the file that was read, 0..1. */
  readonly share: () => number;
}

/** A file as a stream, unpacked if its name ends in .gz. @throws ShrinkError `data-missing` */
export async function openStream(file: string): Promise<FileStream> {
  const size = await sizeOfFile(file);
  const raw = createReadStream(file);
  const share = (): number => raw.bytesRead / Math.max(1, size);
  if (!isPacked(file)) return { stream: raw, share };
  const unpacked = createGunzip();
  raw.on('error', (error) => unpacked.destroy(error));
  return { stream: raw.pipe(unpacked), share };
}

/** Whether a file is gzip by its name. */
export function isPacked(file: string): boolean {
  return file.toLowerCase().endsWith('.gz');
}

/** @throws ShrinkError `data-missing` when it is not there or no plain file */
export async function sizeOfFile(file: string): Promise<number> {
  const found = await stat(file).catch((thrown: unknown) => {
    throw unreadable(file, thrown);
  });
  if (!found.isFile()) throw badInput('data-missing', `${file} is no plain file; name a data file.`);
  return found.size;
}

function unreadable(file: string, thrown: unknown): Error {
  const code = (thrown as { code?: unknown } | undefined)?.code;
  return code === 'ENOENT'
    ? badInput(
        'data-missing',
        `${file} does not exist; correct data= or test= in the model’s hint, or the option or setting of that name.`,
        thrown,
      )
    : badInput(
        'data-missing',
        `${file} cannot be read: ${sentence(thrown)}; correct data= or its rights.`,
        thrown,
      );
}

/** The message of anything thrown, on one line and without a full stop. */
export function sentence(thrown: unknown): string {
  const message = messageOf(thrown).replaceAll(/\s+/g, ' ').trim().replace(/\.$/, '');
  return message.length > 160 ? `${message.slice(0, 157)}...` : message;
}

/** The extension without `.gz`, in lower case: `.csv` for `a.CSV.gz`. */
export function extensionOf(file: string): string {
  return path.extname(file.toLowerCase().replace(/\.gz$/, ''));
}
