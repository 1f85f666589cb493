import * as tf from '@tensorflow/tfjs';

export class TextGenerator {
  constructor(sampleLen, charSetSize) {
    this.sampleLen = sampleLen;
    this.charSetSize = charSetSize;
  }

  createModel(lstmLayerSizes) {
    if (!Array.isArray(lstmLayerSizes)) {
      lstmLayerSizes = [lstmLayerSizes];
    }
    this.model = tf.sequential();
    for (let i = 0; i < lstmLayerSizes.length; ++i) {
      const lstmLayerSize = lstmLayerSizes[i];
      this.model.add(
        tf.layers.lstm({
          units: lstmLayerSize,
          returnSequences: i < lstmLayerSizes.length - 1,
          inputShape: i === 0 ? [this.sampleLen, this.charSetSize] : undefined,
        }),
      );
    }
    this.model.add(tf.layers.dense({ units: this.charSetSize, activation: 'softmax' }));
  }

  compileModel(learningRate) {
    const optimizer = tf.train.rmsprop(learningRate);
    this.model.compile({ optimizer, loss: 'categoricalCrossentropy' });
    this.model.summary();
  }
}

document.getElementById('create').addEventListener('click', async () => {
  const generator = new TextGenerator(40, 71);
  generator.createModel([24, 16]);
  generator.compileModel(1e-2);
});
