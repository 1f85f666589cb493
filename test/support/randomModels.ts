import fc from 'fast-check';
import { seededRandom, type Random } from '../../src/core/random';
import * as tf from '../../src/engine/tf';

/** Random models of small layers, drawn so that every family and every way of joining channels comes up. */

type Tensor = tf.SymbolicTensor;

/** One choice after another, drawn from a seed. */
export class Choices {
  private readonly random: Random;
  constructor(seed: number) {
    this.random = seededRandom(seed);
  }

  /** 0..count-1 */
  pick(count: number): number {
    return Math.floor(this.random() * count);
  }

  of<T>(list: readonly T[]): T {
    const chosen = list[this.pick(list.length)];
    if (chosen === undefined) throw new RangeError('an empty list has no choice');
    return chosen;
  }

  width(): number {
    return 2 + this.pick(5);
  }
}

/** Seeds of models. Without bias: small numbers are not simpler models, and lists of choices come out mostly zeros. */
export const modelSeeds = fc.noBias(fc.nat(0x7fffffff));

const ACTIVATIONS = [
  'relu',
  'linear',
  'tanh',
  'sigmoid',
  'elu',
  'softplus',
  'relu6',
  'swish',
  'hardSigmoid',
] as const;
const FAMILIES = ['image', 'vector', 'sequence'] as const;

export interface RandomModel {
  readonly model: tf.LayersModel;
  /** Of one row, input by input. */
  readonly inputShapes: readonly (readonly number[])[];
  /** Width of each output. */
  readonly outputs: readonly number[];
}

/** Draws a model. Its weights are random as well, biases and normalisations included. */
export function drawModel(seed: number): RandomModel {
  const c = new Choices(seed);
  const family = c.of(FAMILIES);
  const inputShape = family === 'image' ? [6, 6, 2] : family === 'sequence' ? [6, 3] : [5];
  const input = tf.input({ shape: inputShape });
  let x: Tensor = input;
  const blocks = 1 + c.pick(4);
  for (let i = 0; i < blocks; i += 1) {
    if (family === 'image') x = imageBlock(c, x);
    else if (family === 'sequence') x = sequenceBlock(c, x);
    else x = vectorBlock(c, x);
  }
  if (family === 'image') x = c.pick(2) === 0 ? flatten(x) : pooled(c, x);
  if (family === 'sequence')
    x = c.pick(2) === 0 ? flatten(x) : (tf.layers.globalAveragePooling1d({}).apply(x) as Tensor);
  if (c.pick(2) === 0) x = vectorBlock(c, x);
  const second = c.pick(3) === 0 ? tf.input({ shape: [4] }) : undefined;
  if (second !== undefined) x = joined(c, x, vectorBlock(c, second));
  const out = tf.layers.dense({ units: 3 }).apply(x) as Tensor;
  const other = c.pick(3) === 0 ? otherOutput(c, x, out) : undefined;
  const model = tf.model({
    inputs: second === undefined ? input : [input, second],
    outputs: other === undefined ? out : [out, other],
  });
  randomise(model, c.pick(1000));
  return {
    model,
    inputShapes: second === undefined ? [inputShape] : [inputShape, [4]],
    outputs: other === undefined ? [3] : [3, 2],
  };
}

/** What two inputs made, side by side or as one sum. */
function joined(c: Choices, a: Tensor, b: Tensor): Tensor {
  if (c.pick(2) === 0) return tf.layers.concatenate().apply([a, b]) as Tensor;
  const width = c.width();
  const dense = (x: Tensor): Tensor =>
    tf.layers.dense({ units: width, activation: c.of(ACTIVATIONS) }).apply(x) as Tensor;
  return tf.layers.add().apply([dense(a), dense(b)]) as Tensor;
}

/** A second output: beside the first, behind layers of its own, or made of the first. */
function otherOutput(c: Choices, x: Tensor, first: Tensor): Tensor {
  const from = [() => x, () => vectorBlock(c, x), () => first][c.pick(3)]?.() ?? x;
  return tf.layers.dense({ units: 2 }).apply(from) as Tensor;
}

function flatten(x: Tensor): Tensor {
  return tf.layers.flatten().apply(x) as Tensor;
}

function pooled(c: Choices, x: Tensor): Tensor {
  const layer =
    c.pick(2) === 0
      ? tf.layers.globalAveragePooling2d({ dataFormat: 'channelsLast' })
      : tf.layers.globalMaxPooling2d({ dataFormat: 'channelsLast' });
  return layer.apply(x) as Tensor;
}

function lastDimension(x: Tensor): number {
  return x.shape.at(-1) ?? 1;
}

function convolution(c: Choices, filters: number, strides = 1): tf.layers.Layer {
  return tf.layers.conv2d({
    filters,
    kernelSize: 1 + c.pick(3),
    padding: 'same',
    strides,
    useBias: c.pick(3) > 0,
    activation: c.of(ACTIVATIONS),
  });
}

/** A layer that merges tensors of the same shape, or spreads one over the other. */
function merge(c: Choices): tf.layers.Layer {
  return c.of([
    tf.layers.add(),
    tf.layers.average(),
    tf.layers.maximum(),
    tf.layers.minimum(),
    tf.layers.multiply(),
  ]);
}

function imageBlock(c: Choices, x: Tensor): Tensor {
  switch (c.pick(14)) {
    case 0:
      return convolution(c, c.width()).apply(x) as Tensor;
    case 1: {
      const y = tf.layers
        .conv2d({ filters: c.width(), kernelSize: 3, padding: 'same', useBias: false })
        .apply(x);
      return activate(c, normalise(c, y as Tensor));
    }
    case 2: {
      // Residual: the branch and what it is added to lose the same channels.
      const width = c.width();
      const a = convolution(c, width).apply(x) as Tensor;
      const b = normalise(c, convolution(c, width).apply(a) as Tensor);
      return activate(c, tf.layers.add().apply([a, b]) as Tensor);
    }
    case 3: {
      const a = convolution(c, c.width()).apply(x) as Tensor;
      const b = convolution(c, c.width()).apply(x) as Tensor;
      return tf.layers.concatenate().apply([a, b]) as Tensor;
    }
    case 4:
      return tf.layers
        .depthwiseConv2d({
          kernelSize: 3,
          padding: 'same',
          depthMultiplier: 1 + c.pick(2),
          useBias: c.pick(2) === 0,
          activation: c.of(ACTIVATIONS),
        })
        .apply(x) as Tensor;
    case 5:
      return tf.layers
        .separableConv2d({
          filters: c.width(),
          kernelSize: 3,
          padding: 'same',
          activation: c.of(ACTIVATIONS),
        })
        .apply(x) as Tensor;
    case 6: {
      const size = x.shape[1] ?? 0;
      if (size < 2) return x;
      const layer =
        c.pick(2) === 0
          ? tf.layers.maxPooling2d({ poolSize: 2 })
          : tf.layers.averagePooling2d({ poolSize: 2 });
      return layer.apply(x) as Tensor;
    }
    case 7: {
      // Squeeze and excitation: channels are multiplied by what a small network says of them.
      const width = c.width();
      const y = convolution(c, width).apply(x) as Tensor;
      const squeezed = tf.layers.globalAveragePooling2d({ dataFormat: 'channelsLast' }).apply(y) as Tensor;
      const gate = tf.layers.dense({ units: width, activation: 'sigmoid' }).apply(squeezed) as Tensor;
      const shaped = tf.layers.reshape({ targetShape: [1, 1, width] }).apply(gate) as Tensor;
      return tf.layers.multiply().apply([y, shaped]) as Tensor;
    }
    case 8: {
      // A shared layer, called twice.
      const shared = convolution(c, lastDimension(x));
      return shared.apply(shared.apply(x)) as Tensor;
    }
    case 9:
      return tf.layers
        .conv2dTranspose({
          filters: c.width(),
          kernelSize: 2,
          strides: 1,
          padding: 'same',
          activation: c.of(ACTIVATIONS),
        })
        .apply(x) as Tensor;
    case 10: {
      const padded = tf.layers.zeroPadding2d({ padding: 1 }).apply(convolution(c, c.width()).apply(x));
      return tf.layers.cropping2D({ cropping: 1 }).apply(padded) as Tensor;
    }
    case 12: {
      // Spatial attention: one channel over all.
      const y = convolution(c, c.width()).apply(x) as Tensor;
      return merge(c).apply([y, convolution(c, 1).apply(x) as Tensor]) as Tensor;
    }
    case 11: {
      const up = tf.layers.upSampling2d({ size: [2, 2] }).apply(convolution(c, c.width()).apply(x));
      return tf.layers.averagePooling2d({ poolSize: 2 }).apply(up) as Tensor;
    }
    default: {
      // A normalisation over concatenated channels, as in dense networks.
      const a = convolution(c, c.width()).apply(x) as Tensor;
      const b = convolution(c, c.width()).apply(a) as Tensor;
      return activate(c, normalise(c, tf.layers.concatenate().apply([a, b]) as Tensor));
    }
  }
}

function recurrentLayer(c: Choices, units: number, returnSequences: boolean) {
  const config = {
    units,
    returnSequences,
    useBias: c.pick(4) > 0,
    kernelInitializer: 'zeros',
    recurrentInitializer: 'zeros',
  } as const;
  switch (c.pick(3)) {
    case 0:
      return tf.layers.simpleRNN(config);
    case 1:
      return tf.layers.gru(config);
    default:
      return tf.layers.lstm(config);
  }
}

/** Two recurrent layers in a row, or a layer of stacked cells, or an encoder that hands its state to a decoder. */
function recurrentBlock(c: Choices, x: Tensor): Tensor {
  switch (c.pick(5)) {
    case 0:
      return recurrentLayer(c, c.width(), true).apply(recurrentLayer(c, c.width(), true).apply(x)) as Tensor;
    case 1: {
      const layer = recurrentLayer(c, c.width(), true);
      const mergeMode = c.of(['concat', 'sum', 'ave', 'mul'] as const);
      return tf.layers.bidirectional({ layer, mergeMode }).apply(x) as Tensor;
    }
    case 2: {
      const cells = [
        tf.layers.lstmCell({ units: c.width() }),
        tf.layers.gruCell({ units: c.width(), recurrentInitializer: 'zeros' }),
      ];
      return tf.layers
        .rnn({ cell: tf.layers.stackedRNNCells({ cells }), returnSequences: true })
        .apply(x) as Tensor;
    }
    case 3: {
      const units = c.width();
      const encoder = tf.layers.lstm({ units, returnState: true, recurrentInitializer: 'zeros' });
      const [, h, s] = encoder.apply(x) as Tensor[];
      const decoder = tf.layers.lstm({ units, returnSequences: true, recurrentInitializer: 'zeros' });
      if (h === undefined || s === undefined) throw new RangeError('an LSTM has two states');
      return decoder.apply([x, h, s]) as Tensor;
    }
    default: {
      const inner = tf.layers.dense({ units: c.width(), activation: c.of(ACTIVATIONS) });
      return tf.layers
        .timeDistributed({ layer: inner })
        .apply(recurrentLayer(c, c.width(), true).apply(x)) as Tensor;
    }
  }
}

function sequenceBlock(c: Choices, x: Tensor): Tensor {
  if (c.pick(3) === 0) return recurrentBlock(c, x);
  switch (c.pick(7)) {
    case 0:
      return tf.layers
        .conv1d({ filters: c.width(), kernelSize: 2, padding: 'same', activation: c.of(ACTIVATIONS) })
        .apply(x) as Tensor;
    case 1:
      return tf.layers.dense({ units: c.width(), activation: c.of(ACTIVATIONS) }).apply(x) as Tensor;
    case 2: {
      const size = x.shape[1] ?? 0;
      const y = tf.layers.conv1d({ filters: c.width(), kernelSize: 2, padding: 'same' }).apply(x) as Tensor;
      return size < 2 ? y : (tf.layers.maxPooling1d({ poolSize: 2 }).apply(y) as Tensor);
    }
    case 3:
      return normalise(c, tf.layers.dense({ units: c.width() }).apply(x) as Tensor);
    case 4: {
      const width = c.width();
      const a = tf.layers.dense({ units: width, activation: 'relu' }).apply(x) as Tensor;
      const b = tf.layers.dense({ units: width, activation: 'tanh' }).apply(x) as Tensor;
      return merge(c).apply([a, b]) as Tensor;
    }
    case 5: {
      const y = tf.layers.dense({ units: c.width(), activation: c.of(ACTIVATIONS) }).apply(x) as Tensor;
      return tf.layers.prelu({ alphaInitializer: 'randomNormal' }).apply(y) as Tensor;
    }
    default: {
      const a = tf.layers.dense({ units: c.width() }).apply(x) as Tensor;
      return tf.layers.concatenate({ axis: 1 }).apply([a, a]) as Tensor;
    }
  }
}

function vectorBlock(c: Choices, x: Tensor): Tensor {
  const dense = (units: number): Tensor =>
    tf.layers.dense({ units, activation: c.of(ACTIVATIONS), useBias: c.pick(4) > 0 }).apply(x) as Tensor;
  switch (c.pick(7)) {
    case 0:
      return normalise(c, dense(c.width()));
    case 5: {
      const [wide, one] = [dense(c.width()), dense(1)];
      return merge(c).apply(c.pick(2) === 0 ? [wide, one] : [one, wide]) as Tensor;
    }
    case 1: {
      const width = c.width();
      return tf.layers.add().apply([dense(width), dense(width)]) as Tensor;
    }
    case 2:
      return tf.layers.concatenate().apply([dense(c.width()), dense(c.width())]) as Tensor;
    case 3: {
      const y = dense(6);
      return flatten(tf.layers.reshape({ targetShape: [3, 2] }).apply(y) as Tensor);
    }
    case 4:
      return tf.layers.layerNormalization().apply(dense(c.width())) as Tensor;
    default:
      return dense(c.width());
  }
}

function normalise(c: Choices, x: Tensor): Tensor {
  return tf.layers.batchNormalization({ scale: c.pick(4) > 0, center: c.pick(4) > 0 }).apply(x) as Tensor;
}

function activate(c: Choices, x: Tensor): Tensor {
  const layer = c.of([
    tf.layers.reLU(),
    tf.layers.leakyReLU(),
    tf.layers.elu(),
    tf.layers.activation({ activation: 'sigmoid' }),
    tf.layers.activation({ activation: 'tanh' }),
  ]);
  return layer.apply(x) as Tensor;
}

/** Random weights everywhere: zeros in biases and shifts would hide what dead channels leak. */
export function randomise(model: tf.LayersModel, seed: number): void {
  tf.tidy(() => {
    model.setWeights(
      model.weights.map((weight, i) => {
        const shape = weight.shape.map((d) => d ?? 1);
        const positive = weight.originalName.includes('variance');
        return positive
          ? tf.randomUniform(shape, 0.5, 1.5, 'float32', seed * 131 + i + 1)
          : tf.randomNormal(shape, 0, 0.5, 'float32', seed * 131 + i + 1);
      }),
    );
  });
}
