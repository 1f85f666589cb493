import { badInput } from '../errors';
import type { GraphLayer } from '../graph';
import { activation, elu, leakyRelu, prelu, relu, softmax } from './activation';
import { categoryEncoding, rescaling } from './preprocessing';
import { convLstm } from './convRecurrent';
import { conv, convTranspose, depthwiseConv, separableConv } from './conv';
import { dense, embedding } from './dense';
import { concatenate, dot, elementwise } from './merge';
import { additiveNoise, dropout, masking } from './noise';
import { batchNorm, layerNorm } from './norm';
import { globalPooling, pooling } from './pooling';
import { cropping, flatten, input, permute, repeatVector, reshape, upSampling, zeroPadding } from './shape';
import { bidirectional, recurrent, rnn, timeDistributed } from './recurrent';

import type { Rule } from './rule';

/** Every layer class that the channel graph can follow. */
const RULES = new Map<string, Rule>(
  Object.entries({
    InputLayer: input,
    Dense: dense,
    Embedding: embedding,
    Conv1D: conv(1),
    Conv2D: conv(2),
    Conv3D: conv(3),
    Conv2DTranspose: convTranspose(2),
    Conv3DTranspose: convTranspose(3),
    SeparableConv2D: separableConv(2),
    DepthwiseConv2D: depthwiseConv,
    BatchNormalization: batchNorm,
    LayerNormalization: layerNorm,
    Activation: activation,
    Softmax: softmax,
    ReLU: relu,
    LeakyReLU: leakyRelu,
    ThresholdedReLU: elu,
    ELU: elu,
    PReLU: prelu,
    MaxPooling1D: pooling(1, 'max'),
    MaxPooling2D: pooling(2, 'max'),
    MaxPooling3D: pooling(3, 'max'),
    AveragePooling1D: pooling(1, 'average'),
    AveragePooling2D: pooling(2, 'average'),
    AveragePooling3D: pooling(3, 'average'),
    GlobalMaxPooling1D: globalPooling('max'),
    GlobalMaxPooling2D: globalPooling('max'),
    GlobalAveragePooling1D: globalPooling('average'),
    GlobalAveragePooling2D: globalPooling('average'),
    Flatten: flatten,
    Reshape: reshape,
    Permute: permute,
    RepeatVector: repeatVector,
    ZeroPadding2D: zeroPadding,
    Cropping2D: cropping,
    UpSampling2D: upSampling,
    Dropout: dropout,
    SpatialDropout1D: dropout,
    GaussianDropout: dropout,
    GaussianNoise: additiveNoise,
    AlphaDropout: additiveNoise,
    Masking: masking,
    Rescaling: rescaling,
    CategoryEncoding: categoryEncoding,
    Add: elementwise('linear'),
    Average: elementwise('linear'),
    Maximum: elementwise('positive'),
    Minimum: elementwise('positive'),
    Multiply: elementwise('none'),
    Concatenate: concatenate,
    Dot: dot,
    SimpleRNN: recurrent('SimpleRNN'),
    GRU: recurrent('GRU'),
    LSTM: recurrent('LSTM'),
    ConvLSTM2D: convLstm,
    RNN: rnn,
    Bidirectional: bidirectional((layer) => ruleFor(layer)),
    TimeDistributed: timeDistributed((layer) => ruleFor(layer)),
  }),
);

/** @throws ShrinkError `unknown-layer`, naming the layer and what can be done */
export function ruleFor(layer: GraphLayer): Rule {
  const rule = RULES.get(layer.className);
  if (rule === undefined)
    throw badInput(
      'unknown-layer',
      `Layer "${layer.name}" is a ${layer.className}, which ShrinkNets cannot follow; replace it by a layer of TensorFlow.js, or say what your class does with channels (static shrinkRule, see docs/custom-layers.md).`,
    );
  return rule;
}

/** Teaches the channel graph a custom layer. @param rule what the layer does with channels */
export function registerRule(className: string, rule: Rule): void {
  RULES.set(className, rule);
}

/** Class names that there is a rule for. */
export function listRuledClasses(): readonly string[] {
  return [...RULES.keys()];
}
