import type { Graph, Value } from '../graph';
import { binary } from './elementwise';
import { emitter, fill, pad, reshape, sizeOf, valueOf, type EmitterTable } from './emitter';
import {
  channelsFirst,
  channelsLast,
  cutInput,
  insideWindows,
  poolWindows,
  restoreInput,
  windowAttributes,
  type PoolAttributes,
  type Windows,
} from './geometry';

function poolAttributes(windows: Windows) {
  const { kernel_shape, strides, pads } = windowAttributes(windows);
  return { kernel_shape, strides, pads };
}

function pooledShape(x: Value, windows: Windows): number[] {
  return [x.shape[0] ?? 1, x.shape.at(-1) ?? 1, ...windows.output];
}

/** Whether windows lie side by side: then each input element is in one window at most. */
function isTiling({ window, stride, before, output, input }: Windows): boolean {
  return window.every(
    (length, axis) =>
      length === stride[axis] && before[axis] === 0 && length * (output[axis] ?? 0) <= (input[axis] ?? 0),
  );
}

/**
 * The gradient of a maximum goes to the element that the maximum is: ONNX counts which, the first of equals, in
 * `[batch, channels, ...spatial]`.
 */
function maxGradient(graph: Graph, dy: Value, input: Value, outer: Windows): Value {
  const windows = insideWindows(outer);
  const x = cutInput(graph, input, outer);
  const first = channelsFirst(graph, x);
  const [, indices = ''] = graph.nodes('MaxPool', [first.name], poolAttributes(windows), 2);
  const shape = pooledShape(x, windows);
  const count = sizeOf(shape);
  const positions = reshape(graph, valueOf(indices, shape, 'int64'), [count]);
  const gradient = reshape(graph, channelsFirst(graph, dy), [count]);
  const zeros = fill(graph, 0, [sizeOf(x.shape)]);
  const attributes = isTiling(windows) ? { axis: 0 } : { axis: 0, reduction: 'add' };
  const scattered = graph.node('ScatterElements', [zeros.name, positions.name, gradient.name], attributes);
  const dx = reshape(graph, valueOf(scattered, [sizeOf(x.shape)]), first.shape);
  return restoreInput(graph, channelsLast(graph, dx), outer);
}

/** How many elements of the input each window averages, per output position: fewer at a padded border. */
function windowCounts({ input, output, window, stride, before }: Windows): Float32Array {
  let counts = [1];
  output.forEach((length, axis) => {
    const along = Array.from({ length }, (_, index) => {
      const start = index * (stride[axis] ?? 1) - (before[axis] ?? 0);
      return Math.min(input[axis] ?? 0, start + (window[axis] ?? 1)) - Math.max(0, start);
    });
    counts = counts.flatMap((count) => along.map((more) => count * more));
  });
  return Float32Array.from(counts);
}

function averageGradient(graph: Graph, dy: Value, inputShape: readonly number[], outer: Windows): Value {
  const windows = insideWindows(outer);
  const channels = inputShape.at(-1) ?? 1;
  const shape = [inputShape[0] ?? 1, ...windows.input, channels];
  const counts = graph.constant(windowCounts(windows), [1, ...windows.output, 1], 'float32');
  const share = binary(graph, 'Div', dy, valueOf(counts, [1, ...windows.output, 1]));
  const spread = isTiling(windows) ? spreadTiles : spreadWindows;
  return restoreInput(graph, spread(graph, share, shape, windows), outer);
}

/** Adds each output to all of its window. */
function spreadWindows(graph: Graph, share: Value, inputShape: readonly number[], windows: Windows): Value {
  const channels = inputShape.at(-1) ?? 1;
  const weights = fill(graph, 1, [channels, 1, ...windows.window]);
  const outputPadding = windows.input.map((length, axis) => {
    const at = (values: readonly number[]) => values[axis] ?? 0;
    const reached = (at(windows.output) - 1) * at(windows.stride) + at(windows.window);
    return length - (reached - at(windows.before) - at(windows.after));
  });
  const attributes = { ...poolAttributes(windows), group: channels, output_padding: outputPadding };
  const name = graph.node('ConvTranspose', [channelsFirst(graph, share).name, weights.name], attributes);
  return channelsLast(graph, valueOf(name, [inputShape[0] ?? 1, channels, ...windows.input]));
}

/** Repeats each output over its window, and fills with zeros what no window covers. */
function spreadTiles(graph: Graph, share: Value, inputShape: readonly number[], windows: Windows): Value {
  const [batch = 1] = inputShape;
  const channels = inputShape.at(-1) ?? 1;
  const narrow = windows.output.flatMap((length) => [length, 1]);
  const wide = windows.output.flatMap((length, axis) => [length, windows.window[axis] ?? 1]);
  const column = reshape(graph, share, [batch, ...narrow, channels]);
  const target = [batch, ...wide, channels];
  const spread = valueOf(graph.node('Expand', [column.name, graph.shape(target)]), target);
  const covered = windows.output.map((length, axis) => length * (windows.window[axis] ?? 1));
  const whole = reshape(graph, spread, [batch, ...covered, channels]);
  const after = [0, ...covered.map((length, axis) => (windows.input[axis] ?? 0) - length), 0];
  return pad(
    graph,
    whole,
    after.map(() => 0),
    after,
  );
}

/** TensorFlow.js also pools with a stride beyond the window; the rest of the input is then not looked at. */
const maximum = emitter<'x', PoolAttributes>((graph, { x }, attrs) => {
  const outer = poolWindows(x.shape, attrs);
  const windows = insideWindows(outer);
  const first = channelsFirst(graph, cutInput(graph, x, outer));
  // With the positions of the maxima, which the gradient wants of the very same node; unused, they are left out.
  const [name = ''] = graph.nodes('MaxPool', [first.name], poolAttributes(windows), 2);
  return channelsLast(graph, valueOf(name, pooledShape(x, windows)));
});

const average = emitter<'x', PoolAttributes>((graph, { x }, attrs) => {
  const outer = poolWindows(x.shape, attrs);
  const windows = insideWindows(outer);
  const first = channelsFirst(graph, cutInput(graph, x, outer));
  const name = graph.node('AveragePool', [first.name], poolAttributes(windows));
  return channelsLast(graph, valueOf(name, pooledShape(x, windows)));
});

const maximumGradient = emitter<'dy' | 'input', PoolAttributes>((graph, { dy, input }, attrs) =>
  maxGradient(graph, dy, input, poolWindows(input.shape, attrs)),
);

const averageGradientKernel = emitter<'dy' | 'input', PoolAttributes>((graph, { dy, input }, attrs) =>
  averageGradient(graph, dy, input.shape, poolWindows(input.shape, attrs)),
);

export const pooling: EmitterTable = {
  MaxPool: maximum,
  MaxPool3D: maximum,
  AvgPool: average,
  AvgPool3D: average,
  MaxPoolGrad: maximumGradient,
  MaxPool3DGrad: maximumGradient,
  AvgPoolGrad: averageGradientKernel,
  AvgPool3DGrad: averageGradientKernel,
};
