import * as tf from '@tensorflow/tfjs';
import * as ui from './ui';

const NUM_EPOCHS = 200;
const LEARNING_RATE = 0.01;
const numFeatures = 12;

/** One layer: no hidden ones. */
export function linearRegressionModel() {
  const model = tf.sequential();
  model.add(tf.layers.dense({ inputShape: [numFeatures], units: 1 }));
  model.summary();
  return model;
}

export function multiLayerPerceptronRegressionModel1Hidden() {
  const model = tf.sequential();
  model.add(
    tf.layers.dense({
      inputShape: [numFeatures],
      units: 50,
      activation: 'sigmoid',
      kernelInitializer: 'leCunNormal',
    }),
  );
  model.add(tf.layers.dense({ units: 1 }));
  return model;
}

export function multiLayerPerceptronRegressionModel2Hidden() {
  const model = tf.sequential();
  model.add(
    tf.layers.dense({ inputShape: [numFeatures], units: 50, activation: 'sigmoid', kernelInitializer: 'leCunNormal' }),
  );
  model.add(tf.layers.dense({ units: 50, activation: 'sigmoid', kernelInitializer: 'leCunNormal' }));
  model.add(tf.layers.dense({ units: 1 }));
  return model;
}

export const run = async (model, weightsIllustration) => {
  model.compile({ optimizer: tf.train.sgd(LEARNING_RATE), loss: 'meanSquaredError' });
  await model.fit(ui.features, ui.target, { epochs: NUM_EPOCHS });
};
