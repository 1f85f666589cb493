/** Matrix products in the memory of the `wasm` backend, in blocks that stay in the caches. */
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import type { WasmMemory } from '../../../core/assembly/webAssembly';
import { assembledIn, perMemory, type Functions } from '../assembled';
import { reserve } from '../heap';
import { TILE, tileFunctions, type TileFunction } from './tiles';

/** A matrix of floats: rows at any addresses, each of the same pieces. Addresses are bytes of the backend's memory. */
export interface Matrix {
  readonly rows: number;
  /** Writes the addresses of `into.length` rows from `first` on. */
  readonly locate: (first: number, into: Int32Array) => void;
  /** What of a row's memory are its columns, in their order. */
  readonly pieces: readonly Piece[];
}

export interface Piece {
  /** Bytes from the row's address to the first. */
  readonly offset: number;
  readonly columns: number;
}

/** Rows that lie one behind the other. */
export function denseMatrix(address: number, rows: number, columns: number): Matrix {
  return {
    rows,
    locate: (first, into) => {
      for (let i = 0; i < into.length; i += 1) into[i] = address + (first + i) * columns * 4;
    },
    pieces: [{ offset: 0, columns }],
  };
}

const widthOf = ({ pieces }: Matrix): number => pieces.reduce((sum, { columns }) => sum + columns, 0);

/** Steps of the sum in a block: panels of a tile, 12 lanes, fill 12 kB of the first cache. */
const DEPTH = 256;
/** Rows and columns of a block: 128 kB of the left factor for the second cache, 1 MB of the right one for the third. */
const BLOCK = { rows: 128, columns: 1024 } as const;
/** Rows of a block at most, where it has fewer steps. */
const TABLE = 1024;

/** The module in one backend's memory, with room for a packed block of each factor. */
interface Workshop {
  readonly memory: WasmMemory;
  readonly tiles: Functions<TileFunction>;
  readonly table: number;
  readonly left: number;
  readonly right: number;
  readonly tile: number;
}

const tilesIn = assembledIn(tileFunctions);

const workshopIn = perMemory((memory, backend): Workshop => {
  const sizes = [TABLE, BLOCK.rows * DEPTH, BLOCK.columns * DEPTH, TILE.rows * TILE.columns];
  const room = reserve(backend, sizes.reduce((sum, size) => sum + size, 0) * 4);
  const [table = 0, left = 0, right = 0, tile = 0] = sizes.map(
    (_, i) => room + sizes.slice(0, i).reduce((sum, size) => sum + size, 0) * 4,
  );
  return { memory, tiles: tilesIn(memory), table, left, right, tile };
});

/** Neighbours among a matrix's columns. */
interface Run {
  readonly pieces: Piece[];
  columns: number;
}

/** Cuts pieces into runs of at most `most` columns. */
function cutPieces(pieces: readonly Piece[], most: number): Run[] {
  const runs: Run[] = [];
  let run: Run = { pieces: [], columns: most };
  for (const { offset, columns } of pieces) {
    for (let done = 0; done < columns;) {
      if (run.columns === most) {
        run = { pieces: [], columns: 0 };
        runs.push(run);
      }
      const count = Math.min(most - run.columns, columns - done);
      run.pieces.push({ offset: offset + done * 4, columns: count });
      run.columns += count;
      done += count;
    }
  }
  return runs;
}

type Lanes = (typeof TILE)['rows' | 'columns'];

/** Writes addresses of rows into the table; the last one's again up to whole panels. */
function writeTable(
  { memory, table }: Workshop,
  matrix: Matrix,
  first: number,
  rows: number,
  lanes: number,
): void {
  const addresses = new Int32Array(memory.buffer, table, Math.ceil(rows / lanes) * lanes);
  matrix.locate(first, addresses.subarray(0, rows));
  addresses.fill(addresses[rows - 1] ?? 0, rows);
}

/** A factor as the sum sees it. */
interface Factor {
  /** Runs of lanes, over which nothing is summed, that are packed at once. */
  readonly blocks: readonly { readonly first: number; readonly count: number }[];
  /**
   * Packs a block.
   *
   * @param from the first step of the sum, a multiple of {@link DEPTH}
   */
  readonly pack: (block: number, from: number, steps: number, to: number) => void;
}

/** Lanes are rows of the matrix, the sum runs over its columns. */
function overColumns(shop: Workshop, matrix: Matrix, lanes: Lanes, most: number): Factor {
  const runs = cutPieces(matrix.pieces, DEPTH);
  const blocks = Array.from({ length: Math.ceil(matrix.rows / most) }, (_, i) => ({
    first: i * most,
    count: Math.min(most, matrix.rows - i * most),
  }));
  const packRows = lanes === 4 ? shop.tiles.packRows4 : shop.tiles.packRows8;
  return {
    blocks,
    pack: (block, from, steps, to) => {
      const { first = 0, count = 0 } = blocks[block] ?? {};
      writeTable(shop, matrix, first, count, lanes);
      let at = to;
      for (const { offset, columns } of runs[from / DEPTH]?.pieces ?? []) {
        packRows(shop.table, Math.ceil(count / lanes), offset, columns, at, steps * lanes * 4);
        at += columns * lanes * 4;
      }
    },
  };
}

/** Lanes are columns of the matrix, the sum runs over its rows. */
function overRows(shop: Workshop, matrix: Matrix, lanes: Lanes, most: number): Factor {
  // Lanes of a block are neighbours, so it is of one piece.
  const runs = matrix.pieces.flatMap((piece) => cutPieces([piece], most));
  let first = 0;
  const blocks = runs.map(({ columns: count }) => {
    first += count;
    return { first: first - count, count };
  });
  const packColumns = lanes === 4 ? shop.tiles.packColumns4 : shop.tiles.packColumns8;
  return {
    blocks,
    pack: (block, from, steps, to) => {
      writeTable(shop, matrix, from, steps, 1);
      for (const { offset, columns } of runs[block]?.pieces ?? [])
        packColumns(shop.table, steps, offset, columns, to);
    },
  };
}

export interface Product {
  /** `[m, k]`, or `[k, m]` when `transposeLeft`. */
  readonly left: Matrix;
  /** `[k, n]`, or `[n, k]` when `transposeRight`. */
  readonly right: Matrix;
  readonly transposeLeft: boolean;
  readonly transposeRight: boolean;
  /** Address of the product, `[m, n]`. */
  readonly out: number;
  /** Whether it is added to what is there. */
  readonly adds: boolean;
}

/** Computes a product. Nothing is allocated but once a backend; no size may be 0. */
export function multiply(backend: BackendWasm, product: Product): void {
  const { transposeLeft, transposeRight } = product;
  const shop = workshopIn(backend);
  const depth = transposeLeft ? product.left.rows : widthOf(product.left);
  const room = Math.floor((BLOCK.rows * DEPTH) / Math.min(depth, DEPTH) / TILE.rows) * TILE.rows;
  const left = (transposeLeft ? overRows : overColumns)(shop, product.left, TILE.rows, Math.min(room, TABLE));
  const right = (transposeRight ? overColumns : overRows)(shop, product.right, TILE.columns, BLOCK.columns);
  const width = transposeRight ? product.right.rows : widthOf(product.right);
  right.blocks.forEach((columns, j) => {
    for (let from = 0; from < depth; from += DEPTH) {
      const steps = Math.min(DEPTH, depth - from);
      right.pack(j, from, steps, shop.right);
      left.blocks.forEach((rows, i) => {
        left.pack(i, from, steps, shop.left);
        shop.tiles.multiply(
          shop.left,
          shop.right,
          product.out + (rows.first * width + columns.first) * 4,
          rows.count,
          columns.count,
          steps,
          width * 4,
          product.adds || from > 0 ? 1 : 0,
          shop.tile,
        );
      });
    }
  });
}
