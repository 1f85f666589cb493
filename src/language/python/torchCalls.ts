import type { Syntax } from '../syntax';
import type { Graph } from './graph';
import type { Tensor } from './tensor';
import { argument, type CallArguments } from './evaluation';
import * as ops from './ops';
import { DEPENDS_ON_INPUT, readNumber } from './shapes';
import { TORCH_ACTIVATIONS, upsample } from './torchLayers';
import { applyAdaptivePool, applyTorchPool } from './torchPooling';
import { stopAt, stopAtUnknown, truthOf, unknownAt, type Value } from './values';

/**
 * Calls a function of `torch` or `torch.nn.functional`, or the method of the same name, on a tensor.
 *
 * @param name without its module
 * @param args with the tensor first
 * @returns undefined if there is no such function here
 */
export function callTorchFunction(
  graph: Graph,
  name: string,
  args: CallArguments,
  node: Syntax,
): Value | undefined {
  const activation = TORCH_ACTIVATIONS[name];
  const first = args.positional[0] ?? args.named.get('input');
  if (name === 'cat' || name === 'concat') return asValue(concatenate(graph, args, node));
  if (first?.kind === 'unknown') return first;
  if (first?.kind !== 'tensor') return undefined;
  const input = first.tensor;
  if (activation !== undefined) return asValue(ops.activate(graph, activation, input));
  switch (name) {
    case 'max_pool1d':
    case 'max_pool2d':
    case 'avg_pool1d':
    case 'avg_pool2d':
      return asValue(applyTorchPool(graph, name, args, 1, input, graph.freeName(name), node));
    case 'adaptive_avg_pool1d':
    case 'adaptive_avg_pool2d':
    case 'adaptive_max_pool2d':
      return asValue(
        applyAdaptivePool(graph, name, argument(args, 1, 'output_size'), input, graph.freeName(name), node),
      );
    case 'dropout':
    case 'dropout2d': {
      const rate = argument(args, 1, 'p');
      const config = { rate: rate?.kind === 'number' ? rate.value : 0.5 };
      return asValue(ops.keepShape(graph, 'Dropout', graph.freeName(name), config, input));
    }
    case 'leaky_relu': {
      const slope = argument(args, 1, 'negative_slope');
      const config = { alpha: slope?.kind === 'number' ? slope.value : 0.01 };
      return asValue(ops.keepShape(graph, 'LeakyReLU', graph.freeName(name), config, input));
    }
    case 'interpolate': {
      const scale = argument(args, 2, 'scale_factor');
      const size = readNumber(scale, 'scale_factor', node);
      return asValue(upsample(graph, input, [size, size], graph.freeName('upsample'), node));
    }
    case 'flatten': {
      const start = argument(args, 1, 'start_dim');
      if (start?.kind !== 'number' || start.value !== 1)
        throw stopAt(node, 'unsupported', 'Flatten from axis 1 on, so that the batch stays: flatten(x, 1).');
      return asValue(ops.flatten(graph, input, undefined, node));
    }
    case 'view':
    case 'reshape':
      return asValue(view(graph, input, args, node));
    case 'clamp':
    case 'clamp_':
    case 'clip':
      return asValue(clamp(graph, input, args, node));
    case 'mean':
      return asValue(mean(graph, input, args, node));
    case 'add':
    case 'mul':
    case 'add_':
    case 'mul_': {
      const other = args.positional[1];
      if (other?.kind !== 'tensor') return undefined;
      return asValue(
        ops.merge(graph, name.startsWith('add') ? 'Add' : 'Multiply', [input, other.tensor], undefined, node),
      );
    }
    case 'squeeze': {
      const left = args.positional.length > 1 ? Math.max(0, input.extraAxes - 1) : 0;
      return asValue({ ...input, extraAxes: left });
    }
    case 'size': {
      const shape = shapeSeen(graph, input, node);
      const axis = argument(args, 1, 'dim');
      if (axis === undefined) return { kind: 'list', items: shape, tuple: true };
      return axis.kind === 'number'
        ? (shape.at(axis.value) ?? unknownAt(node, 'there is no such axis'))
        : axis;
    }
    case 'contiguous':
    case 'to':
    case 'cuda':
    case 'cpu':
    case 'float':
    case 'clone':
    case 'detach':
    case 'type':
      return first;
    default:
      return undefined;
  }
}

/** The sizes that the source sees: batch, then channels and space in its library's order. */
export function shapeSeen({ order }: Graph, tensor: Tensor, node: Syntax): Value[] {
  const shape = tensor.shape ?? tensor.origin?.shape;
  const batch: Value = { kind: 'batch' };
  if (shape === undefined) return [batch];
  const ones = Array.from({ length: tensor.extraAxes }, () => 1);
  const sizes = order === 'channels-last' ? shape : [shape.at(-1) ?? null, ...shape.slice(0, -1), ...ones];
  return [
    batch,
    ...sizes.map((size): Value =>
      size === null
        ? unknownAt(node, DEPENDS_ON_INPUT)
        : { kind: 'number', value: size, followsTensor: true },
    ),
  ];
}

function asValue(tensor: Tensor): Value {
  return { kind: 'tensor', tensor };
}

/** `x.view(-1, 3136)`, `x.view(x.size(0), -1)`, `x.view(-1, 64, 7, 7)`. */
function view(graph: Graph, input: Tensor, args: CallArguments, node: Syntax): Tensor {
  const [, ...given] = args.positional;
  const only = given[0];
  const sizes = given.length === 1 && only?.kind === 'list' ? only.items : given;
  const [batch, ...rest] = sizes;
  if (batch === undefined || (batch.kind !== 'batch' && (batch.kind !== 'number' || batch.value !== -1)))
    throw stopAt(
      node,
      'unsupported',
      'The first size must be the batch: write x.view(x.size(0), …) or x.view(-1, …).',
    );
  const features = rest.filter((size) => !(size.kind === 'number' && size.value === 1 && rest.length > 1));
  const size = features[0];
  if (features.length === 1 && size?.kind === 'number') {
    const isUnread = input.shape === undefined && input.origin?.shape === undefined;
    if (isUnread && size.value > 0) {
      graph.pin(size, node.range);
      return graph.bind(input, [size.value]);
    }
    const flat = ops.flatten(graph, input, undefined, node);
    if (size.value > 0) graph.expect(size, flat, 'the size of the view', node);
    return flat;
  }
  const lengths = rest.map((value) => readNumber(value, 'a size of the view', node));
  for (const value of rest) graph.pin(value, node.range);
  // Channels come first in PyTorch and last in the topology.
  return ops.reshape(graph, input, [...lengths.slice(1), lengths[0] ?? -1], undefined, node);
}

/** Between 0 and a number it is a ReLU. */
function clamp(graph: Graph, input: Tensor, args: CallArguments, node: Syntax): Tensor {
  const [min, max] = [argument(args, 1, 'min'), argument(args, 2, 'max')];
  const isOpen = max === undefined || max.kind === 'none';
  if (min?.kind !== 'number' || min.value !== 0 || !(isOpen || (max.kind === 'number' && max.value > 0)))
    throw stopAt(
      node,
      'unsupported',
      'clamp is supported from 0 on: x.clamp(min=0) or x.clamp(0, 6); at the end of a model, leave it to the caller.',
    );
  const config = max?.kind === 'number' ? { max_value: max.value } : {};
  return ops.keepShape(graph, 'ReLU', graph.freeName('clamp'), config, input);
}

function mean(graph: Graph, input: Tensor, args: CallArguments, node: Syntax): Tensor {
  const axes = argument(args, 1, 'dim');
  const rank = ops.featuresOf(input, node).length - 1;
  const keep = truthOf(argument(args, 2, 'keepdim') ?? { kind: 'bool', value: false }) === true;
  const count = axes?.kind === 'list' ? axes.items.length : 1;
  const isFirst = axes?.kind === 'number' && (axes.value === 1 || axes.value === -1);
  if (rank === 0 && isFirst && keep) return meanOfChannels(graph, input, node);
  if (axes === undefined || count !== rank)
    throw stopAt(node, 'unsupported', 'Only a mean over all of space is supported, e.g. x.mean([2, 3]).');
  return ops.poolAll(graph, 'Average', graph.freeName('mean'), input, keep, node);
}

/** The mean of `[batch, channels]` over its channels, one channel wide. */
function meanOfChannels(graph: Graph, input: Tensor, node: Syntax): Tensor {
  const width = ops.featuresOf(input, node)[0] ?? 1;
  const spread = ops.reshape(graph, input, [width, 1], undefined, node);
  return ops.poolAll(graph, 'Average', graph.freeName('mean'), spread, false, node);
}

function concatenate(graph: Graph, args: CallArguments, node: Syntax): Tensor {
  const list = argument(args, 0, 'tensors');
  const axis = argument(args, 1, 'dim') ?? args.named.get('axis');
  const tensors = tensorsOf(list, node);
  const rank = ops.featuresOf(tensors[0] ?? stopNoTensor(node), node).length;
  const value = axis === undefined ? 0 : readNumber(axis, 'the axis', node);
  if (value !== 1 && !(value === -1 && rank === 1) && value !== -rank)
    throw stopAt(node, 'unsupported', 'Only channels can be concatenated: write torch.cat([…], 1).');
  return ops.concatenate(graph, tensors, undefined, node);
}

function stopNoTensor(node: Syntax): never {
  throw stopAt(node, 'unknown-value', 'What is joined here is not known.');
}

/** The tensors of a list. @throws Stop `unknown-value` */
export function tensorsOf(value: Value | undefined, node: Syntax): Tensor[] {
  const items = value?.kind === 'list' ? value.items : value === undefined ? [] : [value];
  return items.map((item) => {
    if (item.kind === 'tensor') return item.tensor;
    if (item.kind === 'unknown')
      throw stopAtUnknown(item, 'unknown-value', `What comes in is not known: ${item.reason}.`);
    throw stopAt(node, 'unknown-value', 'What comes in here is no tensor that is known.');
  });
}
