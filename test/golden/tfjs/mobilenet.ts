import * as tf from '@tensorflow/tfjs';

type Tensor = tf.SymbolicTensor;

/** A depthwise separable convolution: each channel by itself, then all of them at each point. */
const separable = (x: Tensor, filters: number, strides: 1 | 2 = 1): Tensor => {
  let y = tf.layers.depthwiseConv2d({ kernelSize: 3, strides, padding: 'same', useBias: false }).apply(x);
  y = tf.layers.batchNormalization().apply(y);
  y = tf.layers.reLU({ maxValue: 6 }).apply(y);
  y = tf.layers.conv2d({ kernelSize: 1, filters, useBias: false }).apply(y);
  return tf.layers.batchNormalization().apply(y) as Tensor;
};

export const STAGES = [
  { filters: 24, repeat: 1, strides: 1 },
  { filters: 48, repeat: 2, strides: 2 },
] as const;

export function mobilenet({ size = 32, classes = 10 } = {}): tf.LayersModel {
  const image = tf.input({ shape: [size, size, 3] });
  let x = tf.layers
    .conv2d({ filters: 16, kernelSize: 3, strides: 2, padding: 'same', activation: 'relu' })
    .apply(image) as Tensor;
  for (const { filters, repeat, strides } of STAGES) {
    x = separable(x, filters, strides);
    for (let n = 1; n < repeat; n += 1) {
      const shortcut = x;
      x = tf.layers.add().apply([shortcut, separable(x, filters)]) as Tensor;
    }
  }
  x = tf.layers.globalAveragePooling2d({}).apply(x) as Tensor;
  const logits = tf.layers.dense({ units: classes }).apply(x) as Tensor;
  return tf.model({ inputs: image, outputs: logits });
}

mobilenet();
