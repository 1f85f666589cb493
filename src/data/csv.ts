import type { Readable } from 'node:stream';
import { parse } from 'csv-parse';
import { badInput } from '../core/errors';
import { sentence } from './openFile';
import { isNumber, type Begin, type RowSink } from './table';

/** Rows looked at to tell whether the first one names the columns. */
const LOOKED_AT = 200;

interface Record {
  readonly record: readonly string[];
  readonly info: { readonly lines: number };
}

/**
 * Reads comma-, semicolon- or tab-separated values as a stream.
 *
 * @param delimiter without it, the one that the first line has most of
 * @throws ShrinkError `data-format`, `data-shape` or `data-nan`, with the line
 */
export async function readCsv(
  stream: Readable,
  file: string,
  begin: Begin,
  delimiter?: string,
): Promise<void> {
  const parser = parse({
    bom: true,
    info: true,
    delimiter: delimiter ?? [',', ';', '\t'],
    relax_column_count: true,
    skip_empty_lines: true,
    max_record_size: 16 * 2 ** 20,
  });
  stream.on('error', (error) => parser.destroy(error));
  stream.pipe(parser);
  const head: Record[] = [];
  let sink: RowSink | undefined;
  try {
    for await (const next of parser as AsyncIterable<Record>) {
      if (sink === undefined) {
        head.push(next);
        if (head.length >= LOOKED_AT) sink = beginWith(head, file, begin);
      } else sink.addRow(next.record, next.info.lines);
    }
    if (sink === undefined) beginWith(head, file, begin);
  } catch (thrown) {
    if (!isParserError(thrown)) throw thrown;
    const line = typeof thrown['lines'] === 'number' ? ` at line ${thrown['lines']}` : '';
    throw badInput(
      'data-format',
      `${file} cannot be read${line}: ${sentence(thrown)}; correct it or fetch it again.`,
      thrown,
    );
  } finally {
    stream.destroy();
  }
}

function isParserError(thrown: unknown): thrown is Error & { [key: string]: unknown } {
  return thrown instanceof Error && 'code' in thrown && thrown.name !== 'ShrinkError';
}

function beginWith(head: readonly Record[], file: string, begin: Begin): RowSink {
  const [first, ...rest] = head;
  if (first === undefined) throw badInput('data-missing', `${file} is empty; give it rows.`);
  const named = isHeader(
    first.record,
    rest.map(({ record }) => record),
  );
  const names = first.record.map((cell, i) => (named ? cell.trim() : `column ${i + 1}`));
  const sink = begin(names, named);
  for (const { record, info } of named ? rest : head) sink.addRow(record, info.lines);
  return sink;
}

/**
 * A first row names the columns when a text of it stands above numbers alone; where no column holds numbers, when
 * none of its texts comes again below.
 */
function isHeader(first: readonly string[], rest: readonly (readonly string[])[]): boolean {
  if (rest.length === 0) return first.every((cell) => !isNumber(cell));
  const below = first.map((_, i) => rest.map((row) => row[i] ?? ''));
  if (first.some((cell, i) => !isNumber(cell) && below[i]?.every(isNumber) === true)) return true;
  return first.every((cell, i) => cell.trim() !== '' && !isNumber(cell) && below[i]?.includes(cell) !== true);
}
