import * as tf from '../../src/engine/tf';
import type { LayerCase } from '../engine/layerCases';
const { layers } = tf;
type Single = tf.SymbolicTensor;
const S = (name: string, input: number[], ...make: (() => tf.layers.Layer)[]): LayerCase => ({ name, input, build: (x) => make.reduce<Single>((v, m) => m().apply(v) as Single, x) });
const L = layers as any;
const cases: LayerCase[] = [];
// conv2d sweep
for (const k of [1, 2, 3, [3, 1], [1, 4], 5]) for (const s of [1, 2, 3, [1, 2], [3, 1]]) for (const padding of ['valid', 'same'] as const) for (const inp of [[5, 7, 1], [8, 5, 2], [7, 7, 4]])
  cases.push(S(`conv2d k${k} s${s} ${padding} in${inp}`, inp, () => L.conv2d({ filters: inp[2] === 1 ? 1 : 3, kernelSize: k, strides: s, padding })));
for (const k of [1, 2, 3, [3, 1]]) for (const s of [1, 2, 3]) for (const padding of ['valid', 'same'] as const) for (const inp of [[5, 7, 1], [8, 5, 2]]) {
  cases.push(S(`convT k${k} s${s} ${padding} in${inp}`, inp, () => L.conv2dTranspose({ filters: 2, kernelSize: k, strides: s, padding })));
  for (const m of [1, 3]) cases.push(S(`dw k${k} s${s} ${padding} m${m} in${inp}`, inp, () => L.depthwiseConv2d({ kernelSize: k, strides: s, padding, depthMultiplier: m })));
  cases.push(S(`sep k${k} s${s} ${padding} in${inp}`, inp, () => L.separableConv2d({ filters: 3, kernelSize: k, strides: s, padding })));
  cases.push(S(`max k${k} s${s} ${padding} in${inp}`, inp, () => L.maxPooling2d({ poolSize: k, strides: s, padding })));
  cases.push(S(`avg k${k} s${s} ${padding} in${inp}`, inp, () => L.averagePooling2d({ poolSize: k, strides: s, padding })));
}
for (const k of [1, 2, 3, 4]) for (const s of [1, 2, 3]) for (const padding of ['valid', 'same'] as const) for (const inp of [[7, 1], [8, 3]]) {
  cases.push(S(`conv1d k${k} s${s} ${padding} in${inp}`, inp, () => L.conv1d({ filters: 2, kernelSize: k, strides: s, padding })));
  cases.push(S(`max1 k${k} s${s} ${padding} in${inp}`, inp, () => L.maxPooling1d({ poolSize: k, strides: s, padding })));
  cases.push(S(`avg1 k${k} s${s} ${padding} in${inp}`, inp, () => L.averagePooling1d({ poolSize: k, strides: s, padding })));
}
for (const k of [1, 2, 3, [1, 2, 3]]) for (const s of [1, 2, [1, 2, 2]]) for (const padding of ['valid', 'same'] as const) for (const inp of [[4, 5, 3, 1], [3, 4, 5, 2]]) {
  cases.push(S(`conv3d k${k} s${s} ${padding} in${inp}`, inp, () => L.conv3d({ filters: 2, kernelSize: k, strides: s, padding })));
  cases.push(S(`max3 k${k} s${s} ${padding} in${inp}`, inp, () => L.maxPooling3d({ poolSize: k, strides: s, padding })));
  cases.push(S(`avg3 k${k} s${s} ${padding} in${inp}`, inp, () => L.averagePooling3d({ poolSize: k, strides: s, padding })));
}
// channelsFirst
const cf = { dataFormat: 'channelsFirst' };
cases.push(
  S('conv2d cf', [2, 5, 6], () => L.conv2d({ filters: 3, kernelSize: 3, ...cf })),
  S('conv2d cf same s2', [2, 5, 6], () => L.conv2d({ filters: 3, kernelSize: 3, strides: 2, padding: 'same', activation: 'relu', ...cf })),
  S('conv3d cf', [2, 4, 5, 6], () => L.conv3d({ filters: 3, kernelSize: 2, ...cf })),
  S('convT cf', [2, 5, 6], () => L.conv2dTranspose({ filters: 3, kernelSize: 3, strides: 2, ...cf })),
  S('sep cf', [2, 5, 6], () => L.separableConv2d({ filters: 3, kernelSize: 3, ...cf })),
  S('dw cf', [2, 5, 6], () => L.depthwiseConv2d({ kernelSize: 3, ...cf })),
  S('max cf', [2, 5, 6], () => L.maxPooling2d({ poolSize: 2, ...cf })),
  S('avg cf', [2, 5, 6], () => L.averagePooling2d({ poolSize: 2, padding: 'same', ...cf })),
  S('max3 cf', [2, 4, 5, 6], () => L.maxPooling3d({ poolSize: 2, ...cf })),
  S('avg3 cf', [2, 4, 5, 6], () => L.averagePooling3d({ poolSize: 2, padding: 'same', ...cf })),
  S('gap cf', [2, 5, 6], () => L.globalAveragePooling2d({ ...cf })),
  S('gmp cf', [2, 5, 6], () => L.globalMaxPooling2d({ ...cf })),
  S('up cf', [2, 5, 6], () => L.upSampling2d({ size: [2, 3], ...cf })),
  S('up cf bil', [2, 5, 6], () => L.upSampling2d({ size: [3, 2], interpolation: 'bilinear', ...cf })),
  S('zp cf', [2, 5, 6], () => L.zeroPadding2d({ padding: [[1, 0], [2, 1]], ...cf })),
  S('crop cf', [2, 5, 6], () => L.cropping2D({ cropping: [[1, 0], [2, 1]], ...cf })),
  S('flatten cf', [2, 5, 6], () => L.flatten({ ...cf })),
  S('bn axis1', [2, 5, 6], () => L.batchNormalization({ axis: 1 })),
  S('bn axis2', [2, 5, 6], () => L.batchNormalization({ axis: 2 })),
  S('bn one', [1], () => L.batchNormalization()),
  S('bn no scale', [4], () => L.batchNormalization({ scale: false })),
  S('bn no center', [4], () => L.batchNormalization({ center: false })),
  S('ln axis1', [3, 4], () => L.layerNormalization({ axis: 1 })),
  S('ln axes', [3, 4], () => L.layerNormalization({ axis: [1, 2] })),
  S('ln none', [3, 4], () => L.layerNormalization({ center: false, scale: false })),
  S('up near 1ch', [3, 4, 1], () => L.upSampling2d({ size: [1, 4] })),
  S('up near 5', [3, 4, 2], () => L.upSampling2d({ size: [5, 2] })),
  S('up bil', [3, 4, 2], () => L.upSampling2d({ size: [3, 5], interpolation: 'bilinear' })),
  S('up bil 1px', [1, 1, 2], () => L.upSampling2d({ size: [3, 2], interpolation: 'bilinear' })),
  S('conv dil', [9, 9, 2], () => L.conv2d({ filters: 3, kernelSize: 3, dilationRate: 2 })),
  S('conv1d dil', [9, 2], () => L.conv1d({ filters: 3, kernelSize: 3, dilationRate: 2 })),
  S('dw dil', [9, 9, 2], () => L.depthwiseConv2d({ kernelSize: 3, dilationRate: 2 })),
  S('conv1d causal', [9, 2], () => L.conv1d({ filters: 3, kernelSize: 3, padding: 'causal' })),
  S('masking lstm', [6, 3], () => L.masking({ maskValue: 0.0 }), () => L.lstm({ units: 3 })),
  S('masking', [6, 3], () => L.masking({ maskValue: 0.0 })),
  S('rescaling', [6, 3], () => L.rescaling({ scale: 0.5, offset: 1 })),
  S('resizing', [6, 3, 2], () => L.resizing({ height: 4, width: 5 })),
  S('resizing nearest', [6, 3, 2], () => L.resizing({ height: 4, width: 5, interpolation: 'nearest' })),
  S('centerCrop', [6, 5, 2], () => L.centerCrop({ height: 4, width: 3 })),
  S('rnn cells', [5, 3], () => L.rnn({ cell: [L.lstmCell({ units: 3 }), L.gruCell({ units: 2 })] })),
  S('rnn simple cell seq', [5, 3], () => L.rnn({ cell: L.simpleRNNCell({ units: 3 }), returnSequences: true })),
  S('lstm T1', [1, 3], () => L.lstm({ units: 3 })),
  S('lstm u1', [4, 1], () => L.lstm({ units: 1 })),
  S('lstm relu hardsig', [4, 2], () => L.lstm({ units: 2, activation: 'relu', recurrentActivation: 'hardSigmoid' })),
  S('lstm impl1', [4, 2], () => L.lstm({ units: 2, implementation: 1 })),
  S('lstm nobias', [4, 2], () => L.lstm({ units: 2, useBias: false })),
  S('lstm unroll', [4, 2], () => L.lstm({ units: 2, unroll: true, returnSequences: true })),
  S('gru impl1', [4, 2], () => L.gru({ units: 2, implementation: 1, useBias: false })),
  S('simple relu back', [4, 2], () => L.simpleRNN({ units: 2, activation: 'relu', goBackwards: true })),
  S('bidi mul', [4, 2], () => L.bidirectional({ layer: L.lstm({ units: 2, returnSequences: true }), mergeMode: 'mul' })),
  S('bidi ave', [4, 2], () => L.bidirectional({ layer: L.simpleRNN({ units: 2 }), mergeMode: 'ave' })),
  S('bidi concat', [4, 2], () => L.bidirectional({ layer: L.gru({ units: 2 }), mergeMode: 'concat' })),
  S('td lstm', [3, 4, 2], () => L.timeDistributed({ layer: L.lstm({ units: 2 }) })),
  S('td pool', [2, 6, 6, 2], () => L.timeDistributed({ layer: L.maxPooling2d({ poolSize: 2 }) })),
  S('td bn', [2, 6, 2], () => L.timeDistributed({ layer: L.batchNormalization() })),
  S('td emb', [6], () => L.reshape({ targetShape: [3, 2] }), () => L.timeDistributed({ layer: L.dense({ units: 2, activation: 'softmax' }) })),
  S('convlstm same seq', [3, 4, 5, 2], () => L.convLstm2d({ filters: 2, kernelSize: 2, padding: 'same', returnSequences: true })),
  S('convlstm cf', [3, 2, 4, 5], () => L.convLstm2d({ filters: 2, kernelSize: 3, padding: 'same', dataFormat: 'channelsFirst' })),
  S('convlstm s2', [3, 6, 6, 1], () => L.convLstm2d({ filters: 1, kernelSize: 3, strides: 2, padding: 'same' })),
  S('softmax axis1', [3, 4], () => L.softmax({ axis: 1 })),
  S('act softmax 4d', [3, 4, 2], () => L.activation({ activation: 'softmax' })),
  S('relu layer neg', [6], () => L.reLU({ maxValue: 6 })),
  S('dense prelu', [6], () => L.dense({ units: 4 }), () => L.prelu()),
  S('prelu 3d axes', [4, 3], () => L.prelu({ sharedAxes: [1] })),
  S('dot axes 2', [3, 4], () => ({ apply: (x: Single) => L.dot({ axes: [1, 1] }).apply([L.dense({ units: 2 }).apply(x), L.dense({ units: 3 }).apply(x)]) }) as any),
  S('dot norm', [6], () => ({ apply: (x: Single) => L.dot({ axes: -1, normalize: true }).apply([L.dense({ units: 4 }).apply(x), L.dense({ units: 4 }).apply(x)]) }) as any),
  S('concat ax1', [3, 4], () => ({ apply: (x: Single) => L.concatenate({ axis: 1 }).apply([L.dense({ units: 2 }).apply(x), L.dense({ units: 2 }).apply(x), L.dense({ units: 2 }).apply(x)]) }) as any),
  S('add bcast', [3, 4], () => ({ apply: (x: Single) => L.add().apply([x, L.dense({ units: 1 }).apply(x)]) }) as any),
  S('mul3', [4], () => ({ apply: (x: Single) => L.multiply().apply([x, L.dense({ units: 4 }).apply(x), L.dense({ units: 4, activation: 'sigmoid' }).apply(x)]) }) as any),
  S('max3 merge', [4], () => ({ apply: (x: Single) => L.maximum().apply([x, L.dense({ units: 4 }).apply(x), L.dense({ units: 4, activation: 'sigmoid' }).apply(x)]) }) as any),
  S('min ties', [4], () => ({ apply: (x: Single) => L.minimum().apply([L.activation({ activation: 'relu' }).apply(x), L.activation({ activation: 'relu' }).apply(L.dense({ units: 4 }).apply(x))]) }) as any),
  S('max of relu', [6, 6, 2], () => L.activation({ activation: 'relu' }), () => L.maxPooling2d({ poolSize: 3, strides: 2, padding: 'same' })),
  S('max of relu 2', [7, 5, 2], () => L.activation({ activation: 'relu' }), () => L.maxPooling2d({ poolSize: 2 })),
  S('gmp1 relu', [6, 2], () => L.activation({ activation: 'relu' }), () => L.globalMaxPooling1d({})),
  S('gmp2 relu', [6, 4, 2], () => L.activation({ activation: 'relu' }), () => L.globalMaxPooling2d({ dataFormat: 'channelsLast' })),
  S('max3 relu', [4, 4, 4, 2], () => L.activation({ activation: 'relu' }), () => L.maxPooling3d({ poolSize: 2, strides: 1, padding: 'same' })),
  S('max1 relu', [7, 2], () => L.activation({ activation: 'relu' }), () => L.maxPooling1d({ poolSize: 3, strides: 1 })),
  S('conv relu elu selu', [5, 5, 2], () => L.conv2d({ filters: 2, kernelSize: 2, activation: 'elu' }), () => L.conv2d({ filters: 2, kernelSize: 2, activation: 'selu' }), () => L.conv2d({ filters: 2, kernelSize: 2, activation: 'softmax' })),
  S('conv gelu relu6', [5, 5, 2], () => L.conv2d({ filters: 2, kernelSize: 2, activation: 'relu6' }), () => L.conv2d({ filters: 2, kernelSize: 2, activation: 'gelu' })),
  S('permute 5d', [2, 3, 4, 2], () => L.permute({ dims: [4, 2, 1, 3] })),
  S('flat reshape', [4, 3], () => L.reshape({ targetShape: [-1, 2] })),
  S('dense no bias', [6], () => L.dense({ units: 1, useBias: false })),
  S('dense 4d', [2, 3, 4], () => L.dense({ units: 3, activation: 'tanh' })),
  { ...S('embedding 2d', [3, 2], () => L.embedding({ inputDim: 5, outputDim: 1 })), indices: 5 },
  { ...S('embedding mask lstm', [5], () => L.embedding({ inputDim: 4, outputDim: 3, maskZero: true }), () => L.lstm({ units: 3 })), indices: 4 },
  { ...S('embedding mask gru seq', [5], () => L.embedding({ inputDim: 4, outputDim: 3, maskZero: true }), () => L.gru({ units: 3, returnSequences: true }), () => L.timeDistributed({ layer: L.dense({ units: 2 }) })), indices: 4 },
  { ...S('embedding gap', [5], () => L.embedding({ inputDim: 4, outputDim: 3 }), () => L.globalAveragePooling1d()), indices: 4 },
  { ...S('catenc', [1], () => L.categoryEncoding({ numTokens: 4, outputMode: 'oneHot' }), () => L.dense({ units: 2 })), indices: 4 },
);
export { cases };
