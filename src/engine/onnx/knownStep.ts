/**
 * What a traced step says of the same step at other widths. A length comes into a graph in two ways only: it is written
 * down, or it is compared with 1 (what is 1 long is spread). Two traces in which a length differed and the graph did not
 * have shown that it is not written down; so long as it is not 1 either, the graph is the one that a trace would find. The
 * two may be of another size of batch, as long as neither size is 1: what is written down for one is so for the other.
 */
import type * as tf from '@tensorflow/tfjs-core';
import type { TensorSpec } from '../engine';
import type { TracedStep, TracedVariable } from './traced';

export class KnownStep {
  readonly #traced: TracedStep;
  /** Where each traced variable stands among those that the step was compiled with; -1 where it does not. */
  readonly #places: readonly number[];
  readonly #count: number;
  readonly #batch: readonly TensorSpec[];
  readonly #scalars: readonly string[];

  constructor(
    traced: TracedStep,
    variables: readonly tf.Variable[],
    batch: readonly TensorSpec[],
    scalars: readonly string[],
  ) {
    this.#traced = traced;
    this.#places = traced.variables.map(({ variable }) => variables.indexOf(variable));
    this.#count = variables.length;
    this.#batch = batch;
    this.#scalars = scalars;
  }

  /**
   * @param others the same step on batches of other sizes
   * @returns the step on other variables, or undefined where only a trace can tell
   */
  forWidths(
    variables: readonly tf.Variable[],
    batch: readonly TensorSpec[],
    scalars: readonly string[],
    others: readonly KnownStep[] = [],
  ): TracedStep | undefined {
    const { randoms, variables: traced } = this.#traced;
    // Shapes of random tensors are seen in a trace only.
    if (randoms.length > 0 || variables.length !== this.#count) return undefined;
    if (JSON.stringify([batch, scalars]) !== JSON.stringify([this.#batch, this.#scalars])) return undefined;
    const witnesses = [this, ...others.filter((other) => other.#sameButForRows(this))];
    const bound = traced.flatMap((known, i): TracedVariable[] => {
      const place = this.#places[i] ?? -1;
      const variable = variables[place];
      const varies = (axis: number): boolean => witnesses.some((other) => other.#hasVaried(place, axis));
      return variable !== undefined && this.#fits(known, variable, varies) ? [{ ...known, variable }] : [];
    });
    if (bound.length < traced.length) return undefined;
    const bindings = new Map(traced.map(({ variable }, i) => [variable, bound[i]?.variable ?? variable]));
    const now = (variable: tf.Variable): tf.Variable => bindings.get(variable) ?? variable;
    const tails = this.#traced.tails.map((tail) => ({
      ...tail,
      arrays: tail.arrays.map((array) => ('variable' in array ? { variable: now(array.variable) } : array)),
      numbers: tail.numbers.map((number) =>
        'variable' in number ? { variable: now(number.variable) } : number,
      ),
      assigned: tail.assigned.map(now),
    }));
    return { ...this.#traced, variables: bound, tails };
  }

  #fits(
    { index, variable: before }: TracedVariable,
    { shape, dtype }: tf.Variable,
    varies: (axis: number) => boolean,
  ): boolean {
    const first = this.#traced.family.shapes[index] ?? [];
    if (dtype !== before.dtype || shape.length !== first.length) return false;
    return shape.every((length, axis) => {
      if (length === first[axis]) return true;
      return varies(axis) && length > 1 && first[axis] !== 1;
    });
  }

  /** Whether traces have differed in this length of the variable in this place, and not in their graph. */
  #hasVaried(place: number, axis: number): boolean {
    const known = this.#traced.variables[this.#places.indexOf(place)];
    return known !== undefined && this.#traced.family.varied.has(`${known.index}:${axis}`);
  }

  #sameButForRows(other: KnownStep): boolean {
    if (other.#count !== this.#count || other.#batch.length !== this.#batch.length) return false;
    if (JSON.stringify(other.#scalars) !== JSON.stringify(this.#scalars)) return false;
    return this.#batch.every(({ shape: [rows, ...rest], dtype }, i) => {
      const [otherRows, ...otherRest] = other.#batch[i]?.shape ?? [];
      const same = dtype === other.#batch[i]?.dtype && JSON.stringify(rest) === JSON.stringify(otherRest);
      return same && rows !== 1 && otherRows !== 1;
    });
  }
}
