import { open, type FileHandle } from 'node:fs/promises';
import { Worker } from 'node:worker_threads';
import {
  parquetMetadataAsync,
  parquetRead,
  parquetSchema,
  type AsyncBuffer,
  type FileMetaData,
} from 'hyparquet';
import { compressors } from 'hyparquet-compressors';

/**
 * The process that decodes Parquet files. hyparquet trusts run lengths, sizes and offsets of a file: a damaged one may keep
 * it busy for ever, fill the memory or reject a promise that nobody holds. Here that ends a process which holds nothing.
 */

export type ToChild =
  | { readonly open: string }
  | { readonly read: readonly [start: number, end: number] }
  | { readonly close: true };

export type FromChild =
  | { readonly ready: true }
  /** Rows of each row group, and names of the columns. */
  | { readonly groups: readonly number[]; readonly names: readonly string[] }
  /** What follows may take so long without being a hang. */
  | { readonly patienceMs: number }
  | { readonly column: number; readonly cells: Float64Array | readonly unknown[] }
  | { readonly done: true }
  | { readonly error: string };

/** Slowest decoding that is waited for, on a busy machine; a hundred times slower than measured on an idle one. */
const BYTES_A_SECOND = 300_000;
const CELLS_A_SECOND = 50_000;
const LEAST_PATIENCE_MS = 3000;
const MOST_PATIENCE_MS = 300_000;

interface Opened {
  readonly handle: FileHandle;
  readonly buffer: AsyncBuffer;
  readonly metadata: FileMetaData;
  readonly names: readonly string[];
}

let opened: Opened | undefined;
let work: Promise<void> = Promise.resolve();

function send(message: FromChild): void {
  process.send?.(message);
}

async function answer(message: ToChild): Promise<void> {
  try {
    if ('open' in message) await openFile(message.open);
    else if ('read' in message) await readRows(message.read[0], message.read[1]);
    else await closeFile();
  } catch (thrown) {
    // Promises that were rejected and forgotten on the way are noticed before the next request comes.
    await new Promise((resolve) => setImmediate(resolve));
    send({ error: thrown instanceof Error ? thrown.message : String(thrown) });
  }
}

async function closeFile(): Promise<void> {
  const handle = opened?.handle;
  opened = undefined;
  await handle?.close();
}

async function openFile(file: string): Promise<void> {
  await closeFile();
  const handle = await open(file);
  const { size: byteLength } = await handle.stat();
  const buffer: AsyncBuffer = {
    byteLength,
    slice: async (start, end = byteLength) => {
      if (!Number.isSafeInteger(start) || start < 0) throw new RangeError(`it points to byte ${start}`);
      const bytes = new ArrayBuffer(Math.max(0, Math.min(end, byteLength) - start));
      await handle.read(new Uint8Array(bytes), 0, bytes.byteLength, start);
      return bytes;
    },
  };
  const metadata = await parquetMetadataAsync(buffer);
  const names = parquetSchema(metadata).children.map(({ element }) => element.name);
  opened = { handle, buffer, metadata, names };
  send({ names, groups: metadata.row_groups.map((group) => Number(group.num_rows)) });
}

/** Reads rows of one row group, a column at a time. */
async function readRows(rowStart: number, rowEnd: number): Promise<void> {
  if (opened === undefined) throw new RangeError('no file is open');
  const { buffer, metadata, names } = opened;
  for (const [column, name] of names.entries()) {
    const seconds = chunkBytes(opened, name) / BYTES_A_SECOND + rowEnd / CELLS_A_SECOND;
    send({ patienceMs: Math.min(MOST_PATIENCE_MS, LEAST_PATIENCE_MS + seconds * 1000) });
    let cells: unknown[] = [];
    await parquetRead({
      file: buffer,
      metadata,
      compressors,
      columns: [name],
      rowStart,
      rowEnd,
      rowFormat: 'array',
      onComplete: (rows: unknown[][]) => {
        cells = rows.map(([cell]) => cell);
      },
    });
    send({ column, cells: cells.every(isNumeric) ? Float64Array.from(cells, Number) : cells });
  }
  send({ done: true });
}

function isNumeric(cell: unknown): cell is number | bigint | boolean {
  return typeof cell === 'number' || typeof cell === 'bigint' || typeof cell === 'boolean';
}

/** Bytes of the largest part that a column has, no more than the file. */
function chunkBytes({ buffer, metadata }: Opened, name: string): number {
  let most = 0;
  for (const group of metadata.row_groups)
    for (const { meta_data: meta } of group.columns)
      if (meta?.path_in_schema[0] === name) most = Math.max(most, Number(meta.total_compressed_size));
  return Math.min(most, buffer.byteLength);
}

process.on('message', (message: ToChild) => {
  work = work.then(() => answer(message));
});
process.on('disconnect', () => process.exit(0));
for (const event of ['uncaughtException', 'unhandledRejection'] as const)
  process.on(event, (thrown: unknown) => {
    send({ error: thrown instanceof Error ? thrown.message : String(thrown) });
    process.exitCode = 1;
    process.disconnect();
  });
// A thread notices that the parent is gone while this one is caught in a file.
new Worker(
  `const parent = process.ppid;
   const gone = () => { try { process.kill(parent, 0); return process.ppid !== parent; } catch { return true; } };
   setInterval(() => { if (gone()) process.kill(process.pid, 'SIGKILL'); }, 1000);`,
  { eval: true },
).unref();
send({ ready: true });
