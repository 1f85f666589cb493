import * as tf from '../../src/engine/tf';

/** A model for every layer family that the random graphs (randomModels.ts) do not draw. */

export type Tensor = tf.SymbolicTensor;

export interface Family {
  /** Shapes of a row of each input. */
  readonly inputs: readonly (readonly number[])[];
  readonly build: (...inputs: Tensor[]) => Tensor | Tensor[];
  /** Widths of the outputs; one of 3 without it. */
  readonly outputs?: readonly number[];
  /** What it draws in training differs between a wide and a narrow tensor: only its answers can be compared. */
  readonly random?: boolean;
  /** TensorFlow.js has no gradient of it. */
  readonly untrainable?: boolean;
  /** As many channels die as may. */
  readonly everything?: boolean;
  /** All of it keeps its width: nothing goes, and nothing breaks. */
  readonly keepsWidths?: boolean;
}

const { layers } = tf;
const then = (x: Tensor, ...list: tf.layers.Layer[]): Tensor =>
  list.reduce((tensor, layer) => layer.apply(tensor) as Tensor, x);
const dense = (units: number, activation: 'relu' | 'linear' | 'sigmoid' | 'tanh' = 'linear') =>
  layers.dense({ units, activation });
const conv = (filters: number) =>
  layers.conv2d({ filters, kernelSize: 3, padding: 'same', activation: 'tanh' });
const convLstm = (filters: number, returnSequences: boolean, more: object = {}) =>
  layers.convLstm2d({ filters, kernelSize: 2, padding: 'same', returnSequences, ...more } as never);
export const end = (x: Tensor): Tensor => then(x, ...(x.rank > 2 ? [layers.flatten()] : []), dense(3));

export const FAMILIES: Readonly<Record<string, Family>> = {
  'Conv3D and its poolings': {
    inputs: [[4, 4, 4, 2]],
    build: (x) =>
      end(
        then(
          x,
          layers.conv3d({ filters: 6, kernelSize: 2, padding: 'same', activation: 'relu' }),
          layers.maxPooling3d({ poolSize: 2, strides: 1 }),
          layers.conv3d({ filters: 5, kernelSize: 2, padding: 'same' }),
          layers.averagePooling3d({ poolSize: 2, strides: 1 }),
        ),
      ),
  },
  'the transpose of Conv3D': {
    inputs: [[3, 3, 3, 2]],
    untrainable: true,
    build: (x) =>
      end(
        then(
          x,
          layers.conv3d({ filters: 6, kernelSize: 2, padding: 'same', activation: 'relu' }),
          layers.conv3dTranspose({ filters: 4, kernelSize: 2, activation: 'sigmoid' }),
        ),
      ),
  },
  'channels first: flatten, pooling, normalisation': {
    inputs: [[2, 6, 6]],
    build: (x) =>
      end(
        then(
          x,
          layers.conv2d({ filters: 6, kernelSize: 3, dataFormat: 'channelsFirst' }),
          layers.batchNormalization({ axis: 1 }),
          layers.reLU(),
          layers.maxPooling2d({ poolSize: 2, dataFormat: 'channelsFirst' }),
          layers.flatten({ dataFormat: 'channelsFirst' }),
        ),
      ),
  },
  Embedding: {
    inputs: [[5]],
    build: (x) =>
      end(
        then(
          x,
          layers.embedding({ inputDim: 9, outputDim: 6 }),
          layers.globalMaxPooling1d(),
          dense(5, 'relu'),
        ),
      ),
  },
  'Permute and global pooling': {
    inputs: [[4, 3]],
    build: (x) => {
      const y = then(x, layers.conv1d({ filters: 6, kernelSize: 2 }), layers.permute({ dims: [2, 1] }));
      const z = then(x, layers.conv1d({ filters: 5, kernelSize: 2 }), layers.globalAveragePooling1d());
      return end(layers.concatenate().apply([then(y, layers.flatten()), z]) as Tensor);
    },
  },
  'averages of sequences': {
    inputs: [[6, 3]],
    build: (x) =>
      end(then(x, layers.conv1d({ filters: 6, kernelSize: 2 }), layers.averagePooling1d({ poolSize: 2 }))),
  },
  RepeatVector: {
    inputs: [[5]],
    build: (x) =>
      end(
        then(
          x,
          dense(6, 'relu'),
          layers.repeatVector({ n: 3 }),
          layers.lstm({ units: 5, recurrentInitializer: 'zeros' }),
        ),
      ),
  },
  'dropout of every kind': {
    inputs: [[6, 3]],
    random: true,
    build: (x) =>
      end(
        then(
          x,
          dense(6, 'relu'),
          layers.dropout({ rate: 0.3 }),
          layers.spatialDropout1d({ rate: 0.3 }),
          dense(6, 'tanh'),
          layers.gaussianDropout({ rate: 0.3 }),
        ),
      ),
  },
  'noise that wakes a zero up': {
    inputs: [[5]],
    random: true,
    build: (x) =>
      end(
        then(
          x,
          dense(6, 'relu'),
          layers.gaussianNoise({ stddev: 0.2 }),
          dense(6, 'tanh'),
          layers.alphaDropout({ rate: 0.2 }),
        ),
      ),
  },
  Masking: {
    inputs: [[4, 3]],
    build: (x) =>
      end(then(x, layers.masking({ maskValue: 0 }), layers.gru({ units: 6, recurrentInitializer: 'zeros' }))),
  },
  'activations with a ceiling, a threshold, slopes that channels share, softmax': {
    inputs: [[6, 6, 2]],
    build: (x) =>
      end(
        then(
          x,
          conv(6),
          layers.reLU({ maxValue: 1 }),
          conv(5),
          layers.prelu({ sharedAxes: [1, 2], alphaInitializer: 'randomNormal' }),
          conv(4),
          layers.thresholdedReLU({ theta: 0.2 }),
          conv(3),
          layers.softmax({ axis: 3 }),
        ),
      ),
  },
  Dot: {
    inputs: [[5]],
    build: (x) => {
      const product = layers.dot({ axes: 1 }).apply([then(x, dense(6, 'relu')), then(x, dense(6))]) as Tensor;
      return end(layers.concatenate().apply([product, then(x, dense(4))]) as Tensor);
    },
  },
  'a Dot whose inputs cannot take a factor keeps them': {
    inputs: [[5]],
    keepsWidths: true,
    build: (x) =>
      end(
        layers.dot({ axes: 1 }).apply([then(x, dense(6, 'sigmoid')), then(x, dense(6, 'sigmoid'))]) as Tensor,
      ),
  },
  'a normalised Dot keeps its channels': {
    inputs: [[5]],
    keepsWidths: true,
    build: (x) =>
      end(layers.dot({ axes: 1, normalize: true }).apply([then(x, dense(6)), then(x, dense(6))]) as Tensor),
  },
  'nested models, one of them shared': {
    inputs: [[5]],
    build: (x) => {
      const inner = tf.sequential({ layers: [layers.dense({ inputShape: [6], units: 7 }), layers.reLU()] });
      const twice = tf.input({ shape: [5] });
      const outer = tf.model({
        inputs: twice,
        outputs: then(then(twice, dense(6, 'tanh')), inner, dense(5)),
      });
      const first = outer.apply(x) as Tensor;
      return end(layers.add().apply([outer.apply(first) as Tensor, first]) as Tensor);
    },
  },
  'a sequential model that begins with a truncated one': {
    inputs: [[5]],
    build: (x) => {
      const inner = layers.dense({ units: 6, activation: 'tanh' });
      const whole = tf.sequential({
        layers: [layers.dense({ inputShape: [5], units: 7 }), inner, dense(4)],
      });
      const cut = tf.model({ inputs: whole.inputs, outputs: inner.output });
      return end(tf.sequential({ layers: [cut, dense(5, 'relu')] }).apply(x) as Tensor);
    },
  },
  'several inputs and outputs': {
    inputs: [[5], [6, 3]],
    outputs: [3, 2],
    build: (x, y) => {
      const a = then(x, dense(6, 'relu'));
      const b = then(y, layers.lstm({ units: 6, recurrentInitializer: 'zeros' }));
      const both = layers.multiply().apply([a, b]) as Tensor;
      return [end(both), then(layers.maximum().apply([a, b]) as Tensor, dense(2))];
    },
  },
  ConvLSTM2D: {
    inputs: [[3, 4, 4, 2]],
    build: (x) =>
      end(then(x, convLstm(5, true), convLstm(4, false, { useBias: false }), layers.batchNormalization())),
  },
  'ConvLSTM2D with strides, its pictures flattened': {
    inputs: [[3, 6, 6, 2]],
    build: (x) =>
      end(
        then(
          x,
          convLstm(5, true, { strides: 2, padding: 'valid' }),
          layers.timeDistributed({ layer: layers.flatten() }),
          layers.simpleRNN({ units: 4, recurrentInitializer: 'zeros' }),
        ),
      ),
  },
  'ConvLSTM2D that hands its states over': {
    inputs: [[3, 4, 4, 2]],
    build: (x) => {
      const [, h, c] = convLstm(5, false, { returnState: true }).apply(x) as Tensor[];
      if (h === undefined || c === undefined) throw new RangeError('two states');
      return end(layers.concatenate().apply([then(h, conv(4)), c]) as Tensor);
    },
  },
  'stacked cells of every kind': {
    inputs: [[4, 3]],
    build: (x) => {
      const cells = [
        layers.simpleRNNCell({ units: 5 }),
        layers.lstmCell({ units: 6 }),
        layers.gruCell({ units: 4, recurrentInitializer: 'zeros' }),
      ];
      return end(then(x, layers.rnn({ cell: layers.stackedRNNCells({ cells }) })));
    },
  },
  'a separable and a depthwise convolution with multipliers': {
    inputs: [[5, 5, 2]],
    build: (x) =>
      end(
        then(
          x,
          layers.separableConv2d({ filters: 6, kernelSize: 2, depthMultiplier: 2 }),
          layers.depthwiseConv2d({ kernelSize: 2, depthMultiplier: 3, useBias: true, activation: 'sigmoid' }),
        ),
      ),
  },
  'preprocessing inside the model': {
    inputs: [[4, 4, 2]],
    build: (x) =>
      end(then(x, layers.rescaling({ scale: 0.5, offset: -1 }), conv(6), layers.rescaling({ scale: 2 }))),
  },
  'two directions apart': {
    inputs: [[4, 3]],
    build: (x) => {
      const layer = layers.lstm({ units: 6, returnSequences: true, recurrentInitializer: 'zeros' });
      const apart = layers.bidirectional({ layer, mergeMode: null as never });
      const [there, back] = apart.apply(x) as unknown as Tensor[];
      if (there === undefined || back === undefined) throw new RangeError('two directions have two outputs');
      return end(layers.concatenate().apply([then(there, dense(5, 'tanh')), back]) as Tensor);
    },
  },
  'one channel that is added to all, and others of lower rank': {
    inputs: [[4, 1], [6]],
    everything: true,
    build: (x, y) => {
      const [over, row] = [then(x, dense(1, 'tanh')), then(y, dense(5, 'tanh'))];
      const sum = layers.add().apply([over, row]) as Tensor;
      return end(layers.maximum().apply([then(sum, dense(5)), row]) as Tensor);
    },
  },
  'channels over which one is spread: two are kept': {
    inputs: [[5, 5, 2]],
    everything: true,
    build: (x) => {
      const gate = layers.conv2d({ filters: 1, kernelSize: 3, padding: 'same', activation: 'sigmoid' });
      return end(layers.multiply().apply([then(x, conv(3)), gate.apply(x) as Tensor]) as Tensor);
    },
  },
  'channels on different axes, merged and side by side': {
    inputs: [[4]],
    build: (x) => {
      const column = then(x, dense(4), layers.reshape({ targetShape: [4, 1] }), dense(4));
      const turned = then(column, layers.permute({ dims: [2, 1] }));
      const sum = layers.add().apply([column, turned]) as Tensor;
      const both = layers.concatenate({ axis: 1 }).apply([column, turned]) as Tensor;
      return end(then(layers.concatenate({ axis: 1 }).apply([sum, both]) as Tensor, dense(5)));
    },
  },
  categories: {
    inputs: [[1]],
    build: (x) =>
      end(then(x, layers.categoryEncoding({ numTokens: 4, outputMode: 'oneHot' }), dense(6, 'relu'))),
  },
};
