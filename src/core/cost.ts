import type { Analysis } from './analysis';
import { PINNED } from './channels';
import type { CostKind } from './options';

/** What a network costs, and what goes when a channel goes. */

/** Which channel classes are left: `alive[class]`, 1 or 0. {@link PINNED} is always left. */
export type Alive = Uint8Array;

interface ClassTerm {
  readonly coefficient: number;
  /** Class of every index of each axis. */
  readonly axes: readonly Int32Array[];
}

export interface CostModel {
  readonly kind: CostKind;
  readonly terms: readonly ClassTerm[];
}

/** All channels alive. */
export function allAlive(analysis: Analysis): Alive {
  return new Uint8Array(analysis.classCount).fill(1);
}

export function costModel(analysis: Analysis, kind: CostKind): CostModel {
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

/** Parameters (trained or not) or multiply-accumulate operations of what is alive. */
export function totalCost(model: CostModel, alive: Alive): number {
  let total = 0;
  for (const term of model.terms) {
    let product = term.coefficient;
    for (const axis of term.axes) product *= countAlive(axis, alive);
    total += product;
  }
  return total;
}

/**
 * What goes when one channel class goes, at the present widths: `c_k` of RECIPE.md, exact for a single removal.
 *
 * @returns cost by class; 0 for classes that are gone or stay
 */
export function marginalCosts(model: CostModel, alive: Alive): Float64Array {
  const costs = new Float64Array(alive.length);
  for (const term of model.terms) {
    const counts = term.axes.map((axis) => countAlive(axis, alive));
    const full = counts.reduce((product, count) => product * count, term.coefficient);
    // Occurrences of each class on each axis; most terms have it once on one axis.
    const occurrences = new Map<number, number[]>();
    term.axes.forEach((axis, i) => {
      for (const c of axis) {
        if (c === PINNED || alive[c] !== 1) continue;
        let counted = occurrences.get(c);
        if (counted === undefined)
          occurrences.set(c, (counted = new Array<number>(term.axes.length).fill(0)));
        counted[i] = (counted[i] ?? 0) + 1;
      }
    });
    for (const [c, counted] of occurrences) {
      let rest = term.coefficient;
      counted.forEach((count, i) => (rest *= (counts[i] ?? 0) - count));
      costs[c] = (costs[c] ?? 0) + full - rest;
    }
  }
  return costs;
}

export function countAlive(classes: Int32Array, alive: Alive): number {
  let count = 0;
  for (const c of classes) count += c === PINNED ? 1 : (alive[c] ?? 0);
  return count;
}
