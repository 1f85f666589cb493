import { readArff } from './arff';
import { readCsv } from './csv';
import { extensionOf, openStream } from './openFile';
import { openParquet } from './parquet';
import type { Begin } from './table';

/** Rows between two looks at whether to go on. */
const ROWS_BETWEEN = 256;

/** What watches the reading of a file. */
export interface ReadTools {
  /** @param share of the file that was read, 0..1. It may throw to end the reading. */
  advance(share: number): void;
}

/** Reads the rows of a table by its extension. @throws ShrinkError `data-…`, and what the sink throws */
export async function readTableRows(file: string, begin: Begin, tools?: ReadTools): Promise<void> {
  const extension = extensionOf(file);
  if (extension === '.parquet' || extension === '.pq') return readParquet(file, begin, tools);
  const { stream, share } = await openStream(file);
  const watched = watch(begin, share, tools);
  if (extension === '.arff') return readArff(stream, file, watched);
  return readCsv(stream, file, watched, extension === '.tsv' ? '\t' : undefined);
}

async function readParquet(file: string, begin: Begin, tools: ReadTools | undefined): Promise<void> {
  const parquet = await openParquet(file);
  try {
    const sink = watch(begin, (rows) => rows / Math.max(1, parquet.rows), tools)(parquet.names, true);
    for await (const { count, columns } of parquet.slices())
      for (let row = 0; row < count; row += 1) sink.addRow(columns.map((cells) => cells[row]));
  } finally {
    parquet.close();
  }
}

function watch(begin: Begin, share: (rows: number) => number, tools: ReadTools | undefined): Begin {
  if (tools === undefined) return begin;
  return (names, named) => {
    const sink = begin(names, named);
    let rows = 0;
    return {
      addRow: (cells, line) => {
        if (rows % ROWS_BETWEEN === 0) tools.advance(share(rows));
        rows += 1;
        sink.addRow(cells, line);
      },
    };
  };
}
