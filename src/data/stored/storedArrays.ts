import { open } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createWriteStream } from 'node:fs';
import { Transform } from 'node:stream';
import { badInput } from '../../core/errors';
import { sizeOf } from '../../core/tensor';
import { labelsOf, labelsBeside, PIXELS_NOTE } from '../arrays';
import type { Labels, Rows, StoredFeatures } from '../dataset';
import { readIdxHeader } from '../idx';
import { NPY_HEAD, readNpyHeader } from '../npy';
import { isPacked, openStream, sentence, sizeOfFile } from '../openFile';
import type { ReadData } from '../tableParts';
import { cached, identityOf } from './cacheFolder';
import type { Conversion } from './conversion';
import { openRows, WriteFailed } from './rowFile';

/** Arrays that stay on disk: NPY and IDX files are read in place, packed ones are unpacked first. */

/** Values that are looked at at once. */
const CHUNK_VALUES = 2 ** 20;

/**
 * Opens a pair of files; the inputs stay on disk, the labels are read.
 *
 * @param labels file of the labels; without it, the file that is named like the inputs
 * @throws ShrinkError `data-…`
 */
export async function openPair(
  inputs: string,
  labels: string | undefined,
  conversion: Conversion,
): Promise<ReadData<StoredFeatures>> {
  const beside = labels ?? (await labelsBeside(inputs));
  const notes = labels === undefined ? [`labels are read from ${path.basename(beside)}`] : [];
  const { rows, count, isPixels } = await openArray(inputs, conversion);
  if (isPixels) notes.push(PIXELS_NOTE);
  const y: Labels = await labelsOf(beside);
  const given = y.kind === 'classes' ? y.ids.length : y.features.data.length / sizeOf(y.features.shape);
  if (given !== count)
    throw badInput(
      'data-shape',
      `${path.basename(inputs)} of ${inputs} has ${count} rows of x and ${given} of y; give a label for every row.`,
    );
  const train: Rows<StoredFeatures> = { count, x: rows, y };
  return { parts: { train }, notes };
}

async function openArray(
  file: string,
  conversion: Conversion,
): Promise<{ rows: StoredFeatures; count: number; isPixels: boolean }> {
  const plain = isPacked(file) ? await unpacked(file, conversion.part(0, 0.5)) : file;
  const total = await sizeOfFile(plain);
  const head = await firstBytes(plain, Math.min(total, NPY_HEAD + 12));
  const isNpy = head[0] === 0x93 || /\.npy(\.gz)?$/i.test(file);
  const header = isNpy ? readNpyHeader(head, total, file) : readIdxHeader(head, total, file);
  if ('fortran' in header && header.fortran === true)
    throw badInput(
      'data-size',
      `${file} is too large for memory and stored column by column; save it by rows (numpy.ascontiguousarray).`,
    );
  const [count = 0, ...shape] = header.shape;
  if (count === 0) throw badInput('data-missing', `${file} holds no rows; give it some.`);
  const isPixels = header.type.isByte && shape.length >= 2;
  const rows = openRows({
    file: plain,
    offset: header.start,
    count,
    shape,
    type: header.type,
    scale: isPixels ? 1 / 255 : 1,
  });
  if (!header.type.isFinite) checkFinite(rows, count, file, conversion.part(0.5, 1));
  return { rows, count, isPixels };
}

function checkFinite(rows: StoredFeatures, count: number, file: string, conversion: Conversion): void {
  const size = sizeOf(rows.shape);
  const atOnce = Math.max(1, Math.floor(CHUNK_VALUES / size));
  const chunk = new Float32Array(Math.min(count, atOnce) * size);
  for (let start = 0; start < count; start += atOnce) {
    conversion.advance(start / count);
    const length = Math.min(atOnce, count - start);
    rows.fill(
      Uint32Array.from({ length }, (_, i) => start + i),
      chunk,
    );
    const wrong = chunk.subarray(0, length * size).findIndex((value) => !Number.isFinite(value));
    if (wrong >= 0)
      throw badInput(
        'data-nan',
        `${file} holds ${String(chunk[wrong])} in row ${start + Math.floor(wrong / size)}; replace or drop such rows.`,
      );
  }
}

async function firstBytes(file: string, length: number): Promise<Uint8Array> {
  const handle = await open(file);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}

async function unpacked(file: string, conversion: Conversion): Promise<string> {
  const folder = await cached(['unpacked', await identityOf(file)], async (into) => {
    const { stream, share } = await openStream(file);
    const watched = new Transform({
      transform: (chunk, _encoding, done) => {
        try {
          conversion.advance(share());
          done(null, chunk);
        } catch (thrown) {
          done(thrown as Error);
        }
      },
    });
    const out = createWriteStream(path.join(into, 'rows'), { flags: 'wx', mode: 0o600 });
    let failed: unknown;
    out.on('error', (thrown) => (failed = thrown));
    await pipeline(stream, watched, out).catch((thrown: unknown) => {
      if (failed === thrown) throw new WriteFailed('the disk does not take it', { cause: thrown });
      if (conversion.signal.aborted) throw thrown;
      throw badInput(
        'data-format',
        `${file} cannot be unpacked: ${sentence(thrown)}; fetch it again.`,
        thrown,
      );
    });
  });
  return path.join(folder, 'rows');
}

/** Bytes that the rows of an array take in memory; undefined where its header cannot be read. */
export async function arrayBytes(file: string): Promise<number | undefined> {
  if (isPacked(file)) return undefined;
  const total = await sizeOfFile(file);
  try {
    const head = await firstBytes(file, Math.min(total, NPY_HEAD + 12));
    const header = head[0] === 0x93 ? readNpyHeader(head, total, file) : readIdxHeader(head, total, file);
    return sizeOf(header.shape) * (header.type.isByte ? 1 : Float32Array.BYTES_PER_ELEMENT);
  } catch {
    // Reading it will say what is wrong with it.
    return undefined;
  }
}
