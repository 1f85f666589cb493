import { open, type FileHandle } from 'node:fs/promises';
import { parquetMetadataAsync, parquetRead, parquetSchema, type AsyncBuffer } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { badInput, ShrinkError } from '../core/errors';
import { checkSize, sentence } from './openFile';
import { TableBuilder, type Table } from './table';

/** Bytes that a cell takes while it is read: a JavaScript value and its place in a column. */
const BYTES_A_CELL = 24;

/**
 * Reads a Parquet file a row group at a time. Known gap: some damaged pages keep hyparquet
 * busy for ever (probably run lengths or page sizes that it trusts); see test/data/fuzz.test.ts.
 *
 * @throws ShrinkError `data-format`, `data-nan` or `data-size`
 */
export async function readParquet(file: string): Promise<Table> {
  const handle = await open(file);
  try {
    return await readTable(await asBuffer(handle), file);
  } catch (thrown) {
    if (thrown instanceof ShrinkError) throw thrown;
    throw badInput(
      'data-format',
      `${file} cannot be read as Parquet: ${sentence(thrown)}; write or fetch it again.`,
      thrown,
    );
  } finally {
    await handle.close();
  }
}

async function asBuffer(handle: FileHandle): Promise<AsyncBuffer> {
  const byteLength = (await handle.stat()).size;
  return {
    byteLength,
    slice: async (start, end = byteLength) => {
      const length = Math.max(0, Math.min(end, byteLength) - start);
      if (!Number.isSafeInteger(start) || start < 0) throw new RangeError(`it points to byte ${start}`);
      const bytes = new ArrayBuffer(length);
      await handle.read(new Uint8Array(bytes), 0, length, start);
      return bytes;
    },
  };
}

async function readTable(buffer: AsyncBuffer, file: string): Promise<Table> {
  const metadata = await parquetMetadataAsync(buffer);
  const names = parquetSchema(metadata).children.map(({ element }) => element.name);
  const groups = metadata.row_groups.map((group) => Number(group.num_rows));
  const rows = groups.reduce((sum, count) => sum + count, 0);
  if (groups.some((count) => !Number.isSafeInteger(count) || count < 0) || rows !== Number(metadata.num_rows))
    throw badInput('data-format', `${file}: its row groups do not add up to its rows; write it again.`);
  checkSize(rows * names.length * BYTES_A_CELL, file);
  const builder = new TableBuilder(file, names, true);
  let rowStart = 0;
  for (const count of groups) {
    let given = 0;
    await parquetRead({
      file: buffer,
      metadata,
      compressors,
      columns: names,
      rowStart,
      rowEnd: rowStart + count,
      rowFormat: 'array',
      onComplete: (read: unknown[][]) => {
        for (const row of read) builder.addRow(row);
        given = read.length;
      },
    });
    if (given !== count)
      throw badInput('data-format', `${file} is cut off: ${given} of ${count} rows of a group are there.`);
    rowStart += count;
  }
  return builder.build();
}
