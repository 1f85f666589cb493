import * as tf from '../../src/engine/tf';

/** The variables behind a model's trainable weights, in their order. */
export function variablesOf(model: tf.LayersModel): tf.Variable[] {
  return model.trainableWeights.map((weight) => {
    const value: unknown = weight.read();
    if (!(value instanceof tf.Variable)) throw new TypeError(`${weight.name} is not a variable`);
    return value;
  });
}
