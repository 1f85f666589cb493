import { analyse, type Analysis, type AnalysedCall } from '../core/analysis';
import { badInput } from '../core/errors';
import { readGraph, type GraphLayer, type TensorRef } from '../core/graph';
import { numbersIn } from '../core/rules/rule';
import { gatherAxis, sizeOf, type HostTensor, type LayerWeights } from '../core/tensor';
import type { LayerConfig, Topology } from '../core/topology';

/**
 * Weights as PyTorch's `state_dict` has them: its parameter names, and its axes with channels first. Where the topology
 * flattens `[height, width, channels]`, PyTorch flattens `[channels, height, width]`, so that whatever reads or makes
 * flat values has its channels in another order there.
 */

export interface StateTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly data: Float32Array | BigInt64Array;
}

/** Position in the topology's order of each value in PyTorch's order; undefined where both are the same. */
type Order = readonly number[] | undefined;

/**
 * @param weights of the topology's layers
 * @param pathOf attribute paths by layer name
 * @throws ShrinkError `torch-weights` for what PyTorch has no counterpart of
 */
export function torchState(
  topology: Topology,
  weights: LayerWeights,
  pathOf: Readonly<Record<string, readonly string[]>>,
): StateTensor[] {
  const analysis = analyse(readGraph(topology));
  const orders = new FlatOrders(analysis);
  const written = new Set<string>();
  return analysis.calls.flatMap((call) => {
    const { layer } = call;
    const tensors = weights[layer.name] ?? [];
    if (tensors.length === 0 || written.has(layer.name)) return [];
    written.add(layer.name);
    const parts = partsOf(layer, tensors, orders.of(call.inputs[0]), orders.of(outputOf(call)));
    return pathsOf(layer, pathOf).flatMap((path) =>
      parts.map((part) => ({ ...part, name: path === '' ? part.name : `${path}.${part.name}` })),
    );
  });
}

function pathsOf(layer: GraphLayer, pathOf: Readonly<Record<string, readonly string[]>>): readonly string[] {
  const paths = pathOf[layer.name];
  if (paths !== undefined) return paths;
  if (Object.keys(pathOf).length === 0) return [''];
  throw cannot(layer, 'it is made in forward and has no name of its own');
}

function cannot(layer: GraphLayer, why: string): Error {
  return badInput(
    'torch-weights',
    `The weights of ${layer.name} (${layer.className}) cannot be written for PyTorch: ${why}.`,
  );
}

function outputOf(call: AnalysedCall): TensorRef {
  return { layer: call.layer.name, call: call.call, tensor: 0 };
}

/** The parameters and buffers of one layer, by their names within it. */
function partsOf(
  layer: GraphLayer,
  tensors: readonly HostTensor[],
  input: Order,
  output: Order,
): StateTensor[] {
  const [first, second, ...rest] = tensors;
  if (first === undefined) return [];
  const bias = second === undefined ? [] : [named('bias', inOrder(second, 0, output))];
  switch (layer.className) {
    case 'Dense':
      return [named('weight', permute(inOrder(inOrder(first, 0, input), 1, output), [1, 0])), ...bias];
    case 'Conv1D':
      return [named('weight', permute(first, [2, 1, 0])), ...bias];
    // A transposed kernel is [height, width, out, in] here and [in, out, height, width] there.
    case 'Conv2DTranspose':
      if (isShifted(layer.config))
        throw cannot(layer, 'with output_padding, PyTorch cuts its output off at the other side');
      return [named('weight', permute(first, [3, 2, 0, 1])), ...bias];
    case 'Conv2D':
      return [named('weight', permute(first, [3, 2, 0, 1])), ...bias];
    case 'DepthwiseConv2D': {
      const kernel = permute(first, [2, 3, 0, 1]);
      const [channels = 1, multiplier = 1, ...window] = kernel.shape;
      return [named('weight', { ...kernel, shape: [channels * multiplier, 1, ...window] }), ...bias];
    }
    case 'BatchNormalization': {
      const isAffine = layer.config['scale'] !== false && layer.config['center'] !== false;
      const names = isAffine
        ? ['weight', 'bias', 'running_mean', 'running_var']
        : ['running_mean', 'running_var'];
      if (names.length !== tensors.length) throw cannot(layer, 'PyTorch has gamma and beta or neither');
      const all = tensors.map((tensor, i) => named(names[i] ?? '', inOrder(tensor, 0, input)));
      return [...all, { name: 'num_batches_tracked', shape: [], data: BigInt64Array.of(0n) }];
    }
    // Gates come in the same order in both; PyTorch adds two biases, of which one is enough.
    case 'LSTM':
    case 'SimpleRNN': {
      if (second === undefined) return [];
      const [offset] = rest;
      const kernels = [
        named('weight_ih_l0', permute(inOrder(first, 0, input), [1, 0])),
        named('weight_hh_l0', permute(second, [1, 0])),
      ];
      if (offset === undefined) return kernels;
      const zeros = { shape: offset.shape, data: new Float32Array(offset.data.length) };
      return [...kernels, named('bias_ih_l0', offset), named('bias_hh_l0', zeros)];
    }
    case 'LayerNormalization':
      return [named('weight', first), ...bias];
    case 'Embedding':
      if (second === undefined && rest.length === 0) return [named('weight', first)];
      throw cannot(layer, 'it has more than one weight');
    default:
      throw cannot(layer, 'there is no counterpart yet');
  }
}

/** Whether padding "same" cuts an odd number off: here one more at the end, there one more at the start. */
function isShifted(config: LayerConfig): boolean {
  const [kernel, strides] = [numbersIn(config, 'kernel_size', 2, 1), numbersIn(config, 'strides', 2, 1)];
  return (
    config['padding'] === 'same' && kernel.some((length, axis) => (length - (strides[axis] ?? 1)) % 2 !== 0)
  );
}

function named(name: string, { shape, data }: HostTensor): StateTensor {
  return { name, shape, data };
}

function inOrder(tensor: HostTensor, axis: number, order: Order): HostTensor {
  return order === undefined ? tensor : gatherAxis(tensor, axis, order);
}

/** Axis `i` of the result is axis `axes[i]` of the tensor. */
function permute(tensor: HostTensor, axes: readonly number[]): HostTensor {
  const strides = tensor.shape.map((_, axis) => sizeOf(tensor.shape.slice(axis + 1)));
  const shape = axes.map((axis) => tensor.shape[axis] ?? 1);
  const steps = axes.map((axis) => strides[axis] ?? 0);
  const data = new Float32Array(tensor.data.length);
  for (let to = 0; to < data.length; to += 1) {
    let left = to;
    let from = 0;
    for (let axis = shape.length - 1; axis >= 0; axis -= 1) {
      const length = shape[axis] ?? 1;
      from += (left % length) * (steps[axis] ?? 0);
      left = Math.floor(left / length);
    }
    data[to] = tensor.data[from] ?? 0;
  }
  return { shape, data };
}

/** In which order flat tensors have their values in PyTorch. */
class FlatOrders {
  private readonly orders = new Map<string, Order>();
  /** What a layer must give because a reshape reads it as channels first. */
  private readonly demanded = new Map<string, Order>();

  constructor(private readonly analysis: Analysis) {
    for (const call of analysis.calls) if (call.layer.className === 'Reshape') this.demand(call);
    for (const call of analysis.calls) this.orders.set(keyOf(outputOf(call)), this.after(call));
  }

  of(ref: TensorRef | undefined): Order {
    return ref === undefined ? undefined : this.orders.get(keyOf(ref));
  }

  private shapeOf(ref: TensorRef | undefined): readonly number[] {
    return ref === undefined
      ? []
      : this.analysis
          .tensor(ref)
          .shape.slice(1)
          .map((length) => length ?? 0);
  }

  private makerOf(ref: TensorRef): AnalysedCall | undefined {
    return this.analysis.calls.find(({ layer, call }) => layer.name === ref.layer && call === ref.call);
  }

  private after(call: AnalysedCall): Order {
    const { layer, inputs } = call;
    const [first] = inputs;
    const demanded = this.demanded.get(keyOf(outputOf(call)));
    if (demanded !== undefined || call.facts.flow.kind === 'makes') {
      const isFlatten = layer.className === 'Flatten' || layer.className === 'Reshape';
      if (!isFlatten && layer.className !== 'Concatenate') return demanded;
    }
    switch (layer.className) {
      case 'Flatten': {
        const shape = this.shapeOf(first);
        return shape.length < 2 ? this.of(first) : channelsFirst(shape);
      }
      case 'Reshape':
        return undefined;
      case 'Concatenate':
        return this.joined(inputs);
      default: {
        const orders = inputs.map((input) => this.of(input));
        if (orders.some((order) => !isSame(order, orders[0])))
          throw cannot(layer, 'it joins values that PyTorch has in different orders');
        return orders[0];
      }
    }
  }

  private joined(inputs: readonly TensorRef[]): Order {
    if (inputs.every((input) => this.of(input) === undefined)) return undefined;
    let offset = 0;
    return inputs.flatMap((input) => {
      const width = this.shapeOf(input).at(-1) ?? 0;
      const order = this.of(input) ?? Array.from({ length: width }, (_, i) => i);
      offset += width;
      return order.map((index) => index + offset - width);
    });
  }

  /** A reshape from flat values: the layer that made them has them in another order in PyTorch. */
  private demand(call: AnalysedCall): void {
    const [input] = call.inputs;
    const from = this.shapeOf(input);
    const to = this.shapeOf(outputOf(call));
    const order = channelsFirst(to);
    if (input === undefined || (order === undefined && channelsFirst(from) === undefined)) return;
    if (from.length !== 1 || to.length === 1)
      throw cannot(call.layer, 'it reads values in another order than PyTorch does');
    const passed: TensorRef[] = [];
    let ref: TensorRef | undefined = input;
    while (ref !== undefined) {
      passed.push(ref);
      const maker = this.makerOf(ref);
      if (maker?.layer.className === 'Dense') {
        for (const tensor of passed) this.demanded.set(keyOf(tensor), order);
        return;
      }
      const isPlain = maker?.facts.flow.kind === 'carries' && maker.layer.className !== 'Flatten';
      ref = isPlain && maker.inputs.length === 1 ? maker.inputs[0] : undefined;
    }
    throw cannot(call.layer, 'it reads values in another order than PyTorch does');
  }
}

/** @param shape `[...space, channels]` */
function channelsFirst(shape: readonly number[]): Order {
  const channels = shape.at(-1) ?? 1;
  const positions = sizeOf(shape) / channels;
  if (channels === 1 || positions === 1) return undefined;
  return Array.from(
    { length: channels * positions },
    (_, i) => (i % positions) * channels + Math.floor(i / positions),
  );
}

function isSame(a: Order, b: Order): boolean {
  return a === b || (a?.length === b?.length && a?.every((index, i) => index === b?.[i]) === true);
}

function keyOf({ layer, call, tensor }: TensorRef): string {
  return `${layer} ${call} ${tensor}`;
}
