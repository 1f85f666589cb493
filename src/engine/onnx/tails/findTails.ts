/**
 * Tails of a step: what optimizers do to each element of a weight and its moments once the gradient is known. As ONNX
 * nodes that is a dozen passes over memory, more than the products of a dense layer take beside it; as one program it is
 * one pass, in place. A tail is taken out of the graph, and its gradient becomes an output.
 */
import { broadcast_util, util } from '@tensorflow/tfjs-core';
import { sizeOf } from '../../../core/tensor';
import type { Graph, Value } from '../graph';
import { OPERATIONS, type Item, type Operation, type Program } from '../../elements/program';

/** More arrays than this at once do not fit a tail; what has so many is no optimizer. */
const MOST_ARRAYS = 8;

/** An array of a tail: a variable, by its index, or a value that the graph gives out. */
export type TailArray = { readonly variable: number } | { readonly value: Value };

/** A number of a tail: fixed, or what the graph gives out, or the variable of one element. */
export type TailNumber =
  { readonly scalar: string } | { readonly value: Value } | { readonly variable: number };

export interface Tail {
  readonly program: Program;
  readonly arrays: readonly TailArray[];
  readonly numbers: readonly TailNumber[];
  /** Indices of the variables that it assigns. */
  readonly assigned: readonly number[];
}

interface TracedVariables {
  /** Name of each variable's input. */
  readonly inputs: readonly string[];
  readonly shapes: readonly (readonly number[])[];
  /** New values, by the variable's index. */
  readonly assigned: ReadonlyMap<number, Value>;
}

const isOperation = (type: string): type is Operation => type in OPERATIONS;

/** Grows one tail. */
class Builder {
  readonly items: Item[] = [];
  readonly arrays: TailArray[] = [];
  readonly numbers: TailNumber[] = [];
  readonly #known = new Map<string, number>();

  constructor(
    private readonly graph: Graph,
    private readonly indexOf: ReadonlyMap<string, number>,
    private readonly shape: readonly number[],
  ) {}

  /** The item that a value of the graph is; undefined when it cannot be in a tail. */
  itemOf(name: string): number | undefined {
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    const item = this.#make(name);
    if (item === undefined) return undefined;
    this.items.push(item);
    this.#known.set(name, this.items.length - 1);
    return this.items.length - 1;
  }

  arrayOf(array: TailArray): number {
    const same = this.arrays.findIndex((other) =>
      'variable' in array
        ? 'variable' in other && other.variable === array.variable
        : 'value' in other && other.value.name === array.value.name,
    );
    return same >= 0 ? same : this.arrays.push(array) - 1;
  }

  #make(name: string): Item | undefined {
    const shape = shapeOf(this.graph, name);
    if (shape === undefined) return undefined;
    const variable = this.indexOf.get(name);
    if (sizeOf(shape) === 1) {
      const value = { name, shape, dtype: 'float32' as const };
      const number = this.graph.isScalar(name)
        ? { scalar: name }
        : variable === undefined
          ? { value }
          : { variable };
      return { kind: 'number', number: this.numbers.push(number) - 1 };
    }
    if (!util.arraysEqual([...shape], [...this.shape])) return undefined;
    if (variable !== undefined) return { kind: 'array', array: this.arrayOf({ variable }) };
    const node = this.graph.producerOf(name);
    if (node === undefined) return undefined;
    const { type, inputs } = node;
    if (isOperation(type)) {
      const before = [this.items.length, this.arrays.length, this.numbers.length] as const;
      const of = inputs.map((input) => this.itemOf(input));
      if (of.every((item) => item !== undefined)) return { kind: 'result', operation: type, of };
      // Something in it is repeated along an axis: the graph computes it, and what led there is not needed.
      [this.items.length, this.arrays.length, this.numbers.length] = before;
      for (const [known, item] of this.#known) if (item >= before[0]) this.#known.delete(known);
    }
    return { kind: 'array', array: this.arrayOf({ value: { name, shape, dtype: 'float32' } }) };
  }
}

/** The shape of a float value, if it is known. */
function shapeOf(graph: Graph, name: string): readonly number[] | undefined {
  const known = graph.floatShapeOf(name);
  if (known !== undefined) return known;
  const node = graph.producerOf(name);
  if (node === undefined || !isOperation(node.type)) return undefined;
  let shape: readonly number[] = [];
  for (const input of node.inputs) {
    const other = shapeOf(graph, input);
    if (other === undefined) return undefined;
    shape = broadcast_util.assertAndGetBroadcastShape([...shape], [...other]);
  }
  return shape;
}

/** Variables by what they share: those that one tail reads or assigns must not be assigned by another before. */
function groupsOf(
  graph: Graph,
  { inputs, shapes, assigned }: TracedVariables,
  indexOf: ReadonlyMap<string, number>,
) {
  let groups: { members: Set<number>; names: Set<string>; shape: readonly number[] }[] = [];
  for (const [index, value] of assigned) {
    const shape = shapes[index] ?? [];
    const node = graph.producerOf(value.name);
    if (sizeOf(shape) <= 1 || node === undefined || !isOperation(node.type)) continue;
    const alone = new Builder(graph, indexOf, shape);
    if (alone.itemOf(value.name) === undefined) continue;
    const names = new Set(
      alone.arrays.map((array) => ('value' in array ? array.value.name : (inputs[array.variable] ?? ''))),
    );
    names.add(inputs[index] ?? '');
    const touching = groups.filter((group) => [...names].some((name) => group.names.has(name)));
    groups = groups.filter((group) => !touching.includes(group));
    groups.push({
      members: new Set([index, ...touching.flatMap(({ members }) => [...members])]),
      names: new Set([...names, ...touching.flatMap((group) => [...group.names])]),
      shape,
    });
  }
  return groups;
}

export function findTails(graph: Graph, variables: TracedVariables): Tail[] {
  const indexOf = new Map(variables.inputs.map((name, index) => [name, index]));
  return groupsOf(graph, variables, indexOf).flatMap(({ members, shape }): Tail[] => {
    const builder = new Builder(graph, indexOf, shape);
    const stores: { array: number; item: number }[] = [];
    for (const index of [...members].sort((a, b) => a - b)) {
      const item = builder.itemOf(variables.assigned.get(index)?.name ?? '');
      if (item === undefined) return [];
      stores.push({ array: builder.arrayOf({ variable: index }), item });
    }
    const { arrays, numbers, items } = builder;
    // A plain copy or a single operation is as fast where it is.
    if (arrays.length > MOST_ARRAYS || items.filter(({ kind }) => kind === 'result').length < 2) return [];
    // A variable that the tail reads and the graph assigns would be read too late.
    const mixed = arrays.some(
      (array) =>
        'variable' in array && variables.assigned.has(array.variable) && !members.has(array.variable),
    );
    if (mixed) return [];
    const program = { arrays: arrays.length, numbers: numbers.length, items, stores };
    return [{ program, arrays, numbers, assigned: [...members] }];
  });
}
