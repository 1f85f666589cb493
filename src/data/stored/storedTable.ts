import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { badInput } from '../../core/errors';
import type { Labels, Rows, StoredFeatures } from '../dataset';
import { FLOAT32 } from '../elements';
import { ColumnSink, type CellSink } from '../table';
import { described, type ReadData } from '../tableParts';
import {
  mixedColumn,
  nameOf,
  planTable,
  sameColumns,
  tooLarge,
  unknownClass,
  unknownTexts,
  type TablePlan,
  type TableShape,
} from '../tablePlan';
import { readTableRows } from '../tableRows';
import { cached, identityOf } from './cacheFolder';
import type { Conversion } from './conversion';
import { BlockWriter, openRows } from './rowFile';
import { TableSummary } from './tableSummary';

/**
 * A table that stays on disk. It is read twice, as a stream: once to see what its columns hold, once to write its rows as
 * floats, one a column. A category is stored as its place among the texts and becomes one-hot when a batch is made.
 */

/** Bump when what is written changes. */
const FORMAT = 1;

/** What a converted table needs to be opened again. */
interface Stored {
  readonly plan: TablePlan;
  readonly notes: readonly string[];
  readonly counts: Readonly<Record<'train' | 'test', number | undefined>>;
}

/**
 * Opens a table, converting it unless that was done before.
 *
 * @throws ShrinkError `data-…`, and what the conversion throws
 */
export async function openTable(
  file: string,
  test: string | undefined,
  target: string | undefined,
  conversion: Conversion,
): Promise<ReadData<StoredFeatures>> {
  const files = [file, ...(test === undefined ? [] : [test])];
  const key = ['table', FORMAT, target ?? null, ...(await Promise.all(files.map(identityOf)))];
  const folder = await cached(key, (into) => convert(file, test, target, into, conversion));
  const stored = JSON.parse(await readFile(path.join(folder, 'about.json'), 'utf8')) as Stored;
  const partOf = async (part: 'train' | 'test'): Promise<Rows<StoredFeatures> | undefined> => {
    const count = stored.counts[part];
    if (count === undefined) return undefined;
    return {
      count,
      x: openInputs(path.join(folder, part), count, stored.plan),
      y: await readLabels(path.join(folder, `${part}.labels`), stored.plan),
    };
  };
  const [train, tested] = [await partOf('train'), await partOf('test')];
  if (train === undefined) throw badInput('data-missing', `${file} holds no rows; give it some.`);
  return {
    ...described(stored.plan),
    notes: stored.notes,
    parts: { train, ...(tested === undefined ? {} : { test: tested }) },
  };
}

async function convert(
  file: string,
  test: string | undefined,
  target: string | undefined,
  folder: string,
  conversion: Conversion,
): Promise<void> {
  const shape = await summarize(file, conversion.part(0, test === undefined ? 0.5 : 0.4));
  const plan = planTable(shape, target);
  const notes = [...plan.notes];
  const all = shape.columns.map((_, i) => i);
  const write = (
    from: string,
    part: 'train' | 'test',
    order: readonly number[],
    begin: number,
    end: number,
  ) => writeRows(from, path.join(folder, part), plan, order, notes, conversion.part(begin, end));
  const train = await write(file, 'train', all, test === undefined ? 0.5 : 0.4, test === undefined ? 1 : 0.8);
  let tested: number | undefined;
  if (test !== undefined) {
    const testShape = await summarize(test, conversion.part(0.8, 0.9));
    tested = await write(test, 'test', sameColumns(shape, testShape), 0.9, 1);
  }
  const about: Stored = { plan, notes, counts: { train, test: tested } };
  await writeFile(path.join(folder, 'about.json'), JSON.stringify(about), { mode: 0o600 });
}

async function summarize(file: string, conversion: Conversion): Promise<TableShape> {
  const made: TableSummary[] = [];
  await readTableRows(
    file,
    (names, named) => {
      const summary = new TableSummary(file, names, named);
      made.push(summary);
      return summary;
    },
    conversion,
  );
  const [summary] = made;
  if (summary === undefined) throw badInput('data-format', `${file} names no columns; correct it.`);
  return summary.build();
}

/** @param order where the columns of the plan lie in the file */
async function writeRows(
  file: string,
  into: string,
  plan: TablePlan,
  order: readonly number[],
  notes: string[],
  conversion: Conversion,
): Promise<number> {
  const inputs = new BlockWriter(into);
  const labels = new BlockWriter(`${into}.labels`);
  const writers: RowWriter[] = [];
  try {
    await readTableRows(
      file,
      (names) => {
        const writer = new RowWriter(file, names, plan, order, inputs, labels);
        writers.push(writer);
        return writer;
      },
      conversion,
    );
  } finally {
    inputs.end();
    labels.end();
  }
  const [writer] = writers;
  if (writer !== undefined) notes.push(...writer.notes());
  return writer?.rows ?? 0;
}

/** A cell's place in the rows that are written. */
class CellWriter implements CellSink {
  readonly unknown = new Set<string>();

  /**
   * @param texts without them, cells must be numbers
   * @param onUnknown what to do with a text that `texts` has not
   */
  constructor(
    readonly name: string,
    private readonly file: string,
    private readonly into: Float32Array | Int32Array,
    private readonly at: number,
    private readonly wanted: string,
    private readonly places?: ReadonlyMap<string, number>,
    private readonly onUnknown?: (text: string) => void,
  ) {}

  addNumber(value: number): void {
    if (this.places === undefined) this.into[this.at] = value;
    else this.addPlace(String(value));
  }

  addText(text: string): void {
    if (this.places === undefined) throw mixedColumn(this.file, this.name, text, this.wanted);
    this.addPlace(text);
  }

  private addPlace(text: string): void {
    const place = this.places?.get(text);
    if (place === undefined) {
      this.unknown.add(text);
      this.onUnknown?.(text);
    }
    this.into[this.at] = place ?? -1;
  }
}

class RowWriter extends ColumnSink<CellWriter> {
  private readonly x: Float32Array;
  private readonly y: Float32Array | Int32Array;
  private readonly inputColumns: readonly CellWriter[];

  constructor(
    file: string,
    names: readonly string[],
    plan: TablePlan,
    order: readonly number[],
    private readonly inputs: BlockWriter,
    private readonly labels: BlockWriter,
  ) {
    const x = new Float32Array(plan.inputs.length);
    const y = plan.classes === undefined ? new Float32Array(plan.targets.length) : new Int32Array(1);
    const columns: CellWriter[] = [];
    const inputColumns: CellWriter[] = [];
    const placesOf = (texts?: readonly string[]) =>
      texts === undefined ? undefined : new Map(texts.map((text, place) => [text, place]));
    plan.inputs.forEach(({ column, name, texts }, at) => {
      const where = order[column] ?? column;
      const writer = new CellWriter(nameOf({ name }), file, x, at, 'numbers', placesOf(texts));
      columns[where] = writer;
      inputColumns.push(writer);
    });
    plan.targets.forEach((column, at) => {
      const wanted = 'numbers, as it is predicted';
      const refuse = (cell: string): never => {
        throw unknownClass(file, this.rows + 1, cell);
      };
      const name = nameOf({ name: plan.targetNames[at] ?? '' });
      const where = order[column] ?? column;
      columns[where] = new CellWriter(name, file, y, at, wanted, placesOf(plan.classes), refuse);
    });
    if (columns.length !== names.length) throw new RangeError('every column has its place');
    super(file, columns);
    this.x = x;
    this.y = y;
    this.inputColumns = inputColumns;
  }

  get rows(): number {
    return this.count;
  }

  override addRow(cells: readonly unknown[], line?: number): void {
    super.addRow(cells, line);
    if (!this.x.every(Number.isFinite)) throw tooLarge(this.file, this.count);
    this.inputs.write(this.x);
    this.labels.write(this.y);
  }

  notes(): string[] {
    return this.inputColumns
      .filter(({ unknown }) => unknown.size > 0)
      .map(({ name, unknown }) => unknownTexts(name, unknown));
  }
}

function openInputs(file: string, count: number, plan: TablePlan): StoredFeatures {
  const stored = plan.inputs.length;
  const rows = openRows({ file, offset: 0, count, shape: [stored], type: FLOAT32, scale: 1 });
  if (plan.inputs.every(({ texts }) => texts === undefined)) return rows;
  let raw = new Float32Array(0);
  return {
    ...rows,
    shape: [plan.width],
    fill: (indices, into) => {
      if (raw.length < indices.length * stored) raw = new Float32Array(indices.length * stored);
      rows.fill(indices, raw);
      into.fill(0, 0, indices.length * plan.width);
      for (let i = 0; i < indices.length; i += 1) {
        let at = i * plan.width;
        for (let c = 0; c < stored; c += 1) {
          const value = raw[i * stored + c] ?? 0;
          const length = plan.inputs[c]?.texts?.length;
          if (length === undefined) into[at] = value;
          else if (value >= 0) into[at + value] = 1;
          at += length ?? 1;
        }
      }
    },
  };
}

async function readLabels(file: string, plan: TablePlan): Promise<Labels> {
  const bytes = await readFile(file);
  const packed = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
  if (plan.classes !== undefined)
    return { kind: 'classes', ids: new Int32Array(packed), classes: plan.classes.length };
  const features = { shape: [plan.targets.length], data: new Float32Array(packed), scale: 1 };
  return { kind: 'values', features };
}
