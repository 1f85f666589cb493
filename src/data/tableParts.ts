import type { AnyFeatures, Features, Labels, Rows } from './dataset';
import type { ModuleParts } from './moduleData';
import { checkSize } from './openFile';
import type { Column, Table } from './table';
import {
  mixedColumn,
  nameOf,
  planTable,
  sameColumns,
  shapeOf,
  tooLarge,
  unknownClass,
  unknownTexts,
  type Encoder,
  type TablePlan,
} from './tablePlan';

/** What reading a file gave: its parts, and what is known of its columns. */
export interface ReadData<X extends AnyFeatures = Features> {
  readonly parts: ModuleParts<X>;
  readonly notes: readonly string[];
  /** One a value of a row: true for measurements, false for the 0 and 1 of a category. Tables only. */
  readonly measured?: readonly boolean[];
  /** Columns that become the inputs, in their order. Tables only. */
  readonly columns?: readonly Pick<Encoder, 'name' | 'texts'>[];
  /** Names of the classes in order. */
  readonly classes?: readonly string[];
  /** Names of what is predicted. Tables only. */
  readonly targets?: readonly string[];
}

/** What a table's plan says of the rows that it gives. */
export function described(plan: TablePlan): Omit<ReadData, 'parts'> {
  return {
    notes: plan.notes,
    measured: plan.measured,
    columns: plan.inputs.map(({ name, texts }) => ({ name, ...(texts === undefined ? {} : { texts }) })),
    targets: plan.targetNames,
    ...(plan.classes === undefined ? {} : { classes: plan.classes }),
  };
}

/**
 * Makes rows of tables: the target becomes the labels, every other column inputs.
 *
 * @param test rows of the same columns
 * @param target as `target=` says it, see {@link findTargets}
 * @throws ShrinkError `data-target`, `data-shape` or `data-format`
 */
export function partsOfTables(table: Table, test: Table | undefined, target: string | undefined): ReadData {
  const shape = shapeOf(table);
  const tested =
    test === undefined
      ? undefined
      : {
          ...test,
          columns: sameColumns(shape, shapeOf(test)).flatMap((i) => test.columns[i] ?? []),
        };
  const plan = planTable(shape, target);
  const notes = [...plan.notes];
  const rowsOf = (part: Table): Rows<Features> => ({
    count: part.count,
    x: encodeInputs(part, plan, notes),
    y: plan.classes === undefined ? encodeValues(part, plan.targets) : encodeClasses(part, plan),
  });
  const parts = { train: rowsOf(table), ...(tested === undefined ? {} : { test: rowsOf(tested) }) };
  return { ...described(plan), parts, notes };
}

function encodeInputs(table: Table, { inputs, width }: TablePlan, notes: string[]): Features {
  checkSize(table.count * width * Float32Array.BYTES_PER_ELEMENT, table.file);
  const data = new Float32Array(table.count * width);
  let at = 0;
  for (const { column: index, texts } of inputs) {
    const column = table.columns[index];
    if (column === undefined) continue;
    if (texts === undefined) {
      if (column.kind === 'texts') throw mixed(table, column, 'numbers');
      for (let row = 0; row < table.count; row += 1) data[row * width + at] = column.values[row] ?? 0;
      at += 1;
      continue;
    }
    const places = new Map(texts.map((text, place) => [text, place]));
    const cells = cellsOf(column, table.count);
    const unknown = new Set<string>();
    cells.forEach((cell, row) => {
      const place = places.get(cell);
      if (place === undefined) unknown.add(cell);
      else data[row * width + at + place] = 1;
    });
    if (unknown.size > 0) notes.push(unknownTexts(nameOf(column), unknown));
    at += texts.length;
  }
  const wrong = data.findIndex((value) => !Number.isFinite(value));
  if (wrong >= 0) throw tooLarge(table.file, Math.floor(wrong / width) + 1);
  return { shape: [width], data, scale: 1 };
}

function encodeClasses(table: Table, { targets, classes = [] }: TablePlan): Labels {
  const column = table.columns[targets[0] ?? 0];
  const places = new Map(classes.map((text, id) => [text, id]));
  const cells = column === undefined ? [] : cellsOf(column, table.count);
  const ids = Int32Array.from(cells, (cell, row) => {
    const id = places.get(cell);
    if (id !== undefined) return id;
    throw unknownClass(table.file, row + 1, cell);
  });
  return { kind: 'classes', ids, classes: classes.length };
}

function encodeValues(table: Table, chosen: readonly number[]): Labels {
  const data = new Float32Array(table.count * chosen.length);
  chosen.forEach((index, at) => {
    const column = table.columns[index];
    if (column === undefined) return;
    if (column.kind === 'texts') throw mixed(table, column, 'numbers, as it is predicted');
    for (let row = 0; row < table.count; row += 1) data[row * chosen.length + at] = column.values[row] ?? 0;
  });
  return { kind: 'values', features: { shape: [chosen.length], data, scale: 1 } };
}

function mixed(table: Table, column: Column, wanted: string): Error {
  const example = column.kind === 'texts' ? (column.texts.at(-1) ?? '') : '';
  return mixedColumn(table.file, nameOf(column), example, wanted);
}

function cellsOf(column: Column, count: number): string[] {
  return Array.from({ length: count }, (_, row) =>
    column.kind === 'texts' ? (column.texts[column.codes[row] ?? 0] ?? '') : String(column.values[row]),
  );
}
