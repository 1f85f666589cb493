import * as tf from '@tensorflow/tfjs';
import * as ui from './ui.js';
import { IMAGE_H, IMAGE_W, MnistData } from './data.js';

const HIDDEN = 64;

// @shrink-model data=./data.mjs epochs=3
function createConvModel() {
  const model = tf.sequential();
  // @shrink min=4
  model.add(
    tf.layers.conv2d({
      inputShape: [28, 28, 1],
      kernelSize: 3,
      filters: 16,
      activation: 'relu',
    }),
  );
  model.add(tf.layers.maxPooling2d({ poolSize: 2, strides: 2 }));
  model.add(tf.layers.conv2d({ kernelSize: 3, filters: 32, activation: 'relu' }));
  model.add(tf.layers.maxPooling2d({ poolSize: 2, strides: 2 }));
  model.add(tf.layers.flatten({}));
  model.add(tf.layers.dense({ units: HIDDEN, activation: 'relu' }));
  // @shrink off -- logits
  model.add(tf.layers.dense({ units: 10, activation: 'softmax' }));
  return model;
}

async function train(model, onIteration) {
  ui.logStatus('Training model...');
  const optimizer = 'rmsprop';
  model.compile({ optimizer, loss: 'categoricalCrossentropy', metrics: ['accuracy'] });
  const data = new MnistData();
  await data.load();
  await model.fit(data.xs, data.labels, { epochs: 3, callbacks: { onBatchEnd: onIteration } });
}

ui.setTrainButtonCallback(async () => {
  ui.logStatus('Creating model...');
  const model = createConvModel();
  model.summary();
  await train(model, () => tf.nextFrame());
});
