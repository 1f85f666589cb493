import * as tf from '@tensorflow/tfjs';

/** A dense classifier of handwritten digits. Nobody knows how wide its layers should be: ShrinkNets finds out. */
// @shrink-model data=./data.mjs epochs=8 finish=3 batchSize=256 baseline=full
export function createModel(): tf.Sequential {
  const model = tf.sequential();
  // @shrink -- start too wide
  model.add(tf.layers.dense({ inputShape: [784], units: 512, activation: 'relu' }));
  // @shrink
  model.add(tf.layers.dense({ units: 512, activation: 'relu' }));
  // @shrink off -- one output per digit
  model.add(tf.layers.dense({ units: 10, activation: 'softmax' }));
  model.compile({ optimizer: 'adam', loss: 'categoricalCrossentropy', metrics: ['accuracy'] });
  return model;
}
