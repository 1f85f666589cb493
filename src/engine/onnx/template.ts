/** A traced step without what differs between networks that differ in their widths alone. */
import type * as tf from '@tensorflow/tfjs-core';
import type { TensorSpec } from '../engine';
import type { ScalarBinding, Value } from './graph';
import { findTails, type Tail, type TailArray, type TailNumber } from './tails/findTails';
import type { StepFamily, TracedStep, TracedTail, TracedTailNumber, TracedVariable } from './traced';
import type { Recording } from './tracingBackend';

/** What one run of a step on the tracing backend showed. */
export interface Recorded {
  readonly recording: Recording;
  readonly outputs: readonly Value[];
  readonly assigned: ReadonlyMap<tf.Variable, Value>;
  /** Variables that the step made, with their first values. */
  readonly created: ReadonlyMap<tf.Variable, tf.backend_util.TypedArray>;
}

export interface Template {
  /** The step as it was recorded, for variables of whatever widths. */
  instantiate(variables: readonly tf.Variable[], first: Recorded): TracedStep;
}

/** Name of a variable's input. */
export const inputOf = (index: number): string => `variable${index}`;

export function shapesOf(variables: readonly tf.Variable[]): string {
  return JSON.stringify(variables.map((variable) => variable.shape));
}

/** What optimizers do at the end of the step, to be taken out of the graph. */
export function tailsOf({ recording, assigned }: Recorded, variables: readonly tf.Variable[]): Tail[] {
  const values = new Map<number, Value>();
  variables.forEach((variable, index) => {
    const value = assigned.get(variable);
    if (value !== undefined) values.set(index, value);
  });
  return findTails(recording.graph, {
    inputs: variables.map((_, index) => inputOf(index)),
    shapes: variables.map((variable) => variable.shape),
    assigned: values,
  });
}

/** A graph's file, with what goes in and out. */
interface Part extends Pick<TracedStep, 'model' | 'batch' | 'scalars' | 'outputs' | 'family'> {
  readonly variables: readonly Omit<TracedVariable, 'variable'>[];
  /** Names of the random inputs that the graph reads. */
  readonly randoms: ReadonlySet<string>;
}

interface Traced {
  readonly recorded: Recorded;
  readonly variables: readonly tf.Variable[];
  readonly batch: readonly TensorSpec[];
  readonly scalars: readonly string[];
  readonly bindings: readonly ScalarBinding[];
  readonly tails: readonly Tail[];
  /** Whether the file says no widths, so that it is the one for others too. */
  readonly anyWidths: boolean;
}

type NamedTail = Omit<Tail, 'arrays' | 'numbers'> & {
  readonly arrays: readonly ({ readonly output: string } | { readonly variable: number })[];
  readonly numbers: readonly (Exclude<TracedTailNumber, { variable: tf.Variable }> | { variable: number })[];
};

export function makeTemplate({
  recorded,
  variables,
  batch,
  scalars,
  bindings,
  tails,
  anyWidths,
}: Traced): Template {
  const { recording, outputs: returned, assigned } = recorded;
  const { graph } = recording;
  // Outputs get names of their own: one value may be returned twice, or be an input.
  const outputs = returned.map((value, index) => graph.nameOutput(value, `output${index}`));
  const tailOutputs = new Map<string, Value>();
  const named = tails.map((tail): NamedTail => {
    const outputOf = (value: Value): string => {
      const known = tailOutputs.get(value.name) ?? graph.nameOutput(value, `tail${tailOutputs.size}`);
      tailOutputs.set(value.name, known);
      return known.name;
    };
    return {
      ...tail,
      arrays: tail.arrays.map((array: TailArray) =>
        'value' in array ? { output: outputOf(array.value) } : array,
      ),
      numbers: tail.numbers.map((number: TailNumber) => {
        if ('variable' in number) return number;
        if ('value' in number) return { output: outputOf(number.value) };
        const bound = bindings.find(({ constant }) => constant === number.scalar);
        if (bound === undefined) return { constant: graph.scalarValue(number.scalar) ?? NaN };
        return { scalar: bound.input.replace(/^scalar_/, ''), ratio: bound.ratio };
      }),
    };
  });
  const states = new Map<number, Value>();
  variables.forEach((variable, index) => {
    const value = assigned.get(variable);
    if (value !== undefined) states.set(index, graph.nameOutput(value, `state${index}`));
  });

  const part = (without: readonly NamedTail[]): Part => {
    const ofTails = new Set(without.flatMap((tail) => tail.assigned));
    const held = new Set(
      without.flatMap((tail) =>
        [...tail.arrays, ...tail.numbers].flatMap((entry) => ('variable' in entry ? entry.variable : [])),
      ),
    );
    const out = [
      ...outputs,
      ...[...states].filter(([index]) => !ofTails.has(index)).map(([, value]) => value),
      ...(without.length > 0 ? tailOutputs.values() : []),
    ];
    const used = graph.namesBehind(out);
    return {
      model: graph.encode(out, bindings, { lengths: !anyWidths }),
      family: {
        shapes: variables.map((variable) => variable.shape),
        varied: new Set(),
      },
      variables: variables.flatMap((_, index) => {
        const input = inputOf(index);
        const output = ofTails.has(index) ? undefined : states.get(index)?.name;
        const read = used.has(input);
        if (!read && output === undefined && !held.has(index)) return [];
        return [{ index, input, read, ...(output === undefined ? {} : { output }) }];
      }),
      batch: batch.map((_, index) => (used.has(`batch${index}`) ? `batch${index}` : null)),
      scalars: scalars
        .map((name) => ({ name, input: `scalar_${name}` }))
        .filter(({ input }) =>
          bindings.some((binding) => binding.input === input && used.has(binding.constant)),
        ),
      randoms: new Set(recording.randoms.flatMap(({ value }) => (used.has(value.name) ? [value.name] : []))),
      outputs,
    };
  };

  const { nodeCount, cpuNodes } = graph;
  const instance = (
    made: Part,
    tailsOfPart: readonly NamedTail[],
    present: readonly tf.Variable[],
    first: Recorded,
  ): TracedStep => ({
    ...made,
    family: noteWidths(made.family, present),
    nodeCount,
    cpuNodes,
    variables: made.variables.map((known) => ({ variable: at(present, known.index), ...known })),
    randoms: first.recording.randoms.filter(({ value }) => made.randoms.has(value.name)),
    tails: tailsOfPart.map((tail): TracedTail => ({
      program: tail.program,
      arrays: tail.arrays.map((array) =>
        'variable' in array ? { variable: at(present, array.variable) } : array,
      ),
      numbers: tail.numbers.map((number) =>
        'variable' in number ? { variable: at(present, number.variable) } : number,
      ),
      assigned: tail.assigned.map((index) => at(present, index)),
    })),
  });
  const main = part(named);
  let whole: Part | undefined;
  return {
    instantiate(present, first) {
      const traced = instance(main, named, present, first);
      if (named.length === 0) return traced;
      return { ...traced, withoutTails: () => instance((whole ??= part([])), [], present, first) };
    },
  };
}

/** Notes which lengths are others than at first. @returns the family */
function noteWidths(family: StepFamily, variables: readonly tf.Variable[]): StepFamily {
  const { shapes, varied } = family;
  variables.forEach(({ shape }, i) =>
    shape.forEach((length, axis) => {
      if (length !== shapes[i]?.[axis]) varied.add(`${i}:${axis}`);
    }),
  );
  return family;
}

function at(variables: readonly tf.Variable[], index: number): tf.Variable {
  const variable = variables[index];
  if (variable === undefined) throw new RangeError('a step of other variables');
  return variable;
}
