/** What a step is once it was traced. */
import type * as tf from '@tensorflow/tfjs-core';
import type { Value } from './graph';
import type { Program } from '../elements/program';
import type { RandomInput } from './tracingBackend';

/** A variable that the graph reads, writes or both. */
export interface TracedVariable {
  readonly variable: tf.Variable;
  /** Its place among all variables that were there in the trace. */
  readonly index: number;
  /** Name of the input with its value. */
  readonly input: string;
  /** Whether the graph reads it. */
  readonly read: boolean;
  /** Name of the output with its new value, if the step assigns it. */
  readonly output?: string;
}

/** Steps that differ in widths alone, and so have the same graph. */
export interface StepFamily {
  /** Shapes of all variables in the first trace. */
  readonly shapes: readonly (readonly number[])[];
  /** Axes, as `variable:axis`, whose length has differed between traces without a change of the graph. */
  readonly varied: Set<string>;
}

/** A step as a graph. */
export interface TracedStep {
  readonly model: Uint8Array;
  /** What was found out of all steps that differ from this one in widths alone. */
  readonly family: StepFamily;
  readonly nodeCount: number;
  /** Names of nodes that ONNX Runtime's WebGPU lacks or computes wrongly. */
  readonly cpuNodes: readonly string[];
  readonly variables: readonly TracedVariable[];
  /** Names of the batch inputs that the graph reads, by their position; null where it does not. */
  readonly batch: readonly (string | null)[];
  readonly scalars: readonly { readonly name: string; readonly input: string }[];
  readonly randoms: readonly RandomInput[];
  /** Outputs in the order in which the step returned them. */
  readonly outputs: readonly Value[];
  /** What is left to do when the graph has run. */
  readonly tails: readonly TracedTail[];
  /** The same step with all of it in the graph. Absent where it is anyway. */
  readonly withoutTails?: () => TracedStep;
}

export type TracedTailNumber =
  | { readonly constant: number }
  /** `ratio` times a number that may change from step to step. */
  | { readonly scalar: string; readonly ratio: number }
  /** What the graph gives out under this name. */
  | { readonly output: string }
  | { readonly variable: tf.Variable };

export interface TracedTail {
  readonly program: Program;
  readonly arrays: readonly ({ readonly variable: tf.Variable } | { readonly output: string })[];
  readonly numbers: readonly TracedTailNumber[];
  readonly assigned: readonly tf.Variable[];
}
