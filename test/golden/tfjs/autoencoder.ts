import * as tf from '@tensorflow/tfjs';

interface Options {
  readonly inputs: number;
  readonly latent?: number;
}

/** Encoder, decoder and both in one. */
export function createEncoder({ inputs, latent = 8 }: Options): tf.LayersModel {
  const input = tf.input({ shape: [inputs] });
  let x = tf.layers.dense({ units: 128, activation: 'relu' }).apply(input) as tf.SymbolicTensor;
  x = tf.layers.batchNormalization().apply(x) as tf.SymbolicTensor;
  const z = tf.layers.dense({ units: latent }).apply(x) as tf.SymbolicTensor;
  return tf.model({ inputs: input, outputs: z, name: 'encoder' });
}

export function createDecoder({ inputs, latent = 8 }: Options): tf.LayersModel {
  const input = tf.input({ shape: [latent] });
  const x = tf.layers.dense({ units: 128, activation: 'relu' }).apply(input);
  const y = tf.layers.dense({ units: inputs, activation: 'sigmoid' }).apply(x) as tf.SymbolicTensor;
  return tf.model({ inputs: input, outputs: y, name: 'decoder' });
}

export function createAutoencoder(options: Options): tf.LayersModel {
  const encoder = createEncoder(options);
  const decoder = createDecoder(options);
  const input = tf.input({ shape: [options.inputs] });
  const output = decoder.apply(encoder.apply(input)) as tf.SymbolicTensor;
  const model = tf.model({ inputs: input, outputs: output });
  model.compile({ optimizer: tf.train.adam(1e-3), loss: 'meanSquaredError' });
  return model;
}

if (require.main === module) {
  const options: Options = { inputs: 784 };
  void createAutoencoder(options).fit(tf.zeros([1, 784]), tf.zeros([1, 784]));
}
