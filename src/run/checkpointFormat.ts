import { createHash } from 'node:crypto';
import { open, type FileHandle } from 'node:fs/promises';
import { z } from 'zod';
import { ShrinkError } from '../core/errors';
import type { Checkpoint } from '../core/job';
import { sizeOf, type HostTensor } from '../core/tensor';
import { codeOf, fileError, writeDurably } from './durable';

/**
 * A checkpoint is one safetensors file (little-endian): 8 bytes with the length of the header, the header as JSON
 * padded with spaces to a multiple of 8, then the tensors one after the other as F32. Any safetensors reader
 * opens it. The `__metadata__` of the header carries
 *
 *     sha256   of the whole file, with this value taken as 64 zeros; always the first key of the header
 *     format   `shrinknets-checkpoint-1`
 *     run, seq, step   which event of which journal it belongs to
 *     state    the JSON text of everything that is not a tensor
 */

const FORMAT = 'shrinknets-checkpoint-1';
const HASH_KEY = '"sha256":"';
const BLANK_HASH = '0'.repeat(64);
/** The header holds names, shapes and state, never weights; more than this is damage. */
const MAX_HEADER_BYTES = 256 * 1024 * 1024;

/** Where a checkpoint belongs. */
export interface CheckpointPlace {
  readonly run: string;
  /** `seq` of its `checkpoint` event. */
  readonly seq: number;
}

export type StoredCheckpoint = Checkpoint & CheckpointPlace;

const metadataSchema = z.object({
  sha256: z.string().length(64),
  format: z.literal(FORMAT),
  run: z.string(),
  seq: z.string().regex(/^\d{1,15}$/),
  step: z.string().regex(/^\d{1,15}$/),
  state: z.string(),
});

const entrySchema = z.object({
  dtype: z.literal('F32'),
  shape: z.array(z.number().int().min(0)).max(32),
  data_offsets: z.tuple([z.number().int().min(0), z.number().int().min(0)]),
});

interface Header {
  readonly metadata: z.infer<typeof metadataSchema>;
  /** In the order in which their data lies. */
  readonly entries: readonly (readonly [string, z.infer<typeof entrySchema>])[];
}

function bytesOf(data: Float32Array): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/** @throws RangeError if a tensor's data does not fit its shape, or its name cannot be stored */
function encodeHeader(checkpoint: Checkpoint, place: CheckpointPlace, sha256: string): Buffer {
  const entries: [string, unknown][] = [];
  let offset = 0;
  for (const [name, tensor] of Object.entries(checkpoint.tensors)) {
    if (name === '__metadata__') throw new RangeError('a tensor cannot be called __metadata__');
    if (sizeOf(tensor.shape) !== tensor.data.length)
      throw new RangeError(
        `tensor ${name}: ${tensor.data.length} values for shape [${tensor.shape.join(', ')}]`,
      );
    const end = offset + tensor.data.byteLength;
    entries.push([name, { dtype: 'F32', shape: tensor.shape, data_offsets: [offset, end] }]);
    offset = end;
  }
  const metadata = {
    sha256,
    format: FORMAT,
    run: place.run,
    seq: String(place.seq),
    step: String(checkpoint.step),
    state: JSON.stringify(checkpoint.state ?? null),
  };
  // Written by hand so that the metadata comes first even if a tensor has a whole number for its name.
  const tensors = entries.map(([name, entry]) => `,${JSON.stringify(name)}:${JSON.stringify(entry)}`);
  const json = Buffer.from(`{"__metadata__":${JSON.stringify(metadata)}${tensors.join('')}}`);
  const padded = Math.ceil(json.byteLength / 8) * 8;
  const header = Buffer.alloc(8 + padded, ' ');
  header.writeBigUInt64LE(BigInt(padded), 0);
  json.copy(header, 8);
  return header;
}

/**
 * Writes a checkpoint durably.
 *
 * @param checkpoint its tensors are not copied: they must not change until the promise settles
 * @throws ShrinkError `disk-full`, `folder-gone`, …
 */
export async function writeCheckpoint(
  path: string,
  checkpoint: Checkpoint,
  place: CheckpointPlace,
): Promise<void> {
  const chunks = Object.values(checkpoint.tensors).map((tensor) => bytesOf(tensor.data));
  const hash = createHash('sha256').update(encodeHeader(checkpoint, place, BLANK_HASH));
  for (const chunk of chunks) hash.update(chunk);
  await writeDurably(path, [encodeHeader(checkpoint, place, hash.digest('hex')), ...chunks]);
}

/**
 * Reads and verifies a checkpoint.
 *
 * @throws ShrinkError `checkpoint-damaged` for anything but a whole file of this format
 */
export async function readCheckpoint(path: string): Promise<StoredCheckpoint> {
  let file: FileHandle;
  try {
    file = await open(path, 'r');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') throw damaged(path, 'the file is missing', error);
    throw fileError(error, 'open a checkpoint', path);
  }
  try {
    return await decode(file, path);
  } finally {
    await file.close();
  }
}

async function decode(file: FileHandle, path: string): Promise<StoredCheckpoint> {
  const { size } = await file.stat();
  const prefix = await readExactly(file, 0, 8, path);
  const headerBytes = Number(prefix.readBigUInt64LE(0));
  if (headerBytes > Math.min(size - 8, MAX_HEADER_BYTES)) throw damaged(path, 'it ends too early');
  const header = await readExactly(file, 8, headerBytes, path);
  const { metadata, entries } = parseHeader(header, path);

  const hash = createHash('sha256').update(prefix).update(blankHash(header));
  const tensors: [string, HostTensor][] = [];
  let position = 0;
  for (const [name, entry] of entries) {
    const [begin, end] = entry.data_offsets;
    const length = sizeOf(entry.shape);
    if (begin !== position || end !== begin + length * 4 || end > size - 8 - headerBytes)
      throw damaged(path, `the place of tensor ${JSON.stringify(name.slice(0, 80))} is wrong`);
    const data = new Float32Array(length);
    await fill(file, bytesOf(data), 8 + headerBytes + begin, path);
    hash.update(bytesOf(data));
    tensors.push([name, { shape: entry.shape, data }]);
    position = end;
  }
  if (position !== size - 8 - headerBytes) throw damaged(path, 'its length is wrong');
  if (hash.digest('hex') !== metadata.sha256) throw damaged(path, 'its checksum does not match');
  return {
    run: metadata.run,
    seq: Number(metadata.seq),
    step: Number(metadata.step),
    state: parseState(metadata.state, path),
    // fromEntries defines properties, so a tensor called __proto__ is only a tensor.
    tensors: Object.fromEntries(tensors),
  };
}

function parseHeader(header: Buffer, path: string): Header {
  try {
    const value: unknown = JSON.parse(header.toString('utf8'));
    if (typeof value !== 'object' || value === null) throw new TypeError('not an object');
    // One by one, not by a schema of the whole: that would drop a tensor called __proto__. And sorted, since
    // names that are whole numbers come first in an object.
    const fields = Object.entries(value);
    const metadata = metadataSchema.parse(fields.find(([name]) => name === '__metadata__')?.[1]);
    const entries = fields
      .filter(([name]) => name !== '__metadata__')
      .map(([name, entry]) => [name, entrySchema.parse(entry)] as const)
      .sort(([, a], [, b]) => a.data_offsets[0] - b.data_offsets[0] || a.data_offsets[1] - b.data_offsets[1]);
    return { metadata, entries };
  } catch (error) {
    throw damaged(path, 'its header cannot be understood', error);
  }
}

/** The header as it was when the checksum was taken. */
function blankHash(header: Buffer): Buffer {
  const at = header.indexOf(HASH_KEY);
  const copy = Buffer.from(header);
  if (at >= 0) copy.write(BLANK_HASH, at + HASH_KEY.length, 'latin1');
  return copy;
}

function parseState(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw damaged(path, 'its state cannot be understood', error);
  }
}

async function readExactly(
  file: FileHandle,
  position: number,
  length: number,
  path: string,
): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  await fill(file, buffer, position, path);
  return buffer;
}

async function fill(file: FileHandle, into: Uint8Array, position: number, path: string): Promise<void> {
  let filled = 0;
  while (filled < into.byteLength) {
    const { bytesRead } = await file.read(into, filled, into.byteLength - filled, position + filled);
    if (bytesRead === 0) throw damaged(path, 'it ends too early');
    filled += bytesRead;
  }
}

function damaged(path: string, why: string, cause?: unknown): ShrinkError {
  return new ShrinkError(
    'environment',
    'checkpoint-damaged',
    `The checkpoint ${path} cannot be used: ${why}.`,
    {
      cause,
    },
  );
}
