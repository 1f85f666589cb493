import type { LayerConfig } from '../../core/topology';
import type { Syntax } from '../syntax';
import type { Graph } from './graph';
import { addSums, constantSum, scaleSum, type ChannelSum, type Tensor } from './tensor';
import { productOf, slideBack, slideWindow, type Features, type Window } from './shapes';
import { stopAt } from './values';

/** The features of a tensor that has them; an input that nothing has read yet has none. */
export function featuresOf(tensor: Tensor, node: Syntax): Features {
  const shape = tensor.shape ?? tensor.origin?.shape;
  if (shape !== undefined) return shape;
  throw stopAt(
    node,
    'unknown-input',
    'The shape of the input is not known here; write input=[…] into the model’s @shrink-model hint.',
  );
}

function lastOf(features: Features, node: Syntax): number {
  const channels = features.at(-1);
  if (typeof channels === 'number') return channels;
  throw stopAt(node, 'unknown-shape', 'How many channels come in is not known here.');
}

/** Adds a layer that keeps the shape. */
export function keepShape(
  graph: Graph,
  className: string,
  name: string,
  config: LayerConfig,
  input: Tensor,
): Tensor {
  if (input.shape === undefined && input.origin?.shape === undefined) {
    const unread = graph.add(className, name, config, [input], { shape: [], channels: input.channels });
    return { ...unread, shape: undefined, origin: input.origin ?? input };
  }
  const shape = input.shape ?? input.origin?.shape ?? [];
  return graph.add(className, name, config, [input], {
    shape,
    channels: input.channels,
    extraAxes: input.extraAxes,
  });
}

export function activate(graph: Graph, activation: string, input: Tensor): Tensor {
  return keepShape(graph, 'Activation', graph.freeName(activation), { activation }, input);
}

/** Adds a layer whose last axis becomes `width` channels. */
export function project(
  graph: Graph,
  className: string,
  name: string,
  config: LayerConfig,
  input: Tensor,
  width: number,
  channels: ChannelSum,
  node: Syntax,
): Tensor {
  const features = featuresOf(input, node);
  return graph.add(className, name, config, [input], { shape: [...features.slice(0, -1), width], channels });
}

/** Puts back the axes of length 1 that the source still sees after a global pooling. */
export function restoreAxes(graph: Graph, input: Tensor): Tensor {
  if (input.extraAxes === 0 || input.shape === undefined) return input;
  const ones = Array.from({ length: input.extraAxes }, () => 1);
  const shape = [...ones, ...input.shape];
  return graph.add('Reshape', graph.freeName('reshape'), { target_shape: shape }, [input], {
    shape,
    channels: input.channels,
  });
}

/** Zeros around the spatial axes, as PyTorch pads; none are added where there is nothing to add. */
export function padZeros(graph: Graph, input: Tensor, zeros: readonly number[], node: Syntax): Tensor {
  if (zeros.every((count) => count === 0)) return input;
  const features = featuresOf(input, node);
  if (zeros.length !== 2)
    throw stopAt(
      node,
      'unsupported',
      'This padding of one-dimensional data has no counterpart; use padding "same" or 0.',
    );
  const shape = [
    ...features
      .slice(0, -1)
      .map((length, axis) => (length === null ? null : length + 2 * (zeros[axis] ?? 0))),
    features.at(-1) ?? null,
  ];
  const padding = zeros.map((count) => [count, count]);
  const config = { padding, data_format: 'channels_last' };
  return graph.add('ZeroPadding2D', graph.freeName('pad'), config, [input], {
    shape,
    channels: input.channels,
  });
}

export function windowConfig(window: Window): LayerConfig {
  return {
    kernel_size: window.kernel,
    strides: window.strides,
    padding: window.padding === 'same' ? 'same' : 'valid',
    dilation_rate: window.dilation,
    data_format: 'channels_last',
  };
}

/** Adds a convolution; zeros on both sides become padding "same" where that is the same, and a layer of their own elsewhere. */
export function convolve(
  graph: Graph,
  className: string,
  name: string,
  config: LayerConfig,
  input: Tensor,
  window: Window,
  width: number,
  channels: ChannelSum,
  node: Syntax,
): Tensor {
  const spread = restoreAxes(graph, input);
  const same = typeof window.padding === 'string' ? window : asKerasPadding(window);
  const padded = typeof same.padding === 'string' ? spread : padZeros(graph, spread, same.padding, node);
  const final: Window = typeof same.padding === 'string' ? same : { ...same, padding: 'valid' };
  const features = featuresOf(padded, node);
  const isTransposed = className.endsWith('Transpose');
  const slide = isTransposed ? slideBack : slideWindow;
  const spatial = slide(features.slice(0, -1), final);
  if (spatial.some((length) => length !== null && length < 1))
    throw stopAt(node, 'shape-mismatch', 'The data is smaller than the kernel here; check the input’s size.');
  const full = { ...config, ...windowConfig(final) };
  if (isTransposed) delete full['dilation_rate'];
  return graph.add(className, name, full, [padded], { shape: [...spatial, width], channels });
}

function asKerasPadding(window: Window): Window {
  if (typeof window.padding === 'string') return window;
  if (window.padding.every((zeros) => zeros === 0)) return { ...window, padding: 'valid' };
  const isSame = window.padding.every((zeros, axis) => {
    const [kernel, stride, dilation] = [
      window.kernel[axis] ?? 1,
      window.strides[axis] ?? 1,
      window.dilation[axis] ?? 1,
    ];
    return stride === 1 && 2 * zeros === dilation * (kernel - 1);
  });
  return isSame ? { ...window, padding: 'same' } : window;
}

/** Adds a pooling over windows. */
export function pool(
  graph: Graph,
  className: string,
  name: string,
  input: Tensor,
  window: Window,
  node: Syntax,
): Tensor {
  const padding = window.padding;
  const addsZeros = typeof padding !== 'string' && padding.some((zeros) => zeros > 0);
  if (className.startsWith('Max') && addsZeros && !graph.isNeverNegative(input))
    throw stopAt(
      node,
      'unsupported',
      'Max pooling with padding of values that may be negative has no counterpart; put the activation (ReLU) before it.',
    );
  const padded = typeof padding === 'string' ? input : padZeros(graph, input, padding, node);
  const final: Window = typeof padding === 'string' ? window : { ...window, padding: 'valid' };
  const features = featuresOf(padded, node);
  const spatial = slideWindow(features.slice(0, -1), final);
  if (spatial.some((length) => length !== null && length < 1))
    throw stopAt(
      node,
      'shape-mismatch',
      'The data is smaller than the pooling window here; check the input’s size.',
    );
  const config = {
    pool_size: final.kernel,
    strides: final.strides,
    padding: final.padding,
    data_format: 'channels_last',
  };
  const channels = input.channels;
  return graph.add(className, name, config, [padded], {
    shape: [...spatial, features.at(-1) ?? null],
    channels,
  });
}

/** Adds a pooling over all of space. @param keepAxes axes of length 1 that the source goes on seeing */
export function poolAll(
  graph: Graph,
  kind: 'Average' | 'Max',
  name: string,
  input: Tensor,
  keepAxes: boolean,
  node: Syntax,
): Tensor {
  const features = featuresOf(input, node);
  const rank = features.length - 1;
  if (rank === 0) return input;
  if (rank > 2) throw stopAt(node, 'unsupported', 'Pooling over three axes is not supported yet.');
  const className = `Global${kind}Pooling${rank}D`;
  const config = { data_format: 'channels_last' };
  const result = { shape: features.slice(-1), channels: input.channels, extraAxes: keepAxes ? rank : 0 };
  return graph.add(className, name, config, [input], result);
}

export function flatten(graph: Graph, input: Tensor, name: string | undefined, node: Syntax): Tensor {
  if (input.shape === undefined && input.origin?.shape === undefined)
    return { ...input, flattened: true, origin: input.origin ?? input };
  const features = featuresOf(input, node);
  if (features.length === 1) return { ...input, extraAxes: 0 };
  const total = productOf(features);
  if (total === null)
    throw stopAt(
      node,
      'unknown-size',
      'How large the data is here depends on the input, whose size is not known.',
    );
  const factor = total / lastOf(features, node);
  const config = { data_format: 'channels_last' };
  const channels = scaleSum(input.channels, factor);
  return graph.add('Flatten', name ?? graph.freeName('flatten'), config, [input], {
    shape: [total],
    channels,
  });
}

/** Joins tensors element by element. */
export function merge(
  graph: Graph,
  className: string,
  inputs: readonly Tensor[],
  name: string | undefined,
  node: Syntax,
): Tensor {
  const axes = Math.max(...inputs.map((tensor) => tensor.extraAxes));
  const rank = Math.max(...inputs.map((tensor) => featuresOf(tensor, node).length));
  // A pooled tensor that scales feature maps, as in squeeze and excitation.
  const same = inputs.map((tensor) =>
    featuresOf(tensor, node).length < rank && axes > 0 ? restoreAxes(graph, tensor) : tensor,
  );
  const widest = same.reduce((best, tensor) => (sizeOf(tensor) > sizeOf(best) ? tensor : best));
  const last = featuresOf(widest, node).at(-1);
  for (const tensor of same) {
    const channels = featuresOf(tensor, node).at(-1);
    if (channels !== last && channels !== 1)
      throw stopAt(
        node,
        'shape-mismatch',
        `${String(channels)} channels cannot be joined with ${String(last)} here; make them agree.`,
      );
  }
  return graph.add(className, name ?? graph.freeName(className.toLowerCase()), {}, same, {
    shape: featuresOf(widest, node),
    channels: widest.channels,
    extraAxes: widest.extraAxes,
  });
}

function sizeOf(tensor: Tensor): number {
  return (tensor.shape ?? []).reduce<number>((size, length) => size * (length ?? 1e6), 1);
}

/** Joins tensors along the channels. */
export function concatenate(
  graph: Graph,
  inputs: readonly Tensor[],
  name: string | undefined,
  node: Syntax,
): Tensor {
  const [only, ...more] = inputs;
  if (only !== undefined && more.length === 0) return only;
  const features = inputs.map((tensor) => featuresOf(tensor, node));
  const first = features[0] ?? [];
  for (const other of features)
    if (other.length !== first.length || other.slice(0, -1).some((length, axis) => length !== first[axis]))
      throw stopAt(node, 'shape-mismatch', 'The tensors joined here differ in more than their channels.');
  const width = features.reduce((sum, shape) => sum + lastOf(shape, node), 0);
  return graph.add('Concatenate', name ?? graph.freeName('concat'), { axis: -1 }, inputs, {
    shape: [...first.slice(0, -1), width],
    channels: addSums(inputs.map((tensor) => tensor.channels)),
    extraAxes: inputs[0]?.extraAxes ?? 0,
  });
}

/** Gives data another shape; its last axis becomes the channels. */
export function reshape(
  graph: Graph,
  input: Tensor,
  shape: readonly number[],
  name: string | undefined,
  node: Syntax,
): Tensor {
  const features = featuresOf(input, node);
  const total = productOf(features);
  const known = shape.filter((length) => length > 0).reduce((product, length) => product * length, 1);
  const full = shape.map((length) => (length > 0 || total === null ? length : total / known));
  const product = productOf(full);
  if (total !== null && product !== total)
    throw stopAt(
      node,
      'shape-mismatch',
      `${total} values cannot become ${full.join(' × ')}; make the two agree.`,
    );
  const isSame = full.length === features.length && full.every((length, axis) => length === features[axis]);
  if (isSame) return { ...input, extraAxes: 0 };
  const last = full.at(-1) ?? 1;
  const follows = last === features.at(-1);
  return graph.add('Reshape', name ?? graph.freeName('reshape'), { target_shape: full }, [input], {
    shape: full,
    channels: follows ? input.channels : constantSum(last),
  });
}
