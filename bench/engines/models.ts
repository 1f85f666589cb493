/** The networks that engines are timed on; `pytorchSteps.py` has the same. */
import * as tf from '../../src/engine/tf';

export interface BenchModel {
  readonly name: string;
  /** Shape of one row. */
  readonly input: readonly number[];
  readonly batch: number;
  readonly build: () => tf.LayersModel;
}

const { layers } = tf;

function mlp(): tf.LayersModel {
  const model = tf.sequential();
  model.add(layers.dense({ inputShape: [784], units: 512, activation: 'relu' }));
  model.add(layers.dense({ units: 512, activation: 'relu' }));
  model.add(layers.dense({ units: 10 }));
  return model;
}

function cnn(): tf.LayersModel {
  const model = tf.sequential();
  model.add(layers.conv2d({ inputShape: [28, 28, 1], filters: 32, kernelSize: 3, activation: 'relu' }));
  model.add(layers.maxPooling2d({ poolSize: 2 }));
  model.add(layers.conv2d({ filters: 64, kernelSize: 3 }));
  model.add(layers.batchNormalization());
  model.add(layers.reLU());
  model.add(layers.maxPooling2d({ poolSize: 2 }));
  model.add(layers.flatten());
  model.add(layers.dense({ units: 10 }));
  return model;
}

/** A convolution, four residual blocks of two and a classifier: ten layers with weights. */
function residual(): tf.LayersModel {
  const conv = (
    x: tf.SymbolicTensor,
    filters: number,
    strides: number,
    kernelSize = 3,
  ): tf.SymbolicTensor => {
    const layer = layers.conv2d({ filters, kernelSize, strides, padding: 'same', useBias: false });
    return layers.batchNormalization().apply(layer.apply(x)) as tf.SymbolicTensor;
  };
  const relu = (x: tf.SymbolicTensor) => layers.reLU().apply(x) as tf.SymbolicTensor;
  const input = tf.input({ shape: [32, 32, 3] });
  let x = relu(conv(input, 16, 1));
  for (const [filters, strides] of [
    [16, 1],
    [32, 2],
    [64, 2],
    [64, 1],
  ] as const) {
    const inner = conv(relu(conv(x, filters, strides)), filters, 1);
    const changes = strides > 1 || x.shape[3] !== filters;
    const shortcut = changes ? conv(x, filters, strides, 1) : x;
    x = relu(layers.add().apply([inner, shortcut]) as tf.SymbolicTensor);
  }
  const pooled = layers.globalAveragePooling2d({ dataFormat: 'channelsLast' }).apply(x) as tf.SymbolicTensor;
  const output = layers.dense({ units: 10 }).apply(pooled) as tf.SymbolicTensor;
  return tf.model({ inputs: input, outputs: output });
}

/** A convolution and two depthwise separable ones, the second with a stride. */
function separable(): tf.LayersModel {
  const model = tf.sequential();
  const same = { kernelSize: 3, padding: 'same', useBias: false } as const;
  const normalized = (): void => {
    model.add(layers.batchNormalization());
    model.add(layers.reLU());
  };
  model.add(layers.conv2d({ ...same, inputShape: [32, 32, 3], filters: 32 }));
  normalized();
  for (const [filters, strides] of [
    [64, 1],
    [128, 2],
  ] as const) {
    model.add(layers.depthwiseConv2d({ ...same, strides }));
    normalized();
    model.add(layers.conv2d({ filters, kernelSize: 1, useBias: false }));
    normalized();
  }
  model.add(layers.globalAveragePooling2d({ dataFormat: 'channelsLast' }));
  model.add(layers.dense({ units: 10 }));
  return model;
}

function lstm(): tf.LayersModel {
  const model = tf.sequential();
  model.add(layers.lstm({ inputShape: [28, 28], units: 128 }));
  model.add(layers.dense({ units: 10 }));
  return model;
}

export const benchModels: readonly BenchModel[] = [
  { name: 'mlp', input: [784], batch: 128, build: mlp },
  { name: 'cnn', input: [28, 28, 1], batch: 128, build: cnn },
  { name: 'residual', input: [32, 32, 3], batch: 64, build: residual },
  { name: 'separable', input: [32, 32, 3], batch: 64, build: separable },
  { name: 'lstm', input: [28, 28], batch: 128, build: lstm },
];
