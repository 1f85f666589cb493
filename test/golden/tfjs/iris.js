import * as tf from '@tensorflow/tfjs';
import * as tfvis from '@tensorflow/tfjs-vis';

import * as data from './data';
import * as ui from './ui';

let model;

/** Trains a multi-class classifier of iris flowers. */
async function trainModel(xTrain, yTrain, xTest, yTest) {
  ui.status('Training model... Please wait.');
  const params = ui.loadTrainParametersFromUI();

  // @shrink-model data=./data.mjs
  const model = tf.sequential();
  model.add(tf.layers.dense({ units: 10, activation: 'sigmoid', inputShape: [4] }));
  model.add(tf.layers.dense({ units: 3, activation: 'softmax' }));
  model.summary();

  const optimizer = tf.train.adam(params.learningRate);
  model.compile({ optimizer: optimizer, loss: 'categoricalCrossentropy', metrics: ['accuracy'] });
  await model.fit(xTrain, yTrain, { epochs: params.epochs, validationData: [xTest, yTest] });
  return model;
}

async function iris() {
  const [xTrain, yTrain, xTest, yTest] = data.getIrisData(0.15);
  document.getElementById('train-from-scratch').addEventListener('click', async () => {
    model = await trainModel(xTrain, yTrain, xTest, yTest);
  });
}

iris();
