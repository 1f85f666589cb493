import { pinnedIds, repeatEach, type ChannelIds, type ChannelSets } from '../channels';
import type { GraphLayer } from '../graph';
import { isChannelsFirst, numberIn, numbersIn, only, positions, weight, windowLength } from './rule';
import type { Rule, TensorInfo } from './rule';

/** Geometry of a convolution-like layer: where its spatial axes are and how long they come out. */
function spatial(
  layer: GraphLayer,
  input: TensorInfo,
  rank: number,
): { axis: number; out: (number | null)[] } {
  const first = isChannelsFirst(layer.config);
  const axis = first ? 1 : rank + 1;
  const lengths = first ? input.shape.slice(2) : input.shape.slice(1, rank + 1);
  const kernel = numbersIn(layer.config, 'kernel_size', rank, 1);
  const strides = numbersIn(layer.config, 'strides', rank, 1);
  const dilations = numbersIn(layer.config, 'dilation_rate', rank, 1);
  const padding = layer.config['padding'] ?? 'valid';
  const out = lengths.map((length, i) =>
    windowLength(length, kernel[i] ?? 1, strides[i] ?? 1, padding, dilations[i] ?? 1),
  );
  return { axis, out };
}

/** The input as the layer sees it: one whose channels it takes from another axis keeps all it has. */
function inputOf(
  layer: GraphLayer,
  inputs: readonly TensorInfo[],
  channels: ChannelSets,
  rank: number,
): TensorInfo {
  const input = only(inputs, layer);
  const axis = isChannelsFirst(layer.config) ? 1 : rank + 1;
  if (input.axis === axis) return input;
  channels.pin(input.ids, `${layer.name} takes its channels from another axis`);
  return { ...input, axis, ids: pinnedIds(input.shape[axis] ?? 0) };
}

function outputOf(layer: GraphLayer, out: readonly (number | null)[], ids: ChannelIds): TensorInfo {
  return isChannelsFirst(layer.config)
    ? { shape: [null, ids.length, ...out], axis: 1, ids }
    : { shape: [null, ...out, ids.length], axis: out.length + 1, ids };
}

/** Conv1D, Conv2D, Conv3D: kernel [...window, in, filters], bias [filters]. */
export const conv =
  (rank: number): Rule =>
  (layer, inputs, channels) => {
    const input = inputOf(layer, inputs, channels, rank);
    const { out } = spatial(layer, input, rank);
    const kernel = numbersIn(layer.config, 'kernel_size', rank, 1);
    const outIds = channels.fresh(numberIn(layer.config, 'filters'));
    const weights = [weight('kernel', [...kernel, input.ids, outIds], { in: rank, out: rank + 1 })];
    if (layer.config['use_bias'] !== false) weights.push(weight('bias', [outIds], { out: 0 }));
    return {
      outputs: [outputOf(layer, out, outIds)],
      weights,
      macs: [{ coefficient: positions(out) * positions(kernel), axes: [input.ids, outIds] }],
      flow: { kind: 'makes' },
      widthKey: 'filters',
      resize: (count) => ({ filters: count(outIds) }),
    };
  };

/** Conv2DTranspose, Conv3DTranspose: kernel [...window, filters, in], bias [filters]. */
export const convTranspose =
  (rank: number): Rule =>
  (layer, inputs, channels) => {
    const input = inputOf(layer, inputs, channels, rank);
    const first = isChannelsFirst(layer.config);
    const lengths = first ? input.shape.slice(2) : input.shape.slice(1, rank + 1);
    const kernel = numbersIn(layer.config, 'kernel_size', rank, 1);
    const strides = numbersIn(layer.config, 'strides', rank, 1);
    const same = layer.config['padding'] === 'same';
    const out = lengths.map((length, i) => {
      if (length === null) return null;
      const stride = strides[i] ?? 1;
      return same ? length * stride : length * stride + Math.max((kernel[i] ?? 1) - stride, 0);
    });
    const outIds = channels.fresh(numberIn(layer.config, 'filters'));
    const weights = [weight('kernel', [...kernel, outIds, input.ids], { out: rank, in: rank + 1 })];
    if (layer.config['use_bias'] !== false) weights.push(weight('bias', [outIds], { out: 0 }));
    return {
      outputs: [outputOf(layer, out, outIds)],
      weights,
      macs: [{ coefficient: positions(lengths) * positions(kernel), axes: [input.ids, outIds] }],
      flow: { kind: 'makes' },
      widthKey: 'filters',
      resize: (count) => ({ filters: count(outIds) }),
    };
  };

/**
 * DepthwiseConv2D: depthwise kernel [...window, in, multiplier], bias [in · multiplier]. Output channel
 * `c · multiplier + m` belongs to input channel c: both go together.
 */
export const depthwiseConv: Rule = (layer, inputs, channels) => {
  const input = inputOf(layer, inputs, channels, 2);
  const { out } = spatial(layer, input, 2);
  const kernel = numbersIn(layer.config, 'kernel_size', 2, 1);
  const multiplier = numberIn(layer.config, 'depth_multiplier', 1);
  const outIds = repeatEach(input.ids, multiplier);
  const weights = [weight('depthwise_kernel', [...kernel, input.ids, multiplier], { out: 2 })];
  const bias = layer.config['use_bias'] !== false;
  if (bias) weights.push(weight('bias', [outIds], { out: 0 }));
  return {
    outputs: [outputOf(layer, out, outIds)],
    weights,
    macs: [{ coefficient: positions(out) * positions(kernel), axes: [outIds] }],
    flow: { kind: 'carries', zero: !bias, scaling: bias ? 'none' : 'linear' },
  };
};

/** SeparableConv2D: depthwise [...window, in, multiplier], pointwise [1.., in · multiplier, filters], bias [filters]. */
export const separableConv =
  (rank: number): Rule =>
  (layer, inputs, channels) => {
    const input = inputOf(layer, inputs, channels, rank);
    const { out } = spatial(layer, input, rank);
    const kernel = numbersIn(layer.config, 'kernel_size', rank, 1);
    const multiplier = numberIn(layer.config, 'depth_multiplier', 1);
    const middle = repeatEach(input.ids, multiplier);
    const outIds = channels.fresh(numberIn(layer.config, 'filters'));
    const ones = kernel.map(() => 1);
    const weights = [
      weight('depthwise_kernel', [...kernel, input.ids, multiplier]),
      weight('pointwise_kernel', [...ones, middle, outIds], { in: rank, out: rank + 1 }),
    ];
    if (layer.config['use_bias'] !== false) weights.push(weight('bias', [outIds], { out: 0 }));
    return {
      outputs: [outputOf(layer, out, outIds)],
      weights,
      macs: [
        { coefficient: positions(out) * positions(kernel), axes: [middle] },
        { coefficient: positions(out), axes: [middle, outIds] },
      ],
      flow: { kind: 'makes' },
      widthKey: 'filters',
      resize: (count) => ({ filters: count(outIds) }),
    };
  };
