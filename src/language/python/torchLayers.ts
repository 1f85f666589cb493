import type { LayerConfig } from '../../core/topology';
import type { Syntax } from '../syntax';
import type { Graph } from './graph';
import { sumOf, type Tensor } from './tensor';
import { argument, type CallArguments } from './evaluation';
import * as ops from './ops';
import { readLengths, readNumber, readWidth, type Window } from './shapes';
import { applyAdaptivePool, applyTorchPool, readWindow } from './torchPooling';
import { stopAt, truthOf, type LayerValue, type Value } from './values';

type Apply = LayerValue['apply'];

/** How a class of `torch.nn` becomes a layer; one entry a class, ranks spelled out. */
type Maker = (
  graph: Graph,
  args: CallArguments,
  node: Syntax,
  type: string,
) => Apply | { apply: Apply; site: string };

/**
 * Makes a layer of `torch.nn`.
 *
 * @returns undefined if there is no counterpart
 */
export function makeTorchLayer(
  graph: Graph,
  type: string,
  args: CallArguments,
  node: Syntax,
): LayerValue | undefined {
  const maker = MAKERS[type];
  if (maker === undefined) return undefined;
  const made = maker(graph, args, node, type);
  const [apply, site] = typeof made === 'function' ? [made, undefined] : [made.apply, made.site];
  return {
    kind: 'layer',
    type,
    node,
    site: site ?? graph.site(node, type, undefined, false),
    name: undefined,
    apply,
  };
}

const MAKERS: Readonly<Record<string, Maker>> = {
  Linear: makeLinear,
  LazyLinear: makeLinear,
  Conv1d: makeConv,
  Conv2d: makeConv,
  LazyConv2d: makeConv,
  ConvTranspose2d: makeTransposedConv,
  BatchNorm1d: makeBatchNorm,
  BatchNorm2d: makeBatchNorm,
  LayerNorm: makeLayerNorm,
  MaxPool1d: makePool,
  MaxPool2d: makePool,
  AvgPool1d: makePool,
  AvgPool2d: makePool,
  AdaptiveAvgPool1d: makeAdaptivePool,
  AdaptiveAvgPool2d: makeAdaptivePool,
  AdaptiveMaxPool2d: makeAdaptivePool,
  Dropout: makeDropout,
  Dropout1d: makeDropout,
  Dropout2d: makeDropout,
  AlphaDropout: makeDropout,
  Flatten: (graph) => (inputs, name, node) => ops.flatten(graph, firstOf(inputs, node), name, node),
  Identity: () => (inputs, _name, node) => firstOf(inputs, node),
  Embedding: makeEmbedding,
  Upsample: makeUpsample,
  ZeroPad2d: makeZeroPad,
  ReLU: layerOf('ReLU', {}),
  ReLU6: layerOf('ReLU', { max_value: 6 }),
  Sigmoid: activationOf('sigmoid'),
  Tanh: activationOf('tanh'),
  Softmax: activationOf('softmax'),
  Softmax2d: activationOf('softmax'),
  // The negative log likelihood of log-probabilities is the cross-entropy of probabilities, which losses here take.
  LogSoftmax: activationOf('softmax'),
  GELU: activationOf('gelu'),
  SiLU: activationOf('swish'),
  Mish: activationOf('mish'),
  Softplus: activationOf('softplus'),
  Softsign: activationOf('softsign'),
  SELU: activationOf('selu'),
  ELU: (graph, args, node) => {
    const alpha = optionalNumber(argument(args, 0, 'alpha'), 1, node);
    return layerOf('ELU', { alpha })(graph, args, node, 'ELU');
  },
  LeakyReLU: (graph, args, node) => {
    const alpha = optionalNumber(argument(args, 0, 'negative_slope'), 0.01, node);
    return layerOf('LeakyReLU', { alpha })(graph, args, node, 'LeakyReLU');
  },
};

/** The activations of `torch`, `torch.nn.functional` and tensors, by name. */
export const TORCH_ACTIVATIONS: Readonly<Record<string, string>> = {
  relu: 'relu',
  relu_: 'relu',
  relu6: 'relu6',
  sigmoid: 'sigmoid',
  tanh: 'tanh',
  softmax: 'softmax',
  log_softmax: 'softmax',
  gelu: 'gelu',
  silu: 'swish',
  mish: 'mish',
  softplus: 'softplus',
  softsign: 'softsign',
  selu: 'selu',
  elu: 'elu',
};

/** Whether a class of `torch.nn` of this name is a layer, and one with a width. */
export function torchLayerWidth(type: string): 'width' | 'none' | undefined {
  if (MAKERS[type] === undefined) return undefined;
  return /^(?:Lazy)?(?:Linear|Conv)|^Embedding$/.test(type) ? 'width' : 'none';
}

function layerOf(className: string, config: LayerConfig): Maker {
  return (graph) => (inputs, name, node) =>
    ops.keepShape(graph, className, name, config, firstOf(inputs, node));
}

function activationOf(activation: string): Maker {
  return layerOf('Activation', { activation });
}

export function firstOf(inputs: readonly Tensor[], node: Syntax): Tensor {
  const first = inputs[0];
  if (first === undefined) throw stopAt(node, 'unknown-value', 'What goes into this layer is not known.');
  return first;
}

function makeLinear(
  graph: Graph,
  args: CallArguments,
  node: Syntax,
  type: string,
): { apply: Apply; site: string } {
  const isLazy = type.startsWith('Lazy');
  const inFeatures = isLazy ? undefined : argument(args, 0, 'in_features');
  const width = readWidth(argument(args, isLazy ? 0 : 1, 'out_features'), 'out_features', node);
  const useBias = truthOf(argument(args, isLazy ? 1 : 2, 'bias') ?? { kind: 'bool', value: true }) ?? true;
  const site = graph.site(node, type, width, true);
  const apply: Apply = (inputs, name, at) => {
    const input = readInput(graph, firstOf(inputs, at), inFeatures, (channels) => [channels], at);
    graph.expect(inFeatures, input, 'in_features', node);
    const config = { units: width.value, activation: 'linear', use_bias: useBias };
    return ops.project(graph, 'Dense', name, config, input, width.value, sumOf(site), at);
  };
  return { apply, site };
}

/** An input that nothing has read yet gets the shape that its first layer says. */
function readInput(
  graph: Graph,
  input: Tensor,
  channels: Value | undefined,
  shape: (channels: number) => readonly (number | null)[],
  node: Syntax,
): Tensor {
  const isUnread = input.shape === undefined && input.origin?.shape === undefined;
  if (!isUnread)
    return input.shape === undefined && input.origin !== undefined ? graph.bind(input, []) : input;
  if (channels?.kind !== 'number') {
    ops.featuresOf(input, node);
    return input;
  }
  return graph.bind(input, shape(channels.value));
}

function makeConv(
  graph: Graph,
  args: CallArguments,
  node: Syntax,
  type: string,
): { apply: Apply; site: string } {
  const rank = type.includes('1d') ? 1 : 2;
  const shift = type.startsWith('Lazy') ? -1 : 0;
  const inChannels = shift === 0 ? argument(args, 0, 'in_channels') : undefined;
  const width = readWidth(argument(args, 1 + shift, 'out_channels'), 'out_channels', node);
  const window = readWindow(args, 2 + shift, rank, node, 1);
  const dilation = readLengths(argument(args, 5 + shift, 'dilation'), rank, 1, 'dilation', node);
  const groupsValue = argument(args, 6 + shift, 'groups');
  const groups = optionalNumber(groupsValue, 1, node);
  const useBias = truthOf(argument(args, 7 + shift, 'bias') ?? { kind: 'bool', value: true }) ?? true;
  const isDepthwise =
    groups > 1 && inChannels?.kind === 'number' && groups === inChannels.value && rank === 2;
  if (groups > 1 && !isDepthwise)
    throw stopAt(
      node,
      'unsupported',
      `A convolution in ${groups} groups is not supported; only 1 or as many as channels.`,
    );
  const site = isDepthwise ? graph.site(node, type, undefined, false) : graph.site(node, type, width, true);
  const apply: Apply = (inputs, name, at) => {
    const free = Array.from({ length: rank }, () => graph.freeSize);
    const input = readInput(graph, firstOf(inputs, at), inChannels, (channels) => [...free, channels], at);
    graph.expect(inChannels, input, 'in_channels', node);
    const shared = { activation: 'linear', use_bias: useBias };
    const full = { ...window, dilation };
    if (!isDepthwise) {
      const config = { filters: width.value, ...shared };
      return ops.convolve(graph, `Conv${rank}D`, name, config, input, full, width.value, sumOf(site), at);
    }
    const multiplier = width.value / groups;
    graph.depend(width, input.channels, 'out_channels', node);
    if (groupsValue?.kind === 'number') graph.depend(groupsValue, input.channels, 'groups', node);
    const config = { depth_multiplier: multiplier, ...shared };
    return ops.convolve(graph, 'DepthwiseConv2D', name, config, input, full, width.value, input.channels, at);
  };
  return { apply, site };
}

function makeTransposedConv(
  graph: Graph,
  args: CallArguments,
  node: Syntax,
  type: string,
): { apply: Apply; site: string } {
  const inChannels = argument(args, 0, 'in_channels');
  const width = readWidth(argument(args, 1, 'out_channels'), 'out_channels', node);
  const window = readWindow(args, 2, 2, node, 1);
  const extra = optionalNumber(argument(args, 5, 'output_padding'), 0, node);
  const useBias = truthOf(argument(args, 7, 'bias') ?? { kind: 'bool', value: true }) ?? true;
  const zeros = typeof window.padding === 'string' ? [0, 0] : window.padding;
  const [kernel = 1, stride = 1, zero = 0] = [window.kernel[0], window.strides[0], zeros[0]];
  const isSame = kernel - 2 * zero + extra === stride;
  if (!isSame && (zero !== 0 || extra !== 0))
    throw stopAt(
      node,
      'unsupported',
      'This padding of a transposed convolution has no counterpart in TensorFlow.js.',
    );
  const site = graph.site(node, type, width, true);
  const apply: Apply = (inputs, name, at) => {
    const size = graph.freeSize;
    const given = readInput(graph, firstOf(inputs, at), inChannels, (channels) => [size, size, channels], at);
    const input = ops.restoreAxes(graph, given);
    graph.expect(inChannels, input, 'in_channels', node);
    const config = { filters: width.value, activation: 'linear', use_bias: useBias };
    const full: Window = { ...window, padding: isSame ? 'same' : 'valid' };
    return ops.convolve(graph, 'Conv2DTranspose', name, config, input, full, width.value, sumOf(site), at);
  };
  return { apply, site };
}

function makeBatchNorm(graph: Graph, args: CallArguments, node: Syntax): Apply {
  const features = argument(args, 0, 'num_features');
  const epsilon = optionalNumber(argument(args, 1, 'eps'), 1e-5, node);
  const momentum = 1 - optionalNumber(argument(args, 2, 'momentum'), 0.1, node);
  const affine = truthOf(argument(args, 3, 'affine') ?? { kind: 'bool', value: true }) ?? true;
  return (inputs, name, at) => {
    const input = firstOf(inputs, at);
    graph.expect(features, input, 'num_features', node);
    const config = { axis: -1, momentum, epsilon, center: affine, scale: affine };
    return ops.keepShape(graph, 'BatchNormalization', name, config, input);
  };
}

function makeLayerNorm(graph: Graph, args: CallArguments, node: Syntax): Apply {
  const shape = argument(args, 0, 'normalized_shape');
  const features = shape?.kind === 'list' && shape.items.length === 1 ? shape.items[0] : shape;
  if (features?.kind === 'list')
    throw stopAt(node, 'unsupported', 'LayerNorm over several axes is not supported yet.');
  const epsilon = optionalNumber(argument(args, 1, 'eps'), 1e-5, node);
  return (inputs, name, at) => {
    const input = firstOf(inputs, at);
    graph.expect(features, input, 'normalized_shape', node);
    return ops.keepShape(graph, 'LayerNormalization', name, { axis: -1, epsilon }, input);
  };
}

function makePool(graph: Graph, args: CallArguments, node: Syntax, type: string): Apply {
  return (inputs, name, at) => applyTorchPool(graph, type, args, 0, firstOf(inputs, at), name, node);
}

function makeAdaptivePool(graph: Graph, args: CallArguments, node: Syntax, type: string): Apply {
  return (inputs, name, at) =>
    applyAdaptivePool(graph, type, argument(args, 0, 'output_size'), firstOf(inputs, at), name, node);
}

function makeDropout(graph: Graph, args: CallArguments, node: Syntax): Apply {
  const rate = optionalNumber(argument(args, 0, 'p'), 0.5, node);
  return (inputs, name, at) => ops.keepShape(graph, 'Dropout', name, { rate }, firstOf(inputs, at));
}

function makeEmbedding(graph: Graph, args: CallArguments, node: Syntax): { apply: Apply; site: string } {
  const count = readNumber(argument(args, 0, 'num_embeddings'), 'num_embeddings', node);
  const width = readWidth(argument(args, 1, 'embedding_dim'), 'embedding_dim', node);
  const site = graph.site(node, 'Embedding', width, true);
  const apply: Apply = (inputs, name, at) => {
    const input = firstOf(inputs, at);
    const features = ops.featuresOf(input, at);
    const config = { input_dim: count, output_dim: width.value };
    return graph.add('Embedding', name, config, [input], {
      shape: [...features, width.value],
      channels: sumOf(site),
    });
  };
  return { apply, site };
}

/** Zeros around pictures: one number, or left, right, top, bottom. */
function makeZeroPad(graph: Graph, args: CallArguments, node: Syntax): Apply {
  const value = argument(args, 0, 'padding');
  const [left = 0, right = 0, top = 0, bottom = 0] = readLengths(value, 4, 0, 'padding', node);
  return (inputs, name, at) => {
    const input = firstOf(inputs, at);
    const [height = null, width = null, channels = null] = ops.featuresOf(input, at);
    const shape = [
      height === null ? null : height + top + bottom,
      width === null ? null : width + left + right,
      channels,
    ];
    const padding = [
      [top, bottom],
      [left, right],
    ];
    const config = { padding, data_format: 'channels_last' };
    return graph.add('ZeroPadding2D', name, config, [input], { shape, channels: input.channels });
  };
}

function makeUpsample(graph: Graph, args: CallArguments, node: Syntax): Apply {
  const size = readLengths(argument(args, 1, 'scale_factor'), 2, 1, 'scale_factor', node);
  return (inputs, name, at) => upsample(graph, firstOf(inputs, at), size, name, at);
}

export function upsample(
  graph: Graph,
  input: Tensor,
  size: readonly number[],
  name: string,
  node: Syntax,
): Tensor {
  const features = ops.featuresOf(input, node);
  const shape = features.map((length, axis) => (length === null ? null : length * (size[axis] ?? 1)));
  const config = { size, data_format: 'channels_last' };
  return graph.add('UpSampling2D', name, config, [input], { shape, channels: input.channels });
}

function optionalNumber(value: Value | undefined, fallback: number, node: Syntax): number {
  return value === undefined || value.kind === 'none' ? fallback : readNumber(value, 'this argument', node);
}
