const tf = require('@tensorflow/tfjs-node');

/** @param {'multihot'|'flatten'|'cnn'|'lstm'} modelType */
function buildModel(modelType, maxLen, vocabularySize, embeddingSize) {
  const model = tf.sequential();
  model.add(tf.layers.embedding({ inputDim: vocabularySize, outputDim: embeddingSize, inputLength: maxLen }));
  if (modelType === 'flatten') {
    model.add(tf.layers.flatten());
  } else if (modelType === 'cnn') {
    model.add(tf.layers.dropout({ rate: 0.5 }));
    model.add(
      tf.layers.conv1d({ filters: 250, kernelSize: 5, strides: 1, padding: 'valid', activation: 'relu' }),
    );
    model.add(tf.layers.globalMaxPool1d({}));
    model.add(tf.layers.dense({ units: 250, activation: 'relu' }));
  } else {
    throw new Error(`Unsupported model type: ${modelType}`);
  }
  model.add(tf.layers.dense({ units: 1, activation: 'sigmoid' }));
  return model;
}

async function main() {
  const model = buildModel('cnn', 100, 2000, 32);
  model.compile({ loss: 'binaryCrossentropy', optimizer: 'rmsprop', metrics: ['acc'] });
}

if (require.main === module) main();
module.exports = { buildModel };
