import type { AnalysedCall, Analysis } from './analysis';
import { concatIds, PINNED, type ChannelIds } from './channels';

/**
 * What a layer's part of a training step takes on the user's own engine, measured at a few widths and interpolated
 * between them: the third thing, beside parameters and MACs, that a channel can cost.
 */

/** Milliseconds of one call of a layer at a grid of widths. */
export interface LatencyGrid {
  readonly layer: string;
  readonly call: number;
  /** Widths that were measured, ascending, axis by axis ({@link latencyAxes}). */
  readonly widths: readonly (readonly number[])[];
  /** Row-major over `widths`. */
  readonly ms: readonly number[];
}

/** All calls whose time depends on learned widths. Plain JSON: it is kept with the run. */
export type LatencyTable = readonly LatencyGrid[];

/** Slope that a grid has everywhere, as a share of its mean slope: a channel that costs nothing would never go. */
const LEAST_SLOPE = 0.02;

/**
 * The channels that a call's time depends on: those that it reads and those that it makes; of a layer that keeps
 * channels, these.
 *
 * @returns no axes where none of them can go
 */
export function latencyAxes(analysis: Analysis, { inputs, facts }: AnalysedCall): readonly ChannelIds[] {
  const [output] = facts.outputs;
  const [first] = inputs;
  if (output === undefined || first === undefined) return [];
  // A reshape moves nothing.
  if (facts.flow.kind === 'carries' && facts.resize !== undefined) return [];
  const own = facts.widths?.map(({ ids }) => ids) ?? (facts.widthKey === undefined ? [] : [output.ids]);
  const axes =
    facts.flow.kind === 'carries'
      ? [output.ids]
      : [analysis.tensor(first).ids, ...(own.length === 0 ? [] : [concatIds(own)])];
  const learned = axes.some((ids) => ids.some((id) => analysis.classOf(id) !== PINNED));
  return learned ? axes : [];
}

/** Widths to measure an axis at: all of it, a third and a ninth; one where it stays. */
export function widthsToMeasure(analysis: Analysis, ids: ChannelIds): number[] {
  if (ids.every((id) => analysis.classOf(id) === PINNED)) return [ids.length];
  const widths = [9, 3, 1].map((part) => Math.max(1, Math.round(ids.length / part)));
  return [...new Set(widths)];
}

/**
 * Takes the noise out of measured times: a wider layer is never faster, and every channel costs something.
 *
 * @returns the grid with the least times that are at least the measured ones and rise in every width
 */
export function smoothGrid(grid: LatencyGrid): LatencyGrid {
  const [rows = [], columns = [0]] = grid.widths;
  const across = columns.length;
  const at = (i: number, j: number): number => grid.ms[i * across + j] ?? 0;
  const largest = Math.max(...grid.ms);
  const rise = (widths: readonly number[], from: number, to: number): number =>
    (LEAST_SLOPE * largest * ((widths[to] ?? 0) - (widths[from] ?? 0))) / Math.max(1, widths.at(-1) ?? 1);
  const ms = rows.flatMap((_, i) =>
    columns.map((__, j) => {
      let least = 0;
      for (let a = 0; a <= i; a += 1)
        for (let b = 0; b <= j; b += 1)
          least = Math.max(least, at(a, b) + rise(rows, a, i) + rise(columns, b, j));
      return least;
    }),
  );
  return { ...grid, ms };
}

/**
 * Time at any widths: linear between measured ones (a product of widths, as a kernel has it, comes out exactly), and
 * below the smallest as it falls there, to 0 at most.
 *
 * @param counts channels left, axis by axis
 */
export function latencyAt({ widths, ms }: LatencyGrid, counts: readonly number[]): number {
  const [rows = [], columns = [0]] = widths;
  const down = placeOf(rows, counts[0] ?? 0);
  const right = placeOf(columns, counts[1] ?? 0);
  const at = (i: number, j: number): number => ms[i * columns.length + j] ?? 0;
  const along = (i: number): number => mix(at(i, right.from), at(i, right.to), right.share);
  return Math.max(0, mix(along(down.from), along(down.to), down.share));
}

function mix(a: number, b: number, share: number): number {
  return a + (b - a) * share;
}

/** The two measured widths around one (or nearest to it), and how far it lies between them. */
function placeOf(widths: readonly number[], width: number): { from: number; to: number; share: number } {
  if (widths.length < 2) return { from: 0, to: 0, share: 0 };
  const above = widths.findIndex((measured, i) => i > 0 && width <= measured);
  const to = above < 0 ? widths.length - 1 : above;
  const [low, high] = [widths[to - 1] ?? 0, widths[to] ?? 0];
  return { from: to - 1, to, share: (width - low) / (high - low) };
}
