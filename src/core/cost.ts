import type { Analysis } from './analysis';
import { PINNED } from './channels';
import { latencyAt, latencyAxes, type LatencyGrid, type LatencyTable } from './latency';
import type { Cost, CostKind } from './options';

/** What a network costs, and what goes when a channel goes. */

/** Which channel classes are left: `alive[class]`, 1 or 0. {@link PINNED} is always left. */
export type Alive = Uint8Array;

interface ClassTerm {
  readonly coefficient: number;
  /** Class of every index of each axis. */
  readonly axes: readonly Int32Array[];
  /** Measured, in place of the product of the counts. */
  readonly grid?: LatencyGrid;
}

export interface CostModel {
  readonly kind: Cost;
  readonly terms: readonly ClassTerm[];
}

/** All channels alive. */
export function allAlive(analysis: Analysis): Alive {
  return new Uint8Array(analysis.classCount).fill(1);
}

/** Models that were made: sizes are asked for in every step. */
const known = new WeakMap<Analysis, Map<CostKind, CostModel>>();

export function costModel(analysis: Analysis, kind: CostKind): CostModel {
  const ofAnalysis = known.get(analysis) ?? new Map<CostKind, CostModel>();
  known.set(analysis, ofAnalysis);
  const model = ofAnalysis.get(kind) ?? makeModel(analysis, kind);
  ofAnalysis.set(kind, model);
  return model;
}

function makeModel(analysis: Analysis, kind: CostKind): CostModel {
  const classes = (ids: Int32Array): Int32Array => Int32Array.from(ids, (id) => analysis.classOf(id));
  if (kind === 'macs') {
    const terms = analysis.calls.flatMap((call) =>
      call.facts.macs.map((term) => ({ coefficient: term.coefficient, axes: term.axes.map(classes) })),
    );
    return { kind, terms };
  }
  const terms = [...analysis.facts.values()].flatMap((facts) =>
    facts.weights.map((weight) => ({
      coefficient: weight.shape.reduce(
        (product, length, axis) => (weight.axes[axis] === null ? product * length : product),
        1,
      ),
      axes: weight.axes.filter((ids) => ids !== null).map(classes),
    })),
  );
  return { kind, terms };
}

/** What channels take on the engine that the table was measured on, at the widths of any network of the run. */
export function latencyModel(analysis: Analysis, table: LatencyTable): CostModel {
  const grids = new Map(table.map((grid) => [`${grid.layer}:${grid.call}`, grid]));
  const terms = analysis.calls.flatMap((call): ClassTerm[] => {
    const grid = grids.get(`${call.layer.name}:${call.call}`);
    if (grid === undefined) return [];
    const axes = latencyAxes(analysis, call).map((ids) => Int32Array.from(ids, (id) => analysis.classOf(id)));
    return axes.length === 0 ? [] : [{ coefficient: 1, axes, grid }];
  });
  return { kind: 'latency', terms };
}

/** Cost models of a run, whose latency table is measured once. */
export type CostsOf = (analysis: Analysis, kind: Cost) => CostModel;

/** @param table undefined where nothing is weighed by latency */
export function costsWith(table: LatencyTable | undefined): CostsOf {
  return (analysis, kind) => {
    if (kind !== 'latency') return costModel(analysis, kind);
    if (table === undefined) throw new RangeError('no latency was measured');
    return latencyModel(analysis, table);
  };
}

function valueOf(term: ClassTerm, counts: readonly number[]): number {
  if (term.grid !== undefined) return latencyAt(term.grid, counts);
  return counts.reduce((product, count) => product * count, term.coefficient);
}

/** Parameters (trained or not) or multiply-accumulate operations of what is alive; milliseconds of a step with latency. */
export function totalCost(model: CostModel, alive: Alive): number {
  let total = 0;
  for (const term of model.terms)
    total += valueOf(
      term,
      term.axes.map((axis) => countAlive(axis, alive)),
    );
  return total;
}

/**
 * What goes when one channel class goes, at the present widths: `c_k` of RECIPE.md, exact for a single removal.
 *
 * @returns cost by class; 0 for classes that are gone or stay
 */
export function marginalCosts(model: CostModel, alive: Alive): Float64Array {
  const costs = new Float64Array(alive.length);
  const most = Math.max(0, ...model.terms.map(({ axes }) => axes.length));
  // How often each class stands on each axis of a term; all 0 between terms.
  const counted = new Int32Array(most * alive.length);
  for (const term of model.terms) {
    const { axes } = term;
    const counts = axes.map((axis) => countAlive(axis, alive));
    const full = valueOf(term, counts);
    const present = new Set<number>();
    axes.forEach((axis, i) => {
      for (const c of axis) {
        if (c === PINNED || alive[c] !== 1) continue;
        present.add(c);
        counted[c * most + i] = (counted[c * most + i] ?? 0) + 1;
      }
    });
    const rest = [...counts];
    for (const c of present) {
      axes.forEach((_, i) => {
        rest[i] = (counts[i] ?? 0) - (counted[c * most + i] ?? 0);
        counted[c * most + i] = 0;
      });
      costs[c] = (costs[c] ?? 0) + full - valueOf(term, rest);
    }
  }
  return costs;
}

export function countAlive(classes: Int32Array, alive: Alive): number {
  let count = 0;
  for (const c of classes) count += c === PINNED ? 1 : (alive[c] ?? 0);
  return count;
}
