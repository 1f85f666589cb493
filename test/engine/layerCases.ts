/** One small model for each layer of TensorFlow.js in each form that takes a different way through the kernels. */
import * as tf from '../../src/engine/tf';
import { chain, single, through, type LayerCase } from './caseBuilders';
import { windowCases } from './windowCases';

export type { LayerCase };

const { layers } = tf;

type Single = tf.SymbolicTensor;
const row = [6];
const sequence = [7, 3];
const image = [6, 7, 3];
const volume = [4, 5, 4, 2];

const activations = [
  'elu',
  'gelu',
  'gelu_new',
  'hardSigmoid',
  'linear',
  'mish',
  'relu',
  'relu6',
  'selu',
  'sigmoid',
  'softmax',
  'softplus',
  'softsign',
  'swish',
  'tanh',
] as const;

const convolutions: LayerCase[] = [
  single('conv1d', sequence, () => layers.conv1d({ filters: 4, kernelSize: 3 })),
  single('conv1d same, stride 2', sequence, () =>
    layers.conv1d({ filters: 4, kernelSize: 3, strides: 2, padding: 'same', activation: 'relu' }),
  ),
  single('conv2d', image, () => layers.conv2d({ filters: 4, kernelSize: 3 })),
  single('conv2d relu', image, () => layers.conv2d({ filters: 4, kernelSize: 3, activation: 'relu' })),
  single('conv2d without bias', image, () =>
    layers.conv2d({ filters: 4, kernelSize: [2, 3], useBias: false }),
  ),
  single('conv2d same', image, () => layers.conv2d({ filters: 4, kernelSize: 3, padding: 'same' })),
  single('conv2d same, stride 2', image, () =>
    layers.conv2d({ filters: 4, kernelSize: 3, strides: 2, padding: 'same' }),
  ),
  single('conv2d 5x5, stride 3', [9, 10, 2], () => layers.conv2d({ filters: 3, kernelSize: 5, strides: 3 })),
  single('conv2d 1x1', image, () => layers.conv2d({ filters: 4, kernelSize: 1 })),
  single('conv2d 1x1, stride 2', image, () => layers.conv2d({ filters: 4, kernelSize: 1, strides: 2 })),
  single('conv1d dilated', sequence, () => layers.conv1d({ filters: 4, kernelSize: 3, dilationRate: 2 })),
  single('conv2d dilated, same', image, () =>
    layers.conv2d({ filters: 4, kernelSize: [2, 3], dilationRate: [3, 2], padding: 'same' }),
  ),
  single('conv3d dilated', volume, () => layers.conv3d({ filters: 3, kernelSize: 2, dilationRate: 2 })),
  single('depthwise dilated', image, () =>
    layers.depthwiseConv2d({ kernelSize: 3, dilationRate: 2, depthMultiplier: 2 }),
  ),
  single('separable dilated', image, () =>
    layers.separableConv2d({ filters: 4, kernelSize: 2, dilationRate: 3 }),
  ),
  single('conv3d', volume, () => layers.conv3d({ filters: 3, kernelSize: 2 })),
  single('conv3d same, stride 2', volume, () =>
    layers.conv3d({ filters: 3, kernelSize: 3, strides: 2, padding: 'same' }),
  ),
  single('conv2dTranspose', image, () => layers.conv2dTranspose({ filters: 4, kernelSize: 3 })),
  single('conv2dTranspose same, stride 2', image, () =>
    layers.conv2dTranspose({ filters: 4, kernelSize: 3, strides: 2, padding: 'same' }),
  ),
  single('depthwise', image, () => layers.depthwiseConv2d({ kernelSize: 3 })),
  single('depthwise multiplier 2, same', image, () =>
    layers.depthwiseConv2d({ kernelSize: 3, depthMultiplier: 2, padding: 'same' }),
  ),
  single('depthwise stride 2, same', image, () =>
    layers.depthwiseConv2d({ kernelSize: 3, strides: 2, padding: 'same', activation: 'relu' }),
  ),
  single('separable', image, () =>
    layers.separableConv2d({ filters: 4, kernelSize: 3, depthMultiplier: 2, padding: 'same' }),
  ),
];

const pools: LayerCase[] = [
  single('maxPooling1d', sequence, () => layers.maxPooling1d({ poolSize: 2 })),
  single('averagePooling1d same', sequence, () =>
    layers.averagePooling1d({ poolSize: 3, strides: 2, padding: 'same' }),
  ),
  single('maxPooling2d', image, () => layers.maxPooling2d({ poolSize: 2 })),
  single('maxPooling2d overlapping', image, () => layers.maxPooling2d({ poolSize: 3, strides: 1 })),
  single('maxPooling2d overlapping, same', image, () =>
    layers.maxPooling2d({ poolSize: 3, strides: 2, padding: 'same' }),
  ),
  single('maxPooling2d gaps', image, () => layers.maxPooling2d({ poolSize: 2, strides: 3 })),
  single('averagePooling2d', image, () => layers.averagePooling2d({ poolSize: 2 })),
  single('averagePooling2d overlapping, same', image, () =>
    layers.averagePooling2d({ poolSize: 3, strides: 2, padding: 'same' }),
  ),
  single('maxPooling3d', volume, () => layers.maxPooling3d({ poolSize: 2 })),
  single('maxPooling3d overlapping, same', volume, () =>
    layers.maxPooling3d({ poolSize: 3, strides: 2, padding: 'same' }),
  ),
  single('averagePooling3d', volume, () => layers.averagePooling3d({ poolSize: 2 })),
  single('averagePooling3d same', volume, () =>
    layers.averagePooling3d({ poolSize: 3, strides: 2, padding: 'same' }),
  ),
  single('globalAveragePooling1d', sequence, () => layers.globalAveragePooling1d()),
  single('globalMaxPooling1d', sequence, () => layers.globalMaxPooling1d()),
  single('globalAveragePooling2d', image, () =>
    layers.globalAveragePooling2d({ dataFormat: 'channelsLast' }),
  ),
  single('globalMaxPooling2d', image, () => layers.globalMaxPooling2d({ dataFormat: 'channelsLast' })),
];

const norms: LayerCase[] = [
  single('batchNormalization 2D', row, () => layers.batchNormalization()),
  single('batchNormalization 3D', sequence, () => layers.batchNormalization()),
  single('batchNormalization 4D', image, () => layers.batchNormalization()),
  single('batchNormalization without scale', image, () =>
    layers.batchNormalization({ scale: false, center: false }),
  ),
  single('batchNormalization, axis 1', image, () => layers.batchNormalization({ axis: 1 })),
  single('layerNormalization', row, () => layers.layerNormalization()),
  single('layerNormalization 4D', image, () => layers.layerNormalization()),
  single('layerNormalization without scale', image, () => layers.layerNormalization({ scale: false })),
  single('layerNormalization without centre', image, () => layers.layerNormalization({ center: false })),
  single('layerNormalization, two axes, without either', image, () =>
    layers.layerNormalization({ axis: [1, 2], scale: false, center: false }),
  ),
];

const shapes: LayerCase[] = [
  single('rescaling', image, () => layers.rescaling({ scale: 1 / 3, offset: 0.5 })),
  single('flatten', image, () => layers.flatten()),
  single('reshape', image, () => layers.reshape({ targetShape: [9, 14] })),
  single('permute', image, () => layers.permute({ dims: [3, 1, 2] })),
  single('repeatVector', row, () => layers.repeatVector({ n: 3 })),
  single('zeroPadding2d', image, () =>
    layers.zeroPadding2d({
      padding: [
        [1, 2],
        [0, 3],
      ],
    }),
  ),
  single('cropping2D', image, () =>
    layers.cropping2D({
      cropping: [
        [1, 0],
        [2, 1],
      ],
    }),
  ),
  single('upSampling2d nearest', image, () => layers.upSampling2d({ size: [2, 3] })),
  single('upSampling2d bilinear', image, () =>
    layers.upSampling2d({ size: [2, 2], interpolation: 'bilinear' }),
  ),
];

/** Two branches of the same shape, merged. */
function merged(name: string, merge: () => tf.layers.Layer): LayerCase {
  return {
    name,
    input: row,
    build: (x) =>
      merge().apply([
        through(layers.dense({ units: 4 }))(x),
        through(layers.dense({ units: 4, activation: 'tanh' }))(x),
      ]) as Single,
  };
}

const merges: LayerCase[] = [
  merged('add', () => layers.add()),
  merged('multiply', () => layers.multiply()),
  merged('average', () => layers.average()),
  merged('maximum', () => layers.maximum()),
  merged('minimum', () => layers.minimum()),
  merged('concatenate', () => layers.concatenate()),
  merged('dot', () => layers.dot({ axes: 1 })),
];

const recurrent: LayerCase[] = [
  single('simpleRNN', sequence, () => layers.simpleRNN({ units: 4 })),
  single('lstm', sequence, () => layers.lstm({ units: 4 })),
  single('lstm sequences', sequence, () => layers.lstm({ units: 4, returnSequences: true })),
  single('gru', sequence, () => layers.gru({ units: 4 })),
  single('gru backwards', sequence, () => layers.gru({ units: 4, goBackwards: true, returnSequences: true })),
  single('bidirectional concat', sequence, () =>
    layers.bidirectional({
      layer: layers.lstm({ units: 3, returnSequences: true }),
      mergeMode: 'concat',
    }),
  ),
  single('bidirectional sum', sequence, () =>
    layers.bidirectional({ layer: layers.gru({ units: 3 }), mergeMode: 'sum' }),
  ),
  single('timeDistributed dense', sequence, () =>
    layers.timeDistributed({ layer: layers.dense({ units: 4, activation: 'relu' }) }),
  ),
  single('timeDistributed conv2d', [2, 5, 5, 2], () =>
    layers.timeDistributed({ layer: layers.conv2d({ filters: 3, kernelSize: 3 }) }),
  ),
  single('convLstm2d', [3, 5, 5, 2], () => layers.convLstm2d({ filters: 2, kernelSize: 3 })),
];

/** A dense layer, as a sequence of one step. */
const oneStep = () => [layers.dense({ units: 8 }), layers.reshape({ targetShape: [1, 8] })];
/** A dense layer some of whose steps are zeros, which are masked. */
const masked = () => [layers.dense({ units: 2, activation: 'relu' }), layers.masking({ maskValue: 0 })];

const sequences: LayerCase[] = [
  chain('simpleRNN of one step', row, () => [
    ...oneStep(),
    layers.simpleRNN({ units: 4, returnSequences: true }),
  ]),
  chain('lstm of one step', row, () => [...oneStep(), layers.lstm({ units: 4 })]),
  chain('gru of one step', row, () => [...oneStep(), layers.gru({ units: 4 })]),
  chain('masking', sequence, masked),
  chain('masking before lstm', sequence, () => [...masked(), layers.lstm({ units: 3 })]),
  chain('masking before gru sequences', sequence, () => [
    ...masked(),
    layers.gru({ units: 3, returnSequences: true }),
  ]),
  {
    ...chain('embedding, zeros masked', [5], () => [
      layers.embedding({ inputDim: 5, outputDim: 4, maskZero: true }),
      layers.lstm({ units: 3 }),
    ]),
    indices: 5,
  },
  single('stacked cells', sequence, () =>
    layers.rnn({
      cell: layers.stackedRNNCells({ cells: [layers.lstmCell({ units: 4 }), layers.gruCell({ units: 3 })] }),
    }),
  ),
];

const advancedActivations: LayerCase[] = [
  single('reLU max 0.5', row, () => layers.reLU({ maxValue: 0.5 })),
  single('leakyReLU', row, () => layers.leakyReLU({ alpha: 0.2 })),
  single('prelu', image, () => layers.prelu()),
  single('prelu, shared axes', image, () => layers.prelu({ sharedAxes: [1, 2] })),
  single('elu layer', row, () => layers.elu()),
  single('thresholdedReLU', row, () => layers.thresholdedReLU({ theta: 0.3 })),
  single('softmax layer', image, () => layers.softmax({ axis: -1 })),
];

/** Dense with each activation, then all the others. */
export const layerCases: readonly LayerCase[] = [
  ...activations.map((activation) =>
    single(`dense ${activation}`, row, () => layers.dense({ units: 5, activation })),
  ),
  single('dense on a sequence', sequence, () => layers.dense({ units: 5, activation: 'relu' })),
  { ...single('embedding', [5], () => layers.embedding({ inputDim: 9, outputDim: 4 })), indices: 9 },
  ...convolutions,
  ...pools,
  ...norms,
  ...advancedActivations,
  ...shapes,
  ...merges,
  ...recurrent,
  ...sequences,
  ...windowCases,
];

/** Layers that draw random numbers; their gradients agree only where their draws do. */
export const randomCases: readonly LayerCase[] = [
  { ...single('dropout', row, () => layers.dropout({ rate: 0.4 })), random: true },
  {
    ...single('dropout, noise shape', sequence, () => layers.dropout({ rate: 0.4, noiseShape: [3, 1, 3] })),
    random: true,
  },
  { ...single('spatialDropout1d', sequence, () => layers.spatialDropout1d({ rate: 0.4 })), random: true },
  { ...single('gaussianNoise', row, () => layers.gaussianNoise({ stddev: 0.3 })), random: true },
  { ...single('gaussianDropout', row, () => layers.gaussianDropout({ rate: 0.3 })), random: true },
  { ...single('alphaDropout', row, () => layers.alphaDropout({ rate: 0.3 })), random: true },
];
