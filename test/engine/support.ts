import * as tf from '../../src/engine/tf';
import type { CompiledStep, Engine, StepFunction } from '../../src/engine/engine';
import type { LayerCase } from './layerCases';

function isVariable(value: unknown): value is tf.Variable {
  return value instanceof tf.Variable;
}

/** The variables behind a model's weights, in the order of its trainable ones and then the others. */
export function variablesOf(model: tf.LayersModel, kind: 'trainable' | 'all' = 'trainable'): tf.Variable[] {
  const weights =
    kind === 'all' ? [...model.trainableWeights, ...model.nonTrainableWeights] : model.trainableWeights;
  return weights.map((weight) => {
    const value: unknown = weight.read();
    if (!isVariable(value)) throw new TypeError(`${weight.name} is not a variable`);
    return value;
  });
}

/** Numbers in (-1, 1) without ties, the same on every engine. */
export function noise(length: number, seed: number): Float32Array {
  let state = seed * 7919 + 17;
  return Float32Array.from({ length }, () => {
    state = (state * 16807) % 2147483647;
    return (state / 2147483647) * 2 - 1;
  });
}

/** Gives every trainable weight values of its own that do not depend on the engine. */
export function setWeights(model: tf.LayersModel, scale = 0.5): void {
  variablesOf(model).forEach((variable, index) => {
    const values = noise(variable.size, index + 3).map((value) => value * scale);
    tf.tidy(() => variable.assign(tf.tensor(values, variable.shape)));
  });
}

export function buildCase({ input, build }: LayerCase): tf.LayersModel {
  const symbolic = tf.input({ shape: [...input] });
  return tf.model({ inputs: symbolic, outputs: build(symbolic) });
}

const BATCH = 3;

/** The values a case is fed with. */
export function inputOf({ input, indices, negative }: LayerCase): Float32Array {
  const length = BATCH * input.reduce((product, side) => product * side, 1);
  const values = noise(length, 11);
  if (negative === true) return values.map((value) => (value - 1) / 2);
  return indices === undefined ? values : values.map((value) => Math.floor(((value + 1) / 2) * indices));
}

/** `Σ c·out + ½·out²`: sensitive to every output, to each in its own way. */
function probe(out: tf.Tensor): tf.Tensor {
  const weights = tf.tensor(noise(out.size, 23), out.shape);
  return tf.sum(tf.add(tf.mul(out, weights), tf.mul(tf.square(out), 0.5)));
}

/** A step that returns the loss and its gradients by the input and by each trainable weight. */
export async function compileGradients(
  engine: Engine,
  model: tf.LayersModel,
  spec: LayerCase,
): Promise<CompiledStep> {
  const variables = variablesOf(model);
  const step: StepFunction = ([x]) => {
    if (x === undefined) throw new TypeError('no batch');
    const loss = () => probe(model.apply(x, { training: true }) as tf.Tensor);
    const by = spec.indices === undefined ? [x, ...variables] : variables;
    return [loss(), ...tf.grads(loss)(by)];
  };
  return engine.compile(
    step,
    variablesOf(model, 'all'),
    [{ shape: [BATCH, ...spec.input], dtype: 'float32' }],
    [],
  );
}

/** The loss and the gradients of a case on an engine. */
export async function gradientsOn(engine: Engine, spec: LayerCase): Promise<Float32Array[]> {
  const model = buildCase(spec);
  setWeights(model);
  const compiled = await compileGradients(engine, model, spec);
  try {
    return await compiled.run([inputOf(spec)], {});
  } finally {
    compiled.dispose();
    model.dispose();
  }
}

/** Largest difference, as a share of the largest reference value. */
export function relativeError(found: ArrayLike<number>, reference: ArrayLike<number>): number {
  if (found.length !== reference.length) return Infinity;
  let difference = 0;
  let scale = 1e-6;
  for (let i = 0; i < reference.length; i += 1) {
    const delta = Math.abs((found[i] ?? NaN) - (reference[i] ?? NaN));
    if (Number.isNaN(delta)) return Infinity;
    difference = Math.max(difference, delta);
    scale = Math.max(scale, Math.abs(reference[i] ?? 0));
  }
  return difference / scale;
}

/** The worst {@link relativeError} over several tensors. */
export function worstError(found: readonly Float32Array[], reference: readonly Float32Array[]): number {
  if (found.length !== reference.length) return Infinity;
  return Math.max(...found.map((values, index) => relativeError(values, reference[index] ?? [])));
}
