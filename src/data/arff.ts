import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { badInput } from '../core/errors';
import { quote, type Begin, type RowSink } from './table';

/**
 * Weka's ARFF (https://waikato.github.io/weka-wiki/formats_and_processing/arff_stable/): a header of attributes, then rows
 * of values, or `{index value, …}` with zeros left out. Our own: the packages on npm are unmaintained and hold whole files.
 */

interface Attribute {
  readonly name: string;
  /** What a sparse row leaves out. */
  readonly zero: string;
}

const ATTRIBUTE = /^@attribute\s+('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[^\s{]+)\s*(\{.*\}|\S+)/i;
const MOST_ATTRIBUTES = 1_000_000;

/** Reads an ARFF file as a stream. @throws ShrinkError `data-format`, `data-shape` or `data-nan`, with the line */
export async function readArff(stream: Readable, file: string, begin: Begin): Promise<void> {
  const attributes: Attribute[] = [];
  let sink: RowSink | undefined;
  let number = 0;
  const lines = createInterface({ input: stream, crlfDelay: Infinity });
  // readline does not pass on what goes wrong in its input.
  const failed = new Promise<never>((_resolve, reject) => stream.once('error', reject));
  failed.catch(() => lines.close());
  const read = async (): Promise<void> => {
    for await (const raw of lines) {
      number += 1;
      const line = raw.replace(/^\uFEFF/, '').trim();
      if (line === '' || line.startsWith('%')) continue;
      if (sink !== undefined) sink.addRow(cellsOf(line, attributes, file, number), number);
      else if (/^@attribute\b/i.test(line)) attributes.push(attributeOf(line, file, number));
      else if (/^@data\b/i.test(line)) sink = beginWith(attributes, file, begin);
      else if (!/^@relation\b/i.test(line))
        throw wrong(file, number, `${quote(line)} is no @attribute and no @data`);
    }
    if (sink === undefined) throw wrong(file, number, 'there is no @data');
  };
  try {
    await Promise.race([read(), failed]);
  } finally {
    lines.close();
    stream.destroy();
  }
}

function beginWith(attributes: readonly Attribute[], file: string, begin: Begin): RowSink {
  if (attributes.length === 0) throw badInput('data-format', `${file} names no @attribute before @data.`);
  return begin(
    attributes.map(({ name }) => name),
    true,
  );
}

function attributeOf(line: string, file: string, number: number): Attribute {
  const match = ATTRIBUTE.exec(line);
  const name = match?.[1];
  const type = match?.[2];
  if (name === undefined || type === undefined)
    throw wrong(file, number, `${quote(line)} lacks a name or a type`);
  if (type.startsWith('{')) return { name: unquote(name), zero: split(type.slice(1, -1))[0] ?? '' };
  if (/^(numeric|real|integer|string)$/i.test(type)) return { name: unquote(name), zero: '0' };
  throw wrong(
    file,
    number,
    `attributes of type ${quote(type)} cannot be learned from; give numeric, {…} or string`,
  );
}

function cellsOf(line: string, attributes: readonly Attribute[], file: string, number: number): string[] {
  if (!line.startsWith('{')) return split(line);
  if (!line.endsWith('}')) throw wrong(file, number, 'a sparse row does not end with }');
  const cells = attributes.map(({ zero }) => zero);
  for (const part of line.slice(1, -1).trim() === '' ? [] : split(line.slice(1, -1), false)) {
    const match = /^\s*(\d+)\s+(.*?)\s*$/.exec(part);
    const index = Number(match?.[1]);
    if (match === null || !(index < Math.min(attributes.length, MOST_ATTRIBUTES)))
      throw wrong(file, number, `${quote(part)} names no attribute`);
    cells[index] = unquote(match[2] ?? '');
  }
  return cells;
}

/** Values between commas; quotes hold commas, a backslash the character after it. */
function split(line: string, unquoted = true): string[] {
  const cells: string[] = [];
  let from = 0;
  let inside = '';
  for (let i = 0; i <= line.length; i += 1) {
    const character = line[i];
    if (character === '\\') i += 1;
    else if (inside !== '' && character === inside) inside = '';
    else if (inside === '' && (character === "'" || character === '"')) inside = character;
    if (character === undefined || (inside === '' && character === ',')) {
      const cell = line.slice(from, i).trim();
      cells.push(unquoted ? unquote(cell) : cell);
      from = i + 1;
    }
  }
  return cells;
}

function unquote(text: string): string {
  const quoted = /^(['"])([^]*)\1$/.exec(text);
  return quoted === null ? text : (quoted[2] ?? '').replaceAll(/\\(.)/g, '$1');
}

function wrong(file: string, line: number, what: string): Error {
  return badInput('data-format', `${file}: line ${line}: ${what}; correct it.`);
}
