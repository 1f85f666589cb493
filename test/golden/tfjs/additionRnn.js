import * as tf from '@tensorflow/tfjs';

function createAndCompileModel(hiddenSize, rnnType, digits, vocabularySize) {
  const maxLen = digits + 1 + digits;
  const model = tf.sequential();
  switch (rnnType) {
    case 'SimpleRNN':
      model.add(
        tf.layers.simpleRNN({
          units: hiddenSize,
          recurrentInitializer: 'glorotNormal',
          inputShape: [maxLen, vocabularySize],
        }),
      );
      break;
    case 'LSTM':
      model.add(
        tf.layers.lstm({
          units: hiddenSize,
          recurrentInitializer: 'glorotNormal',
          inputShape: [maxLen, vocabularySize],
        }),
      );
      break;
    default:
      throw new Error(`Unsupported RNN type: '${rnnType}'`);
  }
  model.add(tf.layers.repeatVector({ n: digits + 1 }));
  model.add(tf.layers.lstm({ units: 96, recurrentInitializer: 'glorotNormal', returnSequences: true }));
  model.add(tf.layers.timeDistributed({ layer: tf.layers.dense({ units: vocabularySize }) }));
  model.add(tf.layers.activation({ activation: 'softmax' }));
  model.compile({ loss: 'categoricalCrossentropy', optimizer: 'adam', metrics: ['accuracy'] });
  return model;
}

class AdditionRNNDemo {
  constructor() {
    this.model = createAndCompileModel(128, 'LSTM', 2, 12);
  }
}

new AdditionRNNDemo();
