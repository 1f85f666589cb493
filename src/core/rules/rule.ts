import type { ChannelIds, ChannelSets } from '../channels';
import type { GraphLayer } from '../graph';
import type { LayerConfig } from '../topology';

/**
 * One rule per layer family says what a layer does with channels: which axes of its weights carry which channels,
 * what it makes of a channel that is zero, what it costs. Removal, cost, placing of Filters and folding are all
 * computed from that.
 */

/** A tensor as the channel graph sees it. Dimension 0 is the batch; `null` is an unknown length. */
export interface TensorInfo {
  readonly shape: readonly (number | null)[];
  /** The axis that carries channels. */
  readonly axis: number;
  /** Channel of every index of that axis. */
  readonly ids: ChannelIds;
}

export interface WeightInfo {
  readonly name: string;
  readonly shape: readonly number[];
  /** Channels along each axis; `null` where the axis carries none. */
  readonly axes: readonly (ChannelIds | null)[];
  /** Whether an optimizer moves it; moving statistics are not. */
  readonly trainable: boolean;
  /** The axis along which scaling the weight scales the layer's output channels (kernel, bias, gamma, beta). */
  readonly out?: number;
  /** The axis along which scaling the weight does the same as scaling the layer's input channels. */
  readonly in?: number;
  /**
   * The axis along which the layer itself reads channels that it makes (a recurrent kernel): their switches scale the
   * weight where it is used.
   */
  readonly internal?: number;
}

/** A width of a layer; all layers but stacked recurrent ones have one at most. */
export interface LayerWidth {
  /** Put behind the layer's name; empty for the only one. */
  readonly label: string;
  readonly ids: ChannelIds;
}

/** A product of channel counts: `coefficient · Π_axes (channels left on that axis)`. */
export interface CostTerm {
  readonly coefficient: number;
  readonly axes: readonly ChannelIds[];
}

/**
 * What comes out where a channel goes in as zero, and how the layer treats a channel that is scaled.
 * - `makes`: the output's channels are new; what goes in is summed up or consumed.
 * - `carries`: output channels are the input's. `zero` says whether zero stays zero; `scaling` says which factors
 *   pass through unchanged: any (`linear`), those above 0 (`positive`), or no factor (`none`).
 */
export type Flow =
  | { readonly kind: 'makes' }
  | { readonly kind: 'carries'; readonly zero: boolean; readonly scaling: 'linear' | 'positive' | 'none' };

export interface LayerFacts {
  readonly outputs: readonly TensorInfo[];
  /** In the order of `layer.getWeights()`. */
  readonly weights: readonly WeightInfo[];
  /** Multiply-accumulate operations for one input row. */
  readonly macs: readonly CostTerm[];
  readonly flow: Flow;
  /** The configuration key that holds the width, where the layer has one of its own. */
  readonly widthKey?: 'units' | 'filters' | 'output_dim';
  /** Widths that lie deeper in the configuration (wrappers, cells); otherwise the first output's, by `widthKey`. */
  readonly widths?: readonly LayerWidth[];
  /** Positions of inputs whose channels are joined with the layer's own and pass no kernel of it: first states. */
  readonly ungated?: readonly number[];
  /** Changes of the configuration once channels are gone. @param count how many channels of an axis are left */
  readonly resize?: (count: (ids: ChannelIds) => number) => LayerConfig;
}

/**
 * Describes one call of a layer. Rules are stateless: the calls of a shared layer are described one by one and their
 * weights' channels joined afterwards.
 *
 * @throws ShrinkError when the layer cannot be followed
 */
export type Rule = (layer: GraphLayer, inputs: readonly TensorInfo[], channels: ChannelSets) => LayerFacts;

/** The first input of a layer that has exactly one. */
export function only(inputs: readonly TensorInfo[], layer: GraphLayer): TensorInfo {
  const [input] = inputs;
  if (input === undefined || inputs.length !== 1)
    throw new RangeError(`${layer.name} (${layer.className}) has ${inputs.length} inputs`);
  return input;
}

/** A weight whose every axis is described by channels or is plain. */
export function weight(
  name: string,
  axes: readonly (ChannelIds | number)[],
  options: { trainable?: boolean; out?: number; in?: number; internal?: number } = {},
): WeightInfo {
  return {
    name,
    shape: axes.map((axis) => (typeof axis === 'number' ? axis : axis.length)),
    axes: axes.map((axis) => (typeof axis === 'number' ? null : axis)),
    trainable: options.trainable ?? true,
    ...(options.out === undefined ? {} : { out: options.out }),
    ...(options.in === undefined ? {} : { in: options.in }),
    ...(options.internal === undefined ? {} : { internal: options.internal }),
  };
}

export function numberIn(config: LayerConfig, key: string, fallback?: number): number {
  const value = config[key] ?? fallback;
  if (typeof value !== 'number') throw new RangeError(`configuration has no number "${key}"`);
  return value;
}

/** A configuration entry that is one number for all dimensions or a list. */
export function numbersIn(config: LayerConfig, key: string, rank: number, fallback: number): number[] {
  const value = config[key] ?? fallback;
  if (Array.isArray(value)) {
    const list = value.map(Number);
    return Array.from({ length: rank }, (_, i) => list[i] ?? list[0] ?? fallback);
  }
  return Array.from({ length: rank }, () => Number(value));
}

export function isChannelsFirst(config: LayerConfig): boolean {
  return config['data_format'] === 'channels_first' || config['data_format'] === 'channelsFirst';
}

/** Output length of a convolution or pooling window along one dimension. */
export function windowLength(
  length: number | null,
  window: number,
  stride: number,
  padding: unknown,
  dilation = 1,
): number | null {
  if (length === null) return null;
  const reach = (window - 1) * dilation + 1;
  const span = padding === 'same' || padding === 'causal' ? length : length - reach + 1;
  return Math.max(0, Math.ceil(span / stride));
}

/** Product of dimensions, unknown ones counted as 1. */
export function positions(shape: readonly (number | null)[]): number {
  return shape.reduce<number>((product, dimension) => product * (dimension ?? 1), 1);
}
