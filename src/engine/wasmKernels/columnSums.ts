/** Sums down the columns of rows: sixteen columns at a time, then four, then one, so that they stay in registers. */
import {
  add,
  block,
  countTo,
  f32,
  floats as four,
  get,
  i32,
  repeat,
  set,
  type Code,
  type Variable,
  type Variables,
} from '../../core/assembly/assembler';

export interface ColumnSums {
  /** Parameters: how many rows, above 0; how many columns; where the row of floats is that the sums are added to. */
  readonly rows: Variable;
  readonly columns: Variable;
  readonly to: Variable;
  /** Finds the first row's columns from `column` on. */
  readonly begin: (column: Variable) => Code;
  /** Done before each row is added, with its number. */
  readonly enter?: (row: Variable, column: Variable) => Code;
  /** What is added to a sum, of four columns behind `bytes`, and of one. */
  readonly four: (bytes: number) => Code;
  readonly one: Code;
  /** Goes to the next row. */
  readonly next: Code;
}

/** Bytes of so many floats. */
export const bytesOf = (count: Code): Code => i32.mul(count, i32.of(4));

export function addColumnSums(variables: Variables, sums: ColumnSums): Code {
  const { rows, columns, to } = sums;
  const column = variables.local('i32');
  const row = variables.local('i32');
  const place = variables.local('i32');
  const vectors = variables.several(4, 'v128');
  const single = variables.local('f32');
  const band = (width: number, start: Code, term: Code, store: Code): Code =>
    countTo(
      column,
      i32.and(get(columns), i32.of(-width)),
      width,
      block(
        start,
        sums.begin(column),
        set(row, i32.of(0)),
        repeat(
          block(sums.enter?.(row, column) ?? [], term, sums.next, add(row, i32.of(1))),
          i32.less(get(row), get(rows)),
        ),
        set(place, i32.add(get(to), bytesOf(get(column)))),
        store,
      ),
    );
  const wide = (count: number): Code => {
    const used = vectors.slice(0, count);
    const each = (visit: (sum: Variable, bytes: number) => Code): Code =>
      block(...used.map((sum, v) => visit(sum, v * 16)));
    return band(
      count * 4,
      each((sum) => set(sum, four.zero)),
      each((sum, bytes) => set(sum, four.add(get(sum), sums.four(bytes)))),
      each((sum, bytes) => four.store(get(place), four.add(four.load(get(place), bytes), get(sum)), bytes)),
    );
  };
  const narrow = band(
    1,
    set(single, f32.zero),
    set(single, f32.add(get(single), sums.one)),
    f32.store(get(place), f32.add(f32.load(get(place)), get(single))),
  );
  return block(wide(4), wide(1), narrow);
}
