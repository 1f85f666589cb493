import type { Graph, Value } from '../graph';
import { activate } from './elementwise';
import { emitter, pad, reshape, slice, transpose, valueOf, type EmitterTable } from './emitter';
import {
  channelsFirst,
  channelsLast,
  convWindows,
  cutInput,
  filterFirst,
  insideWindows,
  restoreInput,
  windowAttributes,
  type ConvAttributes,
  type Windows,
} from './geometry';

/** @param weights `[out, in / group, ...window]` */
function convolve(
  graph: Graph,
  x: Value,
  weights: Value,
  bias: Value | undefined,
  windows: Windows,
  group = 1,
): Value {
  const inside = insideWindows(windows);
  const cut = cutInput(graph, x, windows);
  // ONNX Runtime's WebGPU takes a window as long as the input for one product and forgets the padding behind.
  const isWhole = inside.window.every((length, axis) => length === inside.input[axis]);
  const padded = isWhole ? pad(graph, cut, [0, ...inside.before, 0], [0, ...inside.after, 0]) : cut;
  const none = inside.window.map(() => 0);
  const attributes = windowAttributes(isWhole ? { ...inside, before: none, after: none } : inside);
  const inputs = [channelsFirst(graph, padded).name, weights.name];
  if (bias !== undefined) inputs.push(reshape(graph, bias, [weights.shape[0] ?? 1]).name);
  const name = graph.node('Conv', inputs, { ...attributes, group });
  return valueOf(name, [x.shape[0] ?? 1, weights.shape[0] ?? 1, ...windows.output]);
}

/**
 * The gradient of a convolution by its input: the transposed convolution.
 *
 * @param weights `[out, in / group, ...window]`
 * @param inputShape `[batch, ...spatial, in]`
 */
function inputGradient(
  graph: Graph,
  dy: Value,
  weights: Value,
  windows: Windows,
  inputShape: readonly number[],
  group = 1,
): Value {
  const inside = insideWindows(windows);
  // What the forward pass did not reach at the far end is padding of the output here.
  const outputPadding = inside.input.map((length, axis) => {
    const at = (values: readonly number[]) => values[axis] ?? 0;
    const reached =
      (at(inside.output) - 1) * at(inside.stride) + (at(inside.window) - 1) * at(inside.dilation) + 1;
    return length - (reached - at(inside.before) - at(inside.after));
  });
  const attributes = { ...windowAttributes(inside), group, output_padding: outputPadding };
  const name = graph.node('ConvTranspose', [channelsFirst(graph, dy).name, weights.name], attributes);
  const dx = valueOf(name, [inputShape[0] ?? 1, inputShape.at(-1) ?? 1, ...inside.input]);
  return restoreInput(graph, channelsLast(graph, dx), windows);
}

/** Windows with which dy slides over x: stride and dilation change places. */
function swappedWindows(windows: Windows): Windows {
  const at = (values: readonly number[], axis: number) => values[axis] ?? 0;
  const after = windows.input.map((length, axis) => {
    const reached =
      (at(windows.output, axis) - 1) * at(windows.stride, axis) +
      (at(windows.window, axis) - 1) * at(windows.dilation, axis) +
      1;
    return Math.max(0, reached - length - at(windows.before, axis));
  });
  const output = windows.input.map((length, axis) => {
    const padded = length + at(windows.before, axis) + at(after, axis);
    const extent = (at(windows.output, axis) - 1) * at(windows.stride, axis) + 1;
    return Math.floor((padded - extent) / at(windows.dilation, axis)) + 1;
  });
  return {
    ...windows,
    output,
    window: windows.output,
    stride: windows.dilation,
    dilation: windows.stride,
    after,
  };
}

/** Drops what the swapped windows computed beyond the filter's own window. */
function cropWindow(graph: Graph, x: Value, window: readonly number[]): Value {
  const axes = window.map((_, axis) => axis + 2);
  return slice(
    graph,
    x,
    axes,
    axes.map(() => 0),
    window,
  );
}

/** A filter with more elements than this is cheaper as one convolution than as a product for each. */
const MOST_TAPS = 64;
/** With fewer channels than this a product for each element of the filter is too thin. */
const FEWEST_CHANNELS = 5;

/** All positions in a window, row by row. */
function tapsOf(window: readonly number[]): number[][] {
  return window.reduce<number[][]>(
    (taps, length) => taps.flatMap((tap) => Array.from({ length }, (_, index) => [...tap, index])),
    [[]],
  );
}

/**
 * The gradient of a convolution by its filter, `[...window, in, out]`. For each element of the window it is the product
 * of the input that this element saw, `[pixels, in]` transposed, with dy, `[pixels, out]`. ONNX Runtime multiplies
 * matrices two to three times faster than it does the equivalent convolution with batch and channels swapped.
 */
function filterGradient(graph: Graph, input: Value, dy: Value, outer: Windows): Value {
  const windows = insideWindows(outer);
  const x = cutInput(graph, input, outer);
  const channels = x.shape.at(-1) ?? 1;
  const outputs = dy.shape.at(-1) ?? 1;
  const taps = tapsOf(windows.window);
  if (taps.length > MOST_TAPS) return swappedFilterGradient(graph, x, dy, windows);
  const pixels = (x.shape[0] ?? 1) * windows.output.reduce((product, length) => product * length, 1);
  const axes = windows.output.map((_, axis) => axis + 1);
  const padded = pad(graph, x, [0, ...windows.before, 0], [0, ...windows.after, 0]);
  const seen = taps.map((tap) => {
    const start = tap.map((index, axis) => index * (windows.dilation[axis] ?? 1));
    return reshape(graph, slice(graph, padded, axes, start, windows.output, windows.stride), [
      pixels,
      channels,
    ]);
  });
  const gradient = reshape(graph, dy, [pixels, outputs]);
  const concat = (names: readonly string[], axis: number) =>
    names.length === 1 ? (names[0] ?? '') : graph.node('Concat', names, { axis });
  const multiply = (left: string) => graph.node('Gemm', [left, gradient.name], { transA: 1, transB: 0 });
  const names = seen.map((part) => part.name);
  const product = channels < FEWEST_CHANNELS ? multiply(concat(names, 1)) : concat(names.map(multiply), 0);
  return reshape(graph, valueOf(product, [taps.length * channels, outputs]), [
    ...windows.window,
    channels,
    outputs,
  ]);
}

/** {@link filterGradient} as a convolution in which batch and channels change places. */
function swappedFilterGradient(graph: Graph, x: Value, dy: Value, windows: Windows): Value {
  const rank = x.shape.length;
  const spatial = Array.from({ length: rank - 2 }, (_, axis) => axis + 1);
  const swappedX = transpose(graph, x, [rank - 1, 0, ...spatial]);
  const swappedDy = transpose(graph, dy, [rank - 1, 0, ...spatial]);
  const swapped = swappedWindows(windows);
  const name = graph.node('Conv', [swappedX.name, swappedDy.name], windowAttributes(swapped));
  const full = valueOf(name, [swappedX.shape[0] ?? 1, swappedDy.shape[0] ?? 1, ...swapped.output]);
  const cropped = cropWindow(graph, full, windows.window);
  return transpose(graph, cropped, [...spatial.map((axis) => axis + 1), 0, 1]);
}

/** `[height, width, in, multiplier]` to `[in * multiplier, 1, height, width]`. */
function depthwiseWeights(graph: Graph, filter: Value): Value {
  const [height = 1, width = 1, channels = 1, multiplier = 1] = filter.shape;
  return filterFirst(graph, reshape(graph, filter, [height, width, 1, channels * multiplier]));
}

/** Each input channel is a group of its own, with the batch as its channels. */
function depthwiseFilterGradient(graph: Graph, x: Value, dy: Value, windows: Windows): Value {
  const [batch = 1, height = 1, width = 1, channels = 1] = x.shape;
  const outputs = dy.shape[3] ?? 1;
  const swappedX = reshape(graph, transpose(graph, x, [3, 0, 1, 2]), [1, channels * batch, height, width]);
  const swappedDy = transpose(graph, dy, [3, 0, 1, 2]);
  const swapped = swappedWindows(windows);
  const attributes = { ...windowAttributes(swapped), group: channels };
  const name = graph.node('Conv', [swappedX.name, swappedDy.name], attributes);
  const cropped = cropWindow(graph, valueOf(name, [1, outputs, ...swapped.output]), windows.window);
  const last = transpose(graph, cropped, [2, 3, 0, 1]);
  return reshape(graph, last, [...windows.window, channels, outputs / channels]);
}

interface FusedAttributes extends ConvAttributes {
  readonly activation: string;
  readonly leakyreluAlpha?: number;
}

function finish(graph: Graph, convolved: Value, attrs: FusedAttributes, prelu: Value | undefined): Value {
  // In the layout of the convolution: ONNX Runtime fuses an activation that follows at once.
  if (prelu === undefined)
    return channelsLast(graph, activate(graph, convolved, attrs.activation, undefined, attrs.leakyreluAlpha));
  return activate(graph, channelsLast(graph, convolved), attrs.activation, prelu);
}

const forward = emitter<'x' | 'filter', ConvAttributes>((graph, { x, filter }, attrs) => {
  const windows = convWindows(x.shape, filter.shape, attrs);
  return channelsLast(graph, convolve(graph, x, filterFirst(graph, filter), undefined, windows));
});

const byInput = emitter<'dy' | 'filter', ConvAttributes & { inputShape: number[] }>(
  (graph, { dy, filter }, attrs) => {
    const windows = convWindows(attrs.inputShape, filter.shape, attrs);
    return inputGradient(graph, dy, filterFirst(graph, filter), windows, attrs.inputShape);
  },
);

const byFilter = emitter<'x' | 'dy', ConvAttributes & { filterShape: number[] }>((graph, { x, dy }, attrs) =>
  filterGradient(graph, x, dy, convWindows(x.shape, attrs.filterShape, attrs)),
);

export const convolution: EmitterTable = {
  Conv2D: forward,
  Conv3D: forward,
  Conv2DBackpropInput: byInput,
  Conv3DBackpropInputV2: byInput,
  Conv2DBackpropFilter: byFilter,
  Conv3DBackpropFilterV2: byFilter,
  FusedConv2D: emitter<'x' | 'filter', FusedAttributes, 'bias' | 'preluActivationWeights'>(
    (graph, { x, filter, bias, preluActivationWeights }, attrs) => {
      const windows = convWindows(x.shape, filter.shape, attrs);
      const convolved = convolve(graph, x, filterFirst(graph, filter), bias, windows);
      return finish(graph, convolved, attrs, preluActivationWeights);
    },
  ),
  DepthwiseConv2dNative: emitter<'x' | 'filter', ConvAttributes>((graph, { x, filter }, attrs) => {
    const windows = convWindows(x.shape, filter.shape, attrs, true);
    const weights = depthwiseWeights(graph, filter);
    return channelsLast(graph, convolve(graph, x, weights, undefined, windows, filter.shape[2] ?? 1));
  }),
  FusedDepthwiseConv2D: emitter<'x' | 'filter', FusedAttributes, 'bias' | 'preluActivationWeights'>(
    (graph, { x, filter, bias, preluActivationWeights }, attrs) => {
      const windows = convWindows(x.shape, filter.shape, attrs, true);
      const weights = depthwiseWeights(graph, filter);
      const convolved = convolve(graph, x, weights, bias, windows, filter.shape[2] ?? 1);
      return finish(graph, convolved, attrs, preluActivationWeights);
    },
  ),
  DepthwiseConv2dNativeBackpropInput: emitter<'dy' | 'filter', ConvAttributes & { inputShape: number[] }>(
    (graph, { dy, filter }, attrs) => {
      const windows = convWindows(attrs.inputShape, filter.shape, attrs, true);
      const weights = depthwiseWeights(graph, filter);
      return inputGradient(graph, dy, weights, windows, attrs.inputShape, filter.shape[2] ?? 1);
    },
  ),
  DepthwiseConv2dNativeBackpropFilter: emitter<'x' | 'dy', ConvAttributes & { filterShape: number[] }>(
    (graph, { x, dy }, attrs) =>
      depthwiseFilterGradient(graph, x, dy, convWindows(x.shape, attrs.filterShape, attrs, true)),
  ),
};
