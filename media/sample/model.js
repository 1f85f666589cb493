import * as tf from '@tensorflow/tfjs';

// Both hidden layers are much too wide. ShrinkNets finds out how wide they need to be.
// @shrink-model data=./data.mjs epochs=24 finish=6 batchSize=64
export function createModel() {
  const model = tf.sequential();
  // @shrink
  model.add(tf.layers.dense({ inputShape: [64], units: 128, activation: 'relu' }));
  // @shrink
  model.add(tf.layers.dense({ units: 128, activation: 'relu' }));
  // @shrink off -- one output per digit
  model.add(tf.layers.dense({ units: 10, activation: 'softmax' }));
  model.compile({ optimizer: 'adam', loss: 'categoricalCrossentropy', metrics: ['accuracy'] });
  return model;
}
