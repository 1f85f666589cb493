/**
 * Windows that are not as long one way as another or smaller than their stride, inputs that are negative everywhere, and
 * channels first: what engines have got wrong while everyday windows were right.
 */
import * as tf from '../../src/engine/tf';
import { single, type LayerCase } from './caseBuilders';

const { layers } = tf;

const wide = [8, 8, 2];
const volume = [4, 5, 4, 2];
const same = { padding: 'same' } as const;
const first = { dataFormat: 'channelsFirst' } as const;

const convolutions: LayerCase[] = [
  single('conv1d same, window 2, stride 3', [9, 3], () =>
    layers.conv1d({ filters: 4, kernelSize: 2, strides: 3, ...same }),
  ),
  single('conv2d same, window 3x2, stride 4', wide, () =>
    layers.conv2d({ filters: 3, kernelSize: [3, 2], strides: 4, ...same }),
  ),
  single('conv2d same, window 1x3, stride 2, relu', [6, 7, 3], () =>
    layers.conv2d({ filters: 4, kernelSize: [1, 3], strides: 2, activation: 'relu', ...same }),
  ),
  single('conv2d, one channel in and out', [6, 7, 1], () =>
    layers.conv2d({ filters: 1, kernelSize: [2, 3], ...same }),
  ),
  single('conv3d same, window 1x2x3, stride 2x3x2', volume, () =>
    layers.conv3d({ filters: 3, kernelSize: [1, 2, 3], strides: [2, 3, 2], ...same }),
  ),
  single('conv3d same, window 1x2x2, stride 3', [6, 4, 4, 1], () =>
    layers.conv3d({ filters: 1, kernelSize: [1, 2, 2], strides: 3, ...same }),
  ),
  single('conv2dTranspose same, window 2, stride 3', [3, 4, 3], () =>
    layers.conv2dTranspose({ filters: 4, kernelSize: 2, strides: 3, ...same }),
  ),
  single('depthwise same, window 2, stride 3', [6, 6, 3], () =>
    layers.depthwiseConv2d({ kernelSize: 2, strides: 3, depthMultiplier: 2, activation: 'relu', ...same }),
  ),
  single('separable same, window 2x3, stride 4', wide, () =>
    layers.separableConv2d({ filters: 3, kernelSize: [2, 3], strides: 4, ...same }),
  ),
  single('convLstm2d same, window 2, stride 3', [2, 6, 6, 2], () =>
    layers.convLstm2d({ filters: 2, kernelSize: 2, strides: 3, ...same }),
  ),
];

const small: { poolSize: [number, number, number]; strides: [number, number, number] } = {
  poolSize: [1, 2, 3],
  strides: [2, 3, 2],
};

/** Of every rank. Some windows are smaller than the stride, some larger. */
const pools: LayerCase[] = [
  single('maxPooling1d window 2, stride 3', [9, 3], () =>
    layers.maxPooling1d({ poolSize: 2, strides: 3, ...same }),
  ),
  single('averagePooling1d window 2, stride 3', [9, 3], () =>
    layers.averagePooling1d({ poolSize: 2, strides: 3, ...same }),
  ),
  single('maxPooling2d window 2x3, stride 4x1', wide, () =>
    layers.maxPooling2d({ poolSize: [2, 3], strides: [4, 1], ...same }),
  ),
  single('averagePooling2d window 2x3, stride 4x1', wide, () =>
    layers.averagePooling2d({ poolSize: [2, 3], strides: [4, 1], ...same }),
  ),
  single('maxPooling3d window 1x2x3, stride 2x3x2', volume, () => layers.maxPooling3d({ ...small, ...same })),
  single('averagePooling3d window 1x2x3, stride 2x3x2', volume, () =>
    layers.averagePooling3d({ ...small, ...same }),
  ),
  single('globalAveragePooling1d everything', [7, 3], () => layers.globalAveragePooling1d()),
  single('globalMaxPooling1d everything', [7, 3], () => layers.globalMaxPooling1d()),
  single('globalAveragePooling2d everything', [6, 7, 3], () =>
    layers.globalAveragePooling2d({ dataFormat: 'channelsLast' }),
  ),
  single('globalMaxPooling2d everything', [6, 7, 3], () =>
    layers.globalMaxPooling2d({ dataFormat: 'channelsLast' }),
  ),
].map((spec) => ({ ...spec, name: `${spec.name}, negative`, negative: true }));

const boxes: [number, number, number][] = [
  [1, 2, 1],
  [2, 2, 1],
  [3, 2, 1],
  [2, 1, 2],
  [2, 3, 1],
];

const asymmetric: LayerCase[] = boxes.map((poolSize) =>
  single(`maxPooling3d window ${poolSize.join('x')}`, volume, () =>
    layers.maxPooling3d({ poolSize, strides: [1, 1, 1] }),
  ),
);

const channelsFirst: LayerCase[] = [
  single('conv1d channels first', [3, 7], () => layers.conv1d({ filters: 4, kernelSize: 3, ...first })),
  single('conv2d channels first', [3, 6, 7], () =>
    layers.conv2d({ filters: 4, kernelSize: 3, strides: 2, ...same, ...first }),
  ),
  single('conv3d channels first', [2, 4, 5, 4], () => layers.conv3d({ filters: 3, kernelSize: 2, ...first })),
  single('conv2dTranspose channels first', [3, 6, 7], () =>
    layers.conv2dTranspose({ filters: 4, kernelSize: 3, ...first }),
  ),
  single('depthwise channels first', [3, 6, 7], () => layers.depthwiseConv2d({ kernelSize: 3, ...first })),
  single('convLstm2d channels first', [3, 2, 5, 5], () =>
    layers.convLstm2d({ filters: 2, kernelSize: [3, 2], ...first }),
  ),
  single('maxPooling2d channels first', [3, 6, 7], () => layers.maxPooling2d({ poolSize: 2, ...first })),
  single('averagePooling2d channels first', [3, 6, 7], () =>
    layers.averagePooling2d({ poolSize: 2, ...first }),
  ),
  single('maxPooling3d channels first', [2, 4, 5, 4], () => layers.maxPooling3d({ poolSize: 2, ...first })),
  single('globalAveragePooling2d channels first', [3, 6, 7], () => layers.globalAveragePooling2d(first)),
  single('upSampling2d channels first', [3, 6, 7], () => layers.upSampling2d({ size: [2, 3], ...first })),
  single('zeroPadding2d channels first', [3, 6, 7], () => layers.zeroPadding2d({ padding: 1, ...first })),
  single('flatten channels first', [3, 6, 7], () => layers.flatten(first)),
];

export const windowCases: readonly LayerCase[] = [...convolutions, ...pools, ...asymmetric, ...channelsFirst];
