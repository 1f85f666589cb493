import type * as tf from '@tensorflow/tfjs-core';

/**
 * An engine computes. Eager engines run the step function as it is; a tracing engine runs it once to record a
 * graph and then runs the graph. Everything that changes between steps is therefore a variable, a batch tensor or
 * a scalar: a step function must not branch on anything else.
 */

export interface EngineDescription {
  readonly name: string;
  /** e.g. `CPU (WebAssembly, SIMD)`. */
  readonly device: string;
  readonly version: string;
  /** Null for a device that has no threads to count. */
  readonly threads: number | null;
  /** Bytes that it can use at most; null where the device does not say. */
  readonly memory: number | null;
}

/** What an engine is, or why it cannot be used here and the command that would help. */
export type EngineStatus =
  | { readonly available: true; readonly description: EngineDescription }
  | {
      readonly available: false;
      readonly name: string;
      readonly missing: string;
      readonly install: string | null;
    };

export interface TensorSpec {
  readonly shape: readonly number[];
  readonly dtype: 'float32' | 'int32';
}

/**
 * Numbers that may differ from step to step without a new trace, by name. A step may use one as it is, negate it or
 * multiply it by a fixed number; anything further it must compute with tensors, or a tracing engine refuses the step
 * (`untraceable-scalar`). The scalar `randomSeed`, a whole number, seeds the step's random numbers (dropout, noise):
 * a step that takes it draws the same ones on every engine.
 */
export type StepScalars = Readonly<Record<string, number>>;

/**
 * One step: reads the batch and the scalars, reads and assigns tf.Variables, returns a few small tensors. Tensors
 * it makes are disposed by the engine.
 */
export type StepFunction = (batch: readonly tf.Tensor[], scalars: StepScalars) => tf.Tensor[];

/** A batch tensor's values, of the spec's shape. */
export type BatchData = Float32Array | Int32Array;

export interface CompiledStep {
  /**
   * Runs the step.
   *
   * @returns the values of the tensors that the step function returned, in order
   */
  run(batch: readonly BatchData[], scalars: StepScalars): Promise<Float32Array[]>;
  /** Afterwards the tf.Variables (or `only` those) hold the present state. No-op where they always do. */
  pull(only?: readonly tf.Variable[]): Promise<void>;
  /**
   * Afterwards the step uses the values that the tf.Variables (or `only` those) hold. No-op where it always does. What
   * steps have changed must have been pulled before: it is overwritten.
   */
  push(only?: readonly tf.Variable[]): Promise<void>;
  dispose(): void;
}

export interface Engine {
  readonly name: string;
  describe(): EngineDescription;
  /**
   * Prepares a step for many runs.
   *
   * @param variables every variable the step reads or assigns; compiled steps of one engine share their state
   * @param batch shapes and types of the batch tensors; another batch size needs another compilation
   * @param scalars names of the scalars the step reads
   * @param like steps of this engine, disposed or not, that do the same with variables of other widths or batches of other
   *   sizes, variables given in the same order: what is known of them need not be found out again
   */
  compile(
    step: StepFunction,
    variables: readonly tf.Variable[],
    batch: readonly TensorSpec[],
    scalars: readonly string[],
    like?: readonly CompiledStep[],
  ): Promise<CompiledStep>;
  dispose(): void;
}

/** How an engine is found: one per file in `src/engine/engines`. */
export interface EngineProvider {
  readonly name: string;
  /** Systems (`process.platform`) that it can be on; absent for all. */
  readonly systems?: readonly NodeJS.Platform[];
  /** Says what the engine is here, or what is missing; never throws, never leaves the engine active. */
  probe(): Promise<EngineStatus>;
  /** Makes it the active TensorFlow.js backend. @throws ShrinkError `engine-unavailable` */
  load(): Promise<Engine>;
}
