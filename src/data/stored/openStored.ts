import { stat } from 'node:fs/promises';
import path from 'node:path';
import type { StoredFeatures } from '../dataset';
import { imageBytes, imageClasses } from '../images';
import { extensionOf, isPacked } from '../openFile';
import { openParquet } from '../parquet';
import { addTest, withTest } from '../testPart';
import type { ReadData } from '../tableParts';
import type { Conversion } from './conversion';
import { arrayBytes, openPair } from './storedArrays';
import { openImages } from './storedImages';
import { openTable } from './storedTable';

/** Data that does not fit into memory, by its kind. */

/** What is read, with absolute paths. */
export type Source =
  | { readonly kind: 'table'; readonly file: string; readonly test?: string; readonly target?: string }
  | { readonly kind: 'arrays'; readonly pairs: readonly (readonly [inputs: string, labels?: string])[] }
  | { readonly kind: 'images'; readonly folders: readonly string[] };

/** Bytes that text takes in memory: numbers of 8 bytes while they are read, floats of each part after that. */
const TEXT_FACTOR = 10;
/** What gzip makes of text of numbers, and of pixels. */
const PACKED_FACTOR = 4;
/** Rows exist as they were read, and as the parts that were split off. */
const COPIES = 3;
/** Bytes of a cell of Parquet in the same way. */
const CELL_BYTES = 28;

/** Bytes of memory that reading data and training on it takes, roughly. */
export async function estimateMemory(source: Source): Promise<number> {
  let sum = 0;
  if (source.kind === 'table')
    for (const file of [source.file, source.test]) sum += file === undefined ? 0 : await tableMemory(file);
  else if (source.kind === 'arrays')
    for (const [inputs] of source.pairs)
      sum += COPIES * ((await arrayBytes(inputs)) ?? (await sizeOf(inputs)) * PACKED_FACTOR);
  else for (const folder of source.folders) sum += COPIES * (await imageBytes(folder));
  return sum;
}

async function sizeOf(file: string): Promise<number> {
  // What cannot be read is told by whoever reads it.
  return stat(file).then(
    ({ size }) => size,
    () => 0,
  );
}

async function tableMemory(file: string): Promise<number> {
  const extension = extensionOf(file);
  if (extension !== '.parquet' && extension !== '.pq')
    return (await sizeOf(file)) * TEXT_FACTOR * (isPacked(file) ? PACKED_FACTOR : 1);
  const parquet = await openParquet(file);
  parquet.close();
  return parquet.rows * parquet.names.length * CELL_BYTES;
}

/** Opens data whose rows stay on disk. @throws ShrinkError `data-…`, `disk-full`; Stopped */
export async function openStored(source: Source, conversion: Conversion): Promise<ReadData<StoredFeatures>> {
  switch (source.kind) {
    case 'table':
      return noted(await openTable(source.file, source.test, source.target, conversion));
    case 'arrays': {
      const [first, second] = source.pairs;
      const read = await openPair(first?.[0] ?? '', first?.[1], conversion);
      if (second === undefined) return noted(read);
      return noted(withTest(read, await openPair(second[0], second[1], conversion)));
    }
    case 'images': {
      const [folder = '', test] = source.folders;
      const read = await openImages(path.resolve(folder), undefined, conversion);
      if (test === undefined) return noted(read);
      const classes = await imageClasses(folder);
      return noted({
        ...read,
        parts: addTest(read.parts, (await openImages(test, classes, conversion)).parts),
      });
    }
  }
}

function noted<T extends ReadData<StoredFeatures>>(read: T): T {
  const note = 'the rows do not fit into the memory they may take (dataMemory) and are read from disk';
  return { ...read, notes: [...read.notes, note] };
}
