/**
 * What a traced step says of the same step at other widths. A length comes into a graph in two ways only: it is written
 * down, or it is compared with 1 (what is 1 long is spread). Two traces in which a length differed and the graph did not
 * have shown that it is not written down; so long as it is not 1 either, the graph is the one that a trace would find.
 */
import type * as tf from '@tensorflow/tfjs-core';
import type { TensorSpec } from '../engine';
import type { TracedStep, TracedVariable } from './traced';

export class KnownStep {
  readonly #traced: TracedStep;
  /** Where each traced variable stands among those that the step was compiled with; -1 where it does not. */
  readonly #places: readonly number[];
  readonly #count: number;
  readonly #setup: string;

  constructor(
    traced: TracedStep,
    variables: readonly tf.Variable[],
    batch: readonly TensorSpec[],
    scalars: readonly string[],
  ) {
    this.#traced = traced;
    this.#places = traced.variables.map(({ variable }) => variables.indexOf(variable));
    this.#count = variables.length;
    this.#setup = JSON.stringify([batch, scalars]);
  }

  /** @returns the step on other variables, or undefined where only a trace can tell */
  forWidths(
    variables: readonly tf.Variable[],
    batch: readonly TensorSpec[],
    scalars: readonly string[],
  ): TracedStep | undefined {
    const { randoms, variables: traced } = this.#traced;
    // Shapes of random tensors are seen in a trace only.
    if (randoms.length > 0 || variables.length !== this.#count) return undefined;
    if (JSON.stringify([batch, scalars]) !== this.#setup) return undefined;
    const bound = traced.flatMap((known, i): TracedVariable[] => {
      const variable = variables[this.#places[i] ?? -1];
      return variable !== undefined && this.#fits(known, variable) ? [{ ...known, variable }] : [];
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

  #fits({ index, variable: before }: TracedVariable, { shape, dtype }: tf.Variable): boolean {
    const { shapes, varied } = this.#traced.family;
    const first = shapes[index] ?? [];
    if (dtype !== before.dtype || shape.length !== first.length) return false;
    return shape.every((length, axis) => {
      if (length === first[axis]) return true;
      return varied.has(`${index}:${axis}`) && length > 1 && first[axis] !== 1;
    });
  }
}
