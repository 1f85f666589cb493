import type { Syntax } from '../syntax';
import type { CallArguments } from './evaluation';
import { argument } from './evaluation';
import type { Graph } from './graph';
import * as ops from './ops';
import { readLengths, type Window } from './shapes';
import type { Tensor } from './tensor';
import { stopAt, truthOf, type Value } from './values';

/** Windows that slide over data in PyTorch, and pooling by them. */

/** Kernel, stride and padding from position `at` on. */
export function readWindow(
  args: CallArguments,
  at: number,
  rank: number,
  node: Syntax,
  strideFallback: number | 'kernel',
): Window {
  const kernel = readLengths(argument(args, at, 'kernel_size'), rank, 1, 'kernel_size', node);
  const strideValue = argument(args, at + 1, 'stride');
  const hasStride = strideValue !== undefined && strideValue.kind !== 'none';
  const strides =
    !hasStride && strideFallback === 'kernel' ? kernel : readLengths(strideValue, rank, 1, 'stride', node);
  const padding = argument(args, at + 2, 'padding');
  const ones = kernel.map(() => 1);
  if (padding?.kind === 'string')
    return { kernel, strides, padding: padding.value === 'same' ? 'same' : 'valid', dilation: ones };
  return { kernel, strides, padding: readLengths(padding, rank, 0, 'padding', node), dilation: ones };
}

/** Pooling by window, for layers and for `F.max_pool2d`. @param from position of the kernel size */
export function applyTorchPool(
  graph: Graph,
  type: string,
  args: CallArguments,
  from: number,
  input: Tensor,
  name: string,
  node: Syntax,
): Tensor {
  const rank = /1d$/i.test(type) ? 1 : 2;
  const kind = /^max/i.test(type) ? 'Max' : 'Average';
  if (truthOf(args.named.get('ceil_mode') ?? { kind: 'bool', value: false }) !== false)
    throw stopAt(node, 'unsupported', 'Pooling with ceil_mode=True has no counterpart in TensorFlow.js.');
  return ops.pool(
    graph,
    `${kind}Pooling${rank}D`,
    name,
    input,
    readWindow(args, from, rank, node, 'kernel'),
    node,
  );
}

export function applyAdaptivePool(
  graph: Graph,
  type: string,
  size: Value | undefined,
  input: Tensor,
  name: string,
  node: Syntax,
): Tensor {
  const rank = /1d$/i.test(type) ? 1 : 2;
  const kind = /max/i.test(type) ? 'Max' : 'Average';
  const wanted = readLengths(size, rank, 1, 'output_size', node);
  if (wanted.every((length) => length === 1)) return ops.poolAll(graph, kind, name, input, true, node);
  const spatial = ops.featuresOf(input, node).slice(0, -1);
  const kernel = spatial.map((length, axis) => (length ?? Number.NaN) / (wanted[axis] ?? 1));
  if (kernel.some((length) => Number.isNaN(length)))
    throw stopAt(
      node,
      'unknown-size',
      'How large the data is here depends on the input, whose size is not known.',
    );
  if (kernel.every((length) => length === 1)) return input;
  if (kernel.some((length) => !Number.isInteger(length)))
    throw stopAt(
      node,
      'unsupported',
      `Data of ${spatial.join(' × ')} cannot be pooled evenly to ${wanted.join(' × ')}.`,
    );
  const window: Window = { kernel, strides: kernel, padding: 'valid', dilation: kernel.map(() => 1) };
  return ops.pool(graph, `${kind}Pooling${rank}D`, name, input, window, node);
}
