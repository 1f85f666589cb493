/** What the lists of layers are made with. */
import type * as tf from '../../src/engine/tf';

export interface LayerCase {
  readonly name: string;
  /** Shape of one row. */
  readonly input: readonly number[];
  /** The input holds indices under this number; it has no gradient then. */
  readonly indices?: number;
  /** All of the input is negative. */
  readonly negative?: boolean;
  /** Draws random numbers in training. */
  readonly random?: boolean;
  readonly build: (x: tf.SymbolicTensor) => tf.SymbolicTensor;
}

type Single = tf.SymbolicTensor;

export function through(...list: tf.layers.Layer[]): (x: Single) => Single {
  return (x) => list.reduce<Single>((value, layer) => layer.apply(value) as Single, x);
}

/** One layer. */
export function single(name: string, input: readonly number[], make: () => tf.layers.Layer): LayerCase {
  return { name, input, build: (x) => through(make())(x) };
}

/** One layer after another. */
export function chain(name: string, input: readonly number[], make: () => tf.layers.Layer[]): LayerCase {
  return { name, input, build: (x) => through(...make())(x) };
}
