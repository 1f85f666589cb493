import * as tf from '@tensorflow/tfjs';

/** A deep Q network for a game on a grid. */
export function createDeepQNetwork(h: number, w: number, numActions: number): tf.LayersModel {
  if (!(Number.isInteger(h) && h > 0)) {
    throw new Error(`Expected height to be a positive integer, but got ${h}`);
  }
  const model = tf.sequential();
  model.add(
    tf.layers.conv2d({ filters: 128, kernelSize: 3, strides: 1, activation: 'relu', inputShape: [h, w, 2] }),
  );
  model.add(tf.layers.batchNormalization());
  model.add(tf.layers.conv2d({ filters: 256, kernelSize: 3, strides: 1, activation: 'relu' }));
  model.add(tf.layers.batchNormalization());
  model.add(tf.layers.flatten());
  model.add(tf.layers.dense({ units: 100, activation: 'relu' }));
  model.add(tf.layers.dropout({ rate: 0.25 }));
  model.add(tf.layers.dense({ units: numActions }));
  return model;
}

export class SnakeAgent {
  private readonly onlineNetwork: tf.LayersModel;
  constructor(readonly game: { height: number; width: number }) {
    this.onlineNetwork = createDeepQNetwork(9, 9, 3);
  }
}
