/**
 * Runs a step once on the tracing backend to learn its graph.
 *
 * A step takes its changing numbers (learning rate, λ) as JavaScript numbers, which TensorFlow.js turns into constants.
 * So it is run twice with different unusual numbers, and the two graphs compared: a constant that changed in
 * proportion to one of the numbers becomes an input times the ratio; any other difference is an error, since it would
 * be a wrong result without a message.
 */
import * as tf from '@tensorflow/tfjs-core';
import { ShrinkError } from '../../core/errors';
import type { StepFunction, StepScalars, TensorSpec } from '../engine';
import { withSeeds } from '../random';
import type { Graph, ScalarBinding, Value } from './graph';
import type { Tail } from './tails/findTails';
import { inputOf, makeTemplate, shapesOf, tailsOf, type Recorded, type Template } from './template';
import type { TracedStep } from './traced';
import { Recording, traceError, TRACING_BACKEND, tracingBackend } from './tracingBackend';

function registeredVariables(): tf.Variable[] {
  const { registeredVariables: byName } = tf.engine().state;
  return Object.values(byName).filter((variable) => !variable.isDisposed && variable.dtype !== 'string');
}

/**
 * Runs `trace` with each variable standing for an input; afterwards the variables hold what they held.
 *
 * @param inputs the input tensor of each variable
 */
function withSymbolicVariables<T>(
  variables: readonly tf.Variable[],
  inputs: () => tf.Tensor[],
  trace: () => T,
): T {
  const host = tf.getBackend();
  // A clone shares the data and keeps it alive while the variable points elsewhere.
  const kept = variables.map((variable) => tf.keep(variable.clone()));
  void tf.setBackend(TRACING_BACKEND);
  try {
    const symbols = inputs();
    variables.forEach((variable, index) => {
      const symbol = symbols[index];
      if (symbol !== undefined) variable.assign(symbol);
    });
    tf.dispose(symbols);
    return trace();
  } finally {
    // First: an assignment on the tracing backend would copy every value to it.
    void tf.setBackend(host);
    variables.forEach((variable, index) => {
      const value = kept[index];
      if (value !== undefined && !variable.isDisposed) variable.assign(value);
    });
    tf.dispose(kept);
  }
}

/** Runs `trace` and notes each variable that comes to be in it, before it can be assigned. */
function notingNewVariables<T>(note: (variable: tf.Variable) => void, trace: () => T): T {
  const engine = tf.engine();
  const make = engine.makeVariable.bind(engine);
  engine.makeVariable = (...args) => {
    const variable = make(...args);
    note(variable);
    return variable;
  };
  try {
    return trace();
  } finally {
    // The method itself is on the prototype.
    Reflect.deleteProperty(engine, 'makeVariable');
  }
}

function recordStep(
  step: StepFunction,
  variables: readonly tf.Variable[],
  batch: readonly TensorSpec[],
  scalars: StepScalars,
  nextSeed: () => number,
): Recorded {
  const backend = tracingBackend();
  const recording = new Recording(nextSeed);
  const { graph } = recording;
  backend.recording = recording;
  const created = new Map<tf.Variable, tf.backend_util.TypedArray>();
  const note = (variable: tf.Variable) => {
    const values = backend.hostValues(variable.dataId);
    if (values === null) {
      throw new ShrinkError(
        'environment',
        'untraceable-variable',
        'The training step makes a variable whose first value depends on the batch; make it before training.',
      );
    }
    created.set(variable, values as tf.backend_util.TypedArray);
  };
  const inputs = () =>
    variables.map((variable, index) =>
      backend.tensorFor(
        graph.input(inputOf(index), variable.shape, variable.dtype === 'int32' ? 'int32' : 'float32'),
      ),
    );
  try {
    return withSymbolicVariables(variables, inputs, () => {
      const before = variables.map((variable) => variable.dataId);
      const result = tf.tidy(() => {
        const tensors = batch.map((spec, index) =>
          backend.tensorFor(graph.input(`batch${index}`, spec.shape, spec.dtype, true)),
        );
        return notingNewVariables(note, () => withSeeds(recording.handOutSeed, () => step(tensors, scalars)));
      });
      recording.checkAllFound();
      const assigned = new Map<tf.Variable, Value>();
      variables.forEach((variable, index) => {
        if (variable.dataId !== before[index]) assigned.set(variable, backend.valueFor(variable));
      });
      const outputs = result.map((tensor) => backend.valueFor(tensor));
      tf.dispose(result);
      return { recording, outputs, assigned, created };
    });
  } finally {
    backend.recording = null;
    for (const [variable, values] of created) {
      if (!variable.isDisposed)
        tf.tidy(() => variable.assign(tf.tensor(values, variable.shape, variable.dtype as 'float32')));
    }
  }
}

/** Unusual numbers between 0.1 and 1, exact in single precision; another `round`, other numbers. */
function unusualScalars(names: readonly string[], round: number): StepScalars {
  const unusual = (index: number) =>
    Math.fround(0.1 + 0.9 * (((index + 1) * 0.61803398875 + round * 0.3249196962) % 1));
  return Object.fromEntries(names.map((name, index) => [name, unusual(index + 7)]));
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

function scalarDiffers(detail: string): ShrinkError {
  return new ShrinkError(
    'environment',
    'untraceable-scalar',
    `The training step uses a changing number in a way that cannot be traced: ${detail}`,
  );
}

/**
 * Finds which constants are multiples of a changing number.
 *
 * @param first, second the same step recorded with `firstScalars` and `secondScalars`
 */
function bindScalars(
  first: Graph,
  second: Graph,
  firstScalars: StepScalars,
  secondScalars: StepScalars,
): ScalarBinding[] {
  const others = second.scalars;
  if (first.scalars.length !== others.length) throw scalarDiffers('it branches on it.');
  return first.scalars.flatMap(({ name, value }, index): ScalarBinding[] => {
    const other = others[index]?.value ?? NaN;
    if (value === other) return [];
    for (const [scalar, unusual] of Object.entries(firstScalars)) {
      const ratio = value / unusual;
      const otherRatio = other / (secondScalars[scalar] ?? NaN);
      if (Math.abs(ratio - otherRatio) <= 1e-6 * Math.abs(ratio)) {
        const round = Number(ratio.toPrecision(6));
        const exact = Math.abs(round - ratio) <= 2e-7 * Math.abs(ratio) ? round : ratio;
        return [{ constant: name, input: `scalar_${scalar}`, ratio: exact }];
      }
    }
    throw scalarDiffers(
      'use tensors instead of JavaScript for anything beyond multiplying it by a fixed number.',
    );
  });
}

/** Templates that are kept: those of a trunk, of a finish and of an evaluation, and some more. */
const TEMPLATES = 8;

/**
 * Traces steps, and knows again what it has traced. Apart from the lengths of its inputs, the graph of most steps is the
 * same for other widths, byte by byte: one look at it is enough then, and `model` is the same object, for which there is a
 * session already.
 */
export class Tracer {
  /** By what the first record shows, oldest first. */
  readonly #templates = new Map<string, Template>();
  readonly #anyWidths: boolean;
  readonly #tails: boolean;

  /**
   * @param anyWidths whether what runs the model files takes one that does not say the widths
   * @param tails whether what optimizers do at the end is to be taken out of the graph
   */
  constructor(anyWidths: boolean, tails = false) {
    this.#anyWidths = anyWidths;
    this.#tails = tails;
  }

  /**
   * @param scalars names of the changing numbers
   * @throws ShrinkError `untraceable-kernel` and others whose code begins with `untraceable`
   */
  trace(step: StepFunction, batch: readonly TensorSpec[], scalars: readonly string[]): TracedStep {
    try {
      return this.#trace(step, batch, scalars);
    } catch (thrown) {
      throw traceError(thrown);
    }
  }

  #trace(step: StepFunction, batch: readonly TensorSpec[], scalars: readonly string[]): TracedStep {
    const firstScalars = unusualScalars(scalars, 1);
    let seed = 0;
    const nextSeed = () => {
      seed += 1;
      return (seed * 0.7548776662) % 1;
    };
    const record = (values: StepScalars) => recordStep(step, registeredVariables(), batch, values, nextSeed);
    let first = record(firstScalars);
    // An optimizer makes its slots in the first step: from then on they are variables as any.
    for (let rounds = 0; first.created.size > 0; rounds += 1) {
      if (rounds > 2) throw scalarDiffers('it makes new variables in every step.');
      first = record(firstScalars);
    }
    const variables = registeredVariables();
    const tails = this.#tails ? tailsOf(first, variables) : [];
    const widthsKey = this.#anyWidths ? '' : shapesOf(variables);
    const key = widthsKey + tailsKeyOf(tails) + keyOf(first, variables, scalars);
    let template = this.#templates.get(key);
    if (template === undefined) {
      const secondScalars = unusualScalars(scalars, 2);
      const second = record(secondScalars);
      const bindings = compare(first, second, firstScalars, secondScalars);
      template = makeTemplate({
        recorded: first,
        variables,
        batch,
        scalars,
        bindings,
        tails,
        anyWidths: this.#anyWidths,
      });
      for (const oldest of this.#templates.keys())
        if (this.#templates.size >= TEMPLATES) this.#templates.delete(oldest);
    }
    // Again as the newest.
    this.#templates.delete(key);
    this.#templates.set(key, template);
    return template.instantiate(variables, first);
  }
}

function valuesOf({ outputs, assigned }: Recorded): Value[] {
  return [...outputs, ...assigned.values()];
}

/** All that a record shows, the unusual numbers among it: what agrees in it is the same step. */
function keyOf(recorded: Recorded, variables: readonly tf.Variable[], scalars: readonly string[]): string {
  const assigned = [...recorded.assigned.keys()].map((variable) => variables.indexOf(variable));
  const { graph } = recorded.recording;
  const bytes = Buffer.from(graph.encode(valuesOf(recorded))).toString('latin1');
  return `${JSON.stringify([scalars, recorded.outputs.length, assigned])}${bytes}`;
}

/**
 * What {@link keyOf} leaves open of tails: where each begins. Which value of the graph an item is follows from the way to
 * it, so names stay out: where two lengths fall together their shapes are one constant, and all later names are others.
 */
function tailsKeyOf(tails: readonly Tail[]): string {
  return JSON.stringify(tails, (name, value: unknown) => {
    if (name === 'value') return 'graph';
    if (name === 'scalar') return 'fixed';
    return value;
  });
}

/** @throws ShrinkError `untraceable-scalar` when more than multiples of the changing numbers differ */
function compare(
  first: Recorded,
  second: Recorded,
  firstScalars: StepScalars,
  secondScalars: StepScalars,
): ScalarBinding[] {
  const { graph } = first.recording;
  const other = second.recording.graph;
  const bindings = bindScalars(graph, other, firstScalars, secondScalars);
  const sameGraph = sameBytes(
    graph.encode(valuesOf(first), [], { scalarValues: false }),
    other.encode(valuesOf(second), [], { scalarValues: false }),
  );
  if (!sameGraph) throw scalarDiffers('a tensor or the order of operations changes with it.');
  return bindings;
}
