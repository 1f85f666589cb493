/**
 * The inner loops of a matrix product in WebAssembly. Both factors are first packed: cut into panels of as many lanes as
 * a tile of the product is high or wide, in which the lanes of one step of the sum lie side by side (Goto and van de Geijn,
 * Anatomy of High-Performance Matrix Multiplication, 2008). A factor is rows at any addresses, so that neither a transposed
 * matrix nor the windows of a convolution need to be written out.
 */
import {
  add,
  block,
  countTo,
  f32,
  floats,
  get,
  i32,
  repeat,
  set,
  Variables,
  when,
  type AssembledFunction,
  type Code,
  type Variable,
} from '../../../core/assembly/assembler';

/** Rows and columns of a tile of the product: as many sums as registers hold beside the factors. */
export const TILE = { rows: 4, columns: 8 } as const;

type Lanes = (typeof TILE)['rows' | 'columns'];
export type TileFunction = `packRows${Lanes}` | `packColumns${Lanes}` | 'multiply';
type Assembled = AssembledFunction & { readonly name: TileFunction };

const FLOAT = 4;
const VECTOR = 16;

const times = (code: Code, factor: number): Code => i32.mul(code, i32.of(factor));
const wholes = (code: Code, of: number): Code => i32.and(code, i32.of(-of));
const indices = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
const integers = (count: number): 'i32'[] => Array<'i32'>(count).fill('i32');

/**
 * `packRows4` and `packRows8`: lanes are rows, columns are steps of the sum.
 *
 * Parameters: where the addresses of the rows lie, of a whole number of panels; how many panels; bytes from a row's
 * address to its first column; columns; where to; bytes from panel to panel there. Writes `[columns, lanes]` a panel.
 */
function packRows(lanes: Lanes): Assembled {
  const [table, panels, offset, columns, to, panelBytes] = [0, 1, 2, 3, 4, 5];
  const variables = new Variables(6);
  const panel = variables.local('i32');
  const column = variables.local('i32');
  const at = variables.local('i32');
  const rows = variables.several(lanes, 'i32');
  const loaded = variables.several(4, 'v128');
  const halves = variables.several(4, 'v128');
  const read = (of: readonly Variable[], i: number): Code => get(of[i] ?? 0);
  /** Four columns of four rows, turned around. */
  const turn = (first: number): Code => {
    const halve = (i: number, a: number, b: number, places: readonly number[]): Code =>
      set(halves[i] ?? 0, floats.shuffle(read(loaded, a), read(loaded, b), places));
    const put = (i: number, a: number, b: number, places: readonly number[]): Code =>
      floats.store(
        get(at),
        floats.shuffle(read(halves, a), read(halves, b), places),
        (i * lanes + first) * FLOAT,
      );
    return block(
      ...loaded.map((vector, i) => set(vector, floats.load(read(rows, first + i)))),
      halve(0, 0, 1, [0, 4, 1, 5]),
      halve(1, 2, 3, [0, 4, 1, 5]),
      halve(2, 0, 1, [2, 6, 3, 7]),
      halve(3, 2, 3, [2, 6, 3, 7]),
      put(0, 0, 1, [0, 1, 4, 5]),
      put(1, 0, 1, [2, 3, 6, 7]),
      put(2, 2, 3, [0, 1, 4, 5]),
      put(3, 2, 3, [2, 3, 6, 7]),
    );
  };
  const forth = (count: number): Code =>
    block(...rows.map((row) => add(row, i32.of(count * FLOAT))), add(at, i32.of(count * lanes * FLOAT)));
  const fours = block(...indices(lanes / 4).map((group) => turn(group * 4)), forth(4));
  const ones = block(...rows.map((row, i) => f32.store(get(at), f32.load(get(row)), i * FLOAT)), forth(1));
  const body = countTo(
    panel,
    get(panels),
    1,
    block(
      ...rows.map((row, i) => set(row, i32.add(i32.load(get(table), i * 4), get(offset)))),
      set(at, get(to)),
      set(column, i32.of(0)),
      countTo(column, wholes(get(columns), 4), 4, fours),
      countTo(column, get(columns), 1, ones),
      add(table, i32.of(lanes * 4)),
      add(to, get(panelBytes)),
    ),
  );
  return { name: `packRows${lanes}`, parameters: integers(6), locals: variables.locals, body };
}

/**
 * `packColumns4` and `packColumns8`: lanes are columns, rows are steps of the sum.
 *
 * Parameters: where the addresses of the rows lie; rows; bytes from a row's address to its first column; columns; where
 * to. Writes `[panels, rows, lanes]`; lanes behind the last column are zeros.
 */
function packColumns(lanes: Lanes): Assembled {
  const [table, rows, offset, columns, to] = [0, 1, 2, 3, 4];
  const variables = new Variables(5);
  const column = variables.local('i32');
  const row = variables.local('i32');
  const from = variables.local('i32');
  const lane = variables.local('i32');
  const left = variables.local('i32');
  const groups = indices(lanes / 4).map((group) => group * VECTOR);
  const eachRow = (body: Code): Code =>
    block(
      set(row, i32.of(0)),
      countTo(
        row,
        get(rows),
        1,
        block(
          set(from, i32.add(i32.load(i32.add(get(table), times(get(row), 4))), get(offset))),
          body,
          add(to, i32.of(lanes * FLOAT)),
        ),
      ),
    );
  const whole = block(...groups.map((group) => floats.store(get(to), floats.load(get(from), group), group)));
  // Float by float: behind the last row of all there may be no memory.
  const rest = block(
    ...groups.map((group) => floats.store(get(to), floats.zero, group)),
    set(lane, i32.of(0)),
    countTo(
      lane,
      get(left),
      FLOAT,
      f32.store(i32.add(get(to), get(lane)), f32.load(i32.add(get(from), get(lane)))),
    ),
  );
  const body = block(
    countTo(
      column,
      wholes(get(columns), lanes),
      lanes,
      block(eachRow(whole), add(offset, i32.of(lanes * FLOAT))),
    ),
    set(left, times(i32.sub(get(columns), get(column)), FLOAT)),
    when(get(left), eachRow(rest)),
  );
  return { name: `packColumns${lanes}`, parameters: integers(5), locals: variables.locals, body };
}

/**
 * `multiply`: the product of packed factors.
 *
 * Parameters: left factor `[panels, depth, 4]`; right factor `[panels, depth, 8]`; product; rows, columns and depth, all
 * above 0; bytes from row to row of the product; whether it is added to what is there (1) or replaces it (0); room for a
 * tile.
 */
function multiply(): Assembled {
  const [left, right, product, rows, columns, depth, rowBytes, adds, tile] = [0, 1, 2, 3, 4, 5, 6, 7, 8];
  const variables = new Variables(9);
  const row = variables.local('i32');
  const column = variables.local('i32');
  const a = variables.local('i32');
  const b = variables.local('i32');
  const end = variables.local('i32');
  const out = variables.local('i32');
  const x = variables.local('i32');
  const y = variables.local('i32');
  const one = variables.local('v128');
  const vectors = indices(TILE.columns / 4);
  const rights = vectors.map(() => variables.local('v128'));
  const sums = indices(TILE.rows).map(() => vectors.map(() => variables.local('v128')));
  const places = indices(TILE.rows).map(() => variables.local('i32'));
  const each = (visit: (sum: Variable, row: number, offset: number) => Code): Code =>
    block(...sums.flatMap((vectorsOfRow, r) => vectorsOfRow.map((sum, v) => visit(sum, r, v * VECTOR))));
  // One step only: V8 computes what has no effect as late as it can, and of several steps at once it would hold all
  // factors, for which there are no registers. It repeats the loop's body itself.
  const step = block(
    ...rights.map((vector, v) => set(vector, floats.load(get(b), v * VECTOR))),
    ...sums.flatMap((vectorsOfRow, r) => [
      set(one, floats.loadSplat(get(a), r * FLOAT)),
      ...vectorsOfRow.map((sum, v) =>
        set(sum, floats.add(get(sum), floats.mul(get(one), get(rights[v] ?? 0)))),
      ),
    ]),
    add(a, i32.of(TILE.rows * FLOAT)),
    add(b, i32.of(TILE.columns * FLOAT)),
  );
  const place = (r: number): Code => get(places[r] ?? 0);
  const isWhole = i32.and(
    i32.less(i32.add(get(row), i32.of(TILE.rows - 1)), get(rows)),
    i32.less(i32.add(get(column), i32.of(TILE.columns - 1)), get(columns)),
  );
  /** What of a tile at the border lies in the product is copied or added, float by float. */
  const cut = block(
    each((sum, r, offset) => floats.store(get(tile), get(sum), r * TILE.columns * FLOAT + offset)),
    set(y, i32.of(0)),
    countTo(
      y,
      i32.least(i32.sub(get(rows), get(row)), i32.of(TILE.rows)),
      1,
      block(
        set(x, i32.of(0)),
        countTo(
          x,
          times(i32.least(i32.sub(get(columns), get(column)), i32.of(TILE.columns)), FLOAT),
          FLOAT,
          block(
            set(end, i32.add(i32.add(get(out), i32.mul(get(y), get(rowBytes))), get(x))),
            set(b, i32.add(i32.add(get(tile), times(get(y), TILE.columns * FLOAT)), get(x))),
            when(
              get(adds),
              f32.store(get(end), f32.add(f32.load(get(end)), f32.load(get(b)))),
              f32.store(get(end), f32.load(get(b))),
            ),
          ),
        ),
      ),
    ),
  );
  const whole = block(
    when(
      get(adds),
      each((sum, r, offset) => set(sum, floats.add(get(sum), floats.load(place(r), offset)))),
    ),
    each((sum, r, offset) => floats.store(place(r), get(sum), offset)),
  );
  const oneTile = block(
    each((sum) => set(sum, floats.zero)),
    set(b, get(right)),
    set(end, i32.add(get(b), times(get(depth), TILE.columns * FLOAT))),
    repeat(step, i32.less(get(b), get(end))),
    ...places.map((variable, r) => set(variable, r === 0 ? get(out) : i32.add(place(r - 1), get(rowBytes)))),
    when(isWhole, whole, cut),
    add(out, times(get(rowBytes), TILE.rows)),
  );
  const body = countTo(
    column,
    get(columns),
    TILE.columns,
    block(
      set(out, get(product)),
      set(a, get(left)),
      set(row, i32.of(0)),
      countTo(row, get(rows), TILE.rows, oneTile),
      add(right, times(get(depth), TILE.columns * FLOAT)),
      add(product, i32.of(TILE.columns * FLOAT)),
    ),
  );
  return { name: 'multiply', parameters: integers(9), locals: variables.locals, body };
}

/** All of them. */
export const tileFunctions = (): Assembled[] => [
  packRows(TILE.rows),
  packRows(TILE.columns),
  packColumns(TILE.rows),
  packColumns(TILE.columns),
  multiply(),
];
