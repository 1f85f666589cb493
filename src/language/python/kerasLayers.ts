import type { LayerConfig } from '../../core/topology';
import type { Syntax } from '../syntax';
import type { Graph } from './graph';
import { sumOf, type Tensor } from './tensor';
import type { CallArguments } from './evaluation';
import * as ops from './ops';
import { notKnown, readLengths, readNumber, readWidth, type Window } from './shapes';
import { firstOf } from './torchLayers';
import { refuseUnsupported } from './kerasRefusals';
import { NONE, Stop, stopAt, type LayerValue, type Value } from './values';

interface KerasLayer {
  /** Configuration keys of the arguments by position. */
  readonly keys: readonly string[];
  /** Key of the width. */
  readonly width?: string;
  readonly apply: Apply;
}

interface Request {
  readonly graph: Graph;
  readonly type: string;
  readonly config: LayerConfig;
  readonly values: ReadonlyMap<string, Value>;
  readonly node: Syntax;
  readonly site: string;
  readonly width: number;
}

type Apply = (request: Request, inputs: readonly Tensor[], name: string, node: Syntax) => Tensor;

const CONV = ['filters', 'kernel_size', 'strides', 'padding', 'data_format', 'dilation_rate'];
const POOL = ['pool_size', 'strides', 'padding'];

const LAYERS: Readonly<Record<string, KerasLayer>> = {
  Dense: { keys: ['units', 'activation', 'use_bias'], width: 'units', apply: applyDense },
  Conv1D: { keys: CONV, width: 'filters', apply: applyConv },
  Conv2D: { keys: CONV, width: 'filters', apply: applyConv },
  Conv2DTranspose: { keys: CONV.slice(0, 4), width: 'filters', apply: applyConv },
  SeparableConv2D: { keys: CONV, width: 'filters', apply: applyConv },
  DepthwiseConv2D: { keys: ['kernel_size', 'strides', 'padding', 'depth_multiplier'], apply: applyDepthwise },
  MaxPooling1D: { keys: POOL, apply: applyPool },
  MaxPooling2D: { keys: POOL, apply: applyPool },
  AveragePooling1D: { keys: POOL, apply: applyPool },
  AveragePooling2D: { keys: POOL, apply: applyPool },
  GlobalAveragePooling1D: { keys: [], apply: poolAll('Average') },
  GlobalAveragePooling2D: { keys: [], apply: poolAll('Average') },
  GlobalMaxPooling1D: { keys: [], apply: poolAll('Max') },
  GlobalMaxPooling2D: { keys: [], apply: poolAll('Max') },
  Flatten: {
    keys: [],
    apply: ({ graph }, inputs, name, node) => ops.flatten(graph, firstOf(inputs, node), name, node),
  },
  Dropout: { keys: ['rate'], apply: keep },
  SpatialDropout1D: { keys: ['rate'], apply: keepAs('Dropout') },
  SpatialDropout2D: { keys: ['rate'], apply: keepAs('Dropout') },
  GaussianNoise: { keys: ['stddev'], apply: keep },
  GaussianDropout: { keys: ['rate'], apply: keep },
  BatchNormalization: { keys: ['axis', 'momentum', 'epsilon', 'center', 'scale'], apply: keep },
  LayerNormalization: { keys: ['axis', 'epsilon'], apply: keep },
  Activation: { keys: ['activation'], apply: keep },
  ReLU: { keys: ['max_value'], apply: keep },
  LeakyReLU: { keys: ['alpha'], apply: keep },
  ELU: { keys: ['alpha'], apply: keep },
  PReLU: { keys: [], apply: keep },
  Softmax: { keys: ['axis'], apply: keep },
  Rescaling: { keys: ['scale', 'offset'], apply: keep },
  Add: { keys: [], apply: mergeAs },
  Multiply: { keys: [], apply: mergeAs },
  Average: { keys: [], apply: mergeAs },
  Maximum: { keys: [], apply: mergeAs },
  Minimum: { keys: [], apply: mergeAs },
  Concatenate: {
    keys: ['axis'],
    apply: ({ graph }, inputs, name, node) => ops.concatenate(graph, inputs, name, node),
  },
  Reshape: { keys: ['target_shape'], apply: applyReshape },
  ZeroPadding2D: { keys: ['padding'], apply: applyZeroPadding },
  UpSampling2D: { keys: ['size'], apply: applyUpSampling },
  Embedding: { keys: ['input_dim', 'output_dim'], width: 'output_dim', apply: applyEmbedding },
  LSTM: { keys: ['units', 'activation'], width: 'units', apply: applyRecurrent },
  GRU: { keys: ['units', 'activation'], width: 'units', apply: applyRecurrent },
  SimpleRNN: { keys: ['units', 'activation'], width: 'units', apply: applyRecurrent },
};

const ALIASES: Readonly<Record<string, string>> = {
  MaxPool1D: 'MaxPooling1D',
  MaxPool2D: 'MaxPooling2D',
  AvgPool2D: 'AveragePooling2D',
  GlobalAvgPool2D: 'GlobalAveragePooling2D',
  GlobalMaxPool2D: 'GlobalMaxPooling2D',
  Convolution2D: 'Conv2D',
};

/** Layers that only change the data in training, and have no weights. */
const AUGMENTATION = /^Random[A-Z]/;

/** Keys of the source that the topology does without. */
const LEFT_OUT =
  /(?:_regularizer|_constraint|_initializer)$|^(?:name|input_shape|input_dim|batch_input_shape|dtype|trainable|seed|data_format|negative_slope|weights)$/;

/** Whether a constructor of this name makes a layer, and one with a width. */
export function kerasLayerWidth(given: string): 'width' | 'none' | undefined {
  const layer = LAYERS[ALIASES[given] ?? given];
  if (layer === undefined) return undefined;
  return layer.width === undefined ? 'none' : 'width';
}

/** Makes a layer of `keras.layers`. @returns undefined if there is no counterpart */
export function makeKerasLayer(
  graph: Graph,
  given: string,
  args: CallArguments,
  node: Syntax,
): LayerValue | undefined {
  const type = ALIASES[given] ?? given;
  const name = args.named.get('name');
  const base = {
    kind: 'layer' as const,
    type: given,
    node,
    name: name?.kind === 'string' ? name.value : undefined,
  };
  if (AUGMENTATION.test(type))
    return {
      ...base,
      site: graph.site(node, given, undefined, false),
      apply: (inputs, _name, at) => {
        graph.augmentation.set(node, given);
        return firstOf(inputs, at);
      },
      config: inputConfig(args.named, node),
    };
  const layer = LAYERS[type];
  if (layer === undefined) return undefined;
  const values = new Map(args.named);
  layer.keys.forEach((key, index) => {
    const value = args.positional[index];
    if (value !== undefined) values.set(key, value);
  });
  const slope = values.get('negative_slope');
  if (slope !== undefined) values.set('alpha', slope);
  // Arguments that TensorFlow.js has no counterpart of: said once the model calls the layer.
  const problem = refusalOf(type, values, node);
  const width = layer.width === undefined ? undefined : readWidth(values.get(layer.width), layer.width, node);
  const site = graph.site(node, given, width, layer.width !== undefined);
  const config = readConfig(graph, values, layer.width, node);
  const request: Request = { graph, type, config, values, node, site, width: width?.value ?? 0 };
  return {
    ...base,
    site,
    apply: (inputs, at, call) => {
      if (problem !== undefined) throw problem;
      return layer.apply(request, inputs, at, call);
    },
    config: inputConfig(values, node),
    ...(layer.width === undefined
      ? {}
      : {
          plain: {
            className: type,
            config: recurrentConfig({ type, config: { ...config, [layer.width]: request.width } }),
          },
        }),
  };
}

function refusalOf(type: string, values: ReadonlyMap<string, Value>, node: Syntax): Stop | undefined {
  try {
    refuseUnsupported(type, values, node);
    return undefined;
  } catch (thrown) {
    if (thrown instanceof Stop) return thrown;
    throw thrown;
  }
}

/** What a layer says of its input, for a model that begins with it. */
export function inputConfig(values: ReadonlyMap<string, Value>, node: Syntax): Record<string, unknown> {
  const shape = values.get('input_shape') ?? values.get('shape');
  if (shape !== undefined) return { input_shape: knownShape(shape, node) };
  // Of an embedding `input_dim` is the number of words.
  const steps = values.get('input_length');
  if (steps?.kind === 'number' && values.has('output_dim')) return { input_shape: [steps.value] };
  const length = values.get('input_dim');
  return length?.kind === 'number' && !values.has('output_dim') ? { input_shape: [length.value] } : {};
}

/** A shape as {@link readShape} reads it; undefined where the source does not tell all of it. */
export function knownShape(value: Value, node: Syntax): (number | null)[] | undefined {
  const items = value.kind === 'list' ? value.items : [value];
  return items.some((item) => item.kind === 'unknown') ? undefined : readShape(value, node);
}

/** A shape without the batch axis; `None` is a length that is not known. */
export function readShape(value: Value, node: Syntax): (number | null)[] {
  const items = value.kind === 'list' ? value.items : [value];
  return items.map((item) =>
    item.kind === 'none' ? null : readNumber(item, 'a length of the input shape', node),
  );
}

function readConfig(
  graph: Graph,
  values: ReadonlyMap<string, Value>,
  width: string | undefined,
  node: Syntax,
): LayerConfig {
  const config: LayerConfig = {};
  for (const [key, value] of values) {
    if (LEFT_OUT.test(key)) continue;
    if (key !== width) graph.pin(value, node.range);
    if (value.kind === 'unknown') throw notKnown(value, key, node);
    const json = toJson(value);
    if (json !== undefined) config[key] = json;
  }
  return config;
}

function toJson(value: Value): unknown {
  switch (value.kind) {
    case 'number':
    case 'string':
    case 'bool':
      return value.value;
    case 'none':
      return null;
    case 'list':
      return value.items.map(toJson);
    case 'path':
      // An activation function by reference: tf.nn.relu.
      return value.path.split('.').at(-1);
    default:
      return undefined;
  }
}

function keep(request: Request, inputs: readonly Tensor[], name: string, node: Syntax): Tensor {
  return ops.keepShape(request.graph, request.type, name, request.config, firstOf(inputs, node));
}

function keepAs(className: string): Apply {
  return (request, inputs, name, node) =>
    ops.keepShape(request.graph, className, name, request.config, firstOf(inputs, node));
}

function applyDense(request: Request, inputs: readonly Tensor[], name: string, node: Syntax): Tensor {
  const { graph, config, width, site } = request;
  return ops.project(graph, 'Dense', name, config, firstOf(inputs, node), width, sumOf(site), node);
}

function readKerasWindow(
  request: Request,
  kernelKey: string,
  rank: number,
  strideFallback: 'kernel' | 1,
): Window {
  const { values, node } = request;
  const kernel = readLengths(values.get(kernelKey), rank, 2, kernelKey, node);
  const strideValue = values.get('strides');
  const hasStrides = strideValue !== undefined && strideValue.kind !== 'none';
  const strides =
    !hasStrides && strideFallback === 'kernel' ? kernel : readLengths(strideValue, rank, 1, 'strides', node);
  const padding = values.get('padding');
  const isSame = padding?.kind === 'string' && padding.value.toLowerCase() === 'same';
  const dilation = readLengths(values.get('dilation_rate'), rank, 1, 'dilation_rate', node);
  return { kernel, strides, padding: isSame ? 'same' : 'valid', dilation };
}

function applyConv(request: Request, inputs: readonly Tensor[], name: string, node: Syntax): Tensor {
  const { graph, type, config, width, site } = request;
  const window = readKerasWindow(request, 'kernel_size', type === 'Conv1D' ? 1 : 2, 1);
  return ops.convolve(graph, type, name, config, firstOf(inputs, node), window, width, sumOf(site), node);
}

function applyDepthwise(request: Request, inputs: readonly Tensor[], name: string, node: Syntax): Tensor {
  const input = firstOf(inputs, node);
  const multiplier = request.values.get('depth_multiplier');
  if (multiplier?.kind === 'number' && multiplier.value !== 1)
    throw stopAt(node, 'unsupported', 'A depth multiplier other than 1 is not supported yet.');
  const window = readKerasWindow(request, 'kernel_size', 2, 1);
  const channels = ops.featuresOf(input, node).at(-1) ?? 0;
  return ops.convolve(
    request.graph,
    request.type,
    name,
    request.config,
    input,
    window,
    channels,
    input.channels,
    node,
  );
}

function applyPool(request: Request, inputs: readonly Tensor[], name: string, node: Syntax): Tensor {
  const window = readKerasWindow(request, 'pool_size', request.type.endsWith('1D') ? 1 : 2, 'kernel');
  return ops.pool(request.graph, request.type, name, firstOf(inputs, node), window, node);
}

function poolAll(kind: 'Average' | 'Max'): Apply {
  return ({ graph }, inputs, name, node) =>
    ops.poolAll(graph, kind, name, firstOf(inputs, node), false, node);
}

function mergeAs({ graph, type }: Request, inputs: readonly Tensor[], name: string, node: Syntax): Tensor {
  return ops.merge(graph, type, inputs, name, node);
}

function applyReshape(request: Request, inputs: readonly Tensor[], name: string, node: Syntax): Tensor {
  const shape = request.values.get('target_shape');
  const lengths = (shape === undefined ? [] : readShape(shape, node)).map((length) => length ?? -1);
  return ops.reshape(request.graph, firstOf(inputs, node), lengths, name, node);
}

function applyZeroPadding(request: Request, inputs: readonly Tensor[], name: string, node: Syntax): Tensor {
  const input = firstOf(inputs, node);
  const value = request.values.get('padding');
  const sides = [0, 1].map((axis) => {
    const item = value?.kind === 'list' ? value.items[axis] : value;
    return readLengths(item, 2, 1, 'padding', node);
  });
  const features = ops.featuresOf(input, node);
  const shape = features.map((length, axis) => {
    const [before = 0, after = 0] = sides[axis] ?? [0, 0];
    return length === null ? null : length + before + after;
  });
  const config = { padding: sides, data_format: 'channels_last' };
  return request.graph.add('ZeroPadding2D', name, config, [input], { shape, channels: input.channels });
}

function applyUpSampling(request: Request, inputs: readonly Tensor[], name: string, node: Syntax): Tensor {
  const input = firstOf(inputs, node);
  const size = readLengths(request.values.get('size'), 2, 2, 'size', node);
  const shape = ops
    .featuresOf(input, node)
    .map((length, axis) => (length === null ? null : length * (size[axis] ?? 1)));
  const config = { size, data_format: 'channels_last' };
  return request.graph.add('UpSampling2D', name, config, [input], { shape, channels: input.channels });
}

function applyEmbedding(request: Request, inputs: readonly Tensor[], name: string, node: Syntax): Tensor {
  const input = firstOf(inputs, node);
  const shape = [...ops.featuresOf(input, node), request.width];
  const words = request.values.get('input_dim');
  request.graph.pin(words ?? NONE, node.range);
  const config = { ...request.config, input_dim: readNumber(words, 'input_dim', node) };
  return request.graph.add('Embedding', name, config, [input], {
    shape,
    channels: sumOf(request.site),
  });
}

function applyRecurrent(request: Request, inputs: readonly Tensor[], name: string, node: Syntax): Tensor {
  const input = firstOf(inputs, node);
  const features = ops.featuresOf(input, node);
  const shape =
    request.config['return_sequences'] === true ? [...features.slice(0, -1), request.width] : [request.width];
  return request.graph.add(request.type, name, recurrentConfig(request), [input], {
    shape,
    channels: sumOf(request.site),
  });
}

/** Gates are sigmoids in Keras and piecewise linear in TensorFlow.js, where nobody says. */
function recurrentConfig({ type, config }: Pick<Request, 'type' | 'config'>): LayerConfig {
  return type === 'SimpleRNN' ? config : { recurrent_activation: 'sigmoid', ...config };
}
