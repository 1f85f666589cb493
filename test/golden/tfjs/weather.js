'use strict';
const tf = require('@tensorflow/tfjs-node');
const { sequential, layers: L } = tf;

function buildLinearModel(inputShape) {
  const model = sequential();
  model.add(L.flatten({ inputShape }));
  model.add(L.dense({ units: 1 }));
  return model;
}

/** Several kinds of network over the same window of measurements. */
function buildMlp(inputShape, { kernelRegularizer, dropoutRate } = {}) {
  const model = sequential();
  model.add(L.flatten({ inputShape }));
  model.add(L.dense({ units: 32, kernelRegularizer, activation: 'relu' }));
  if (dropoutRate > 0) {
    model.add(L.dropout({ rate: dropoutRate }));
  }
  model.add(L.dense({ units: 1 }));
  return model;
}

function buildGru(inputShape) {
  const model = sequential();
  const rnnUnits = 24;
  model.add(L.gru({ units: rnnUnits, inputShape }));
  model.add(L.dense({ units: 1 }));
  return model;
}

function buildModel(modelType, numTimeSteps, numFeatures) {
  const inputShape = [numTimeSteps, numFeatures];
  let model;
  if (modelType === 'mlp') model = buildMlp(inputShape, { dropoutRate: 0.25 });
  else if (modelType === 'gru') model = buildGru(inputShape);
  else model = buildLinearModel(inputShape);
  model.compile({ loss: 'meanAbsoluteError', optimizer: 'rmsprop' });
  return model;
}

async function main() {
  const model = buildModel('gru', 20, 7);
  model.summary();
}

main();
