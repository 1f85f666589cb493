import { pinnedIds, repeatEach, tileIds, type ChannelIds, type ChannelSets } from '../channels';
import type { GraphLayer } from '../graph';
import { isChannelsFirst, numberIn, numbersIn, only, positions } from './rule';
import type { Flow, LayerFacts, Rule, TensorInfo } from './rule';

const UNCHANGED: Flow = { kind: 'carries', zero: true, scaling: 'linear' };

function carried(output: TensorInfo): LayerFacts {
  return { outputs: [output], weights: [], macs: [], flow: UNCHANGED };
}

/** Channel of every element of one row, in row-major order; `null` when a length is unknown. */
function idsOfElements(input: TensorInfo): ChannelIds | null {
  const row = input.shape.slice(1);
  if (row.includes(null)) return null;
  const inner = positions(row.slice(input.axis));
  const outer = positions(row.slice(0, input.axis - 1));
  return tileIds(repeatEach(input.ids, inner), outer);
}

/** Flatten: element i of the row keeps the channel it had. */
export const flatten: Rule = (layer, inputs, channels) => {
  const input = only(inputs, layer);
  let ids = idsOfElements(input);
  if (ids === null) {
    channels.pin(input.ids, `${layer.name} flattens a tensor of unknown length`);
    ids = pinnedIds(0);
  } else if (isChannelsFirst(layer.config) && input.shape.length > 2) {
    // channelsFirst moves axis 1 to the end before it flattens.
    const row = input.shape.slice(1).map((length) => length ?? 1);
    const lead = row[0] ?? 1;
    const rest = positions(row.slice(1));
    const before = ids;
    ids = Int32Array.from(before, (_, i) => before[(i % lead) * rest + Math.floor(i / lead)] ?? 0);
  }
  return carried({ shape: [null, ids.length], axis: 1, ids });
};

/**
 * Reshape: row-major order stays, so each element keeps its channel. The last axis of the target carries channels;
 * elements that share an index there are joined, which is no loss where the channel axis survives and keeps whole
 * groups together where it is split.
 */
export const reshape: Rule = (layer, inputs, channels) => {
  const input = only(inputs, layer);
  const elements = idsOfElements(input);
  const given = (layer.config['target_shape'] as (number | null)[]).map((d) => (d === null ? -1 : d));
  if (elements === null) {
    channels.pin(input.ids, `${layer.name} reshapes a tensor of unknown length`);
    const shape = [null, ...given.map((d) => (d < 0 ? null : d))];
    return carried({ shape, axis: shape.length - 1, ids: pinnedIds(shape.at(-1) ?? 0) });
  }
  const known = given.filter((d) => d >= 0).reduce((a, b) => a * b, 1);
  const target = given.map((d) => (d < 0 ? elements.length / known : d));
  const last = target.at(-1) ?? 1;
  const ids = elements.slice(0, last);
  for (let start = last; start < elements.length; start += last)
    channels.join(ids, elements.slice(start, start + last));
  return {
    ...carried({ shape: [null, ...target], axis: target.length, ids }),
    resize: (count) => ({ target_shape: [...target.slice(0, -1), count(ids)] }),
  };
};

/** Permute: the channel axis moves along. `dims` are 1-based. */
export const permute: Rule = (layer, inputs) => {
  const input = only(inputs, layer);
  const dims = (layer.config['dims'] as number[]).map(Number);
  const shape = [input.shape[0] ?? null, ...dims.map((d) => input.shape[d] ?? null)];
  return carried({ shape, axis: dims.indexOf(input.axis) + 1, ids: input.ids });
};

/** RepeatVector: [batch, features] → [batch, n, features]. */
export const repeatVector: Rule = (layer, inputs) => {
  const input = only(inputs, layer);
  const shape = [null, numberIn(layer.config, 'n'), input.ids.length];
  return carried({ shape, axis: 2, ids: input.ids });
};

function resizeSpatial(
  layer: GraphLayer,
  inputs: readonly TensorInfo[],
  channels: ChannelSets,
  change: (length: number, i: number) => number,
): LayerFacts {
  const input = only(inputs, layer);
  const start = isChannelsFirst(layer.config) ? 2 : 1;
  if (input.axis >= start && input.axis < start + 2) {
    channels.pin(input.ids, `${layer.name} changes the axis that carries the channels`);
  }
  const shape = input.shape.map((length, axis) => {
    const i = axis - start;
    return i < 0 || i >= 2 || length === null ? length : change(length, i);
  });
  return carried({ ...input, shape });
}

/** Padding or cropping of [[top, bottom], [left, right]], which the configuration may hold in a shorter form. */
function borders(value: unknown): [number, number][] {
  const pair = (entry: unknown): [number, number] => {
    if (Array.isArray(entry)) return [Number(entry[0]), Number(entry[1] ?? entry[0])];
    return [Number(entry), Number(entry)];
  };
  if (Array.isArray(value) && value.length === 2) return [pair(value[0]), pair(value[1])];
  const both = pair(value ?? 1);
  return [both, both];
}

export const zeroPadding: Rule = (layer, inputs, channels) => {
  const border = borders(layer.config['padding']);
  return resizeSpatial(
    layer,
    inputs,
    channels,
    (length, i) => length + (border[i]?.[0] ?? 0) + (border[i]?.[1] ?? 0),
  );
};

export const cropping: Rule = (layer, inputs, channels) => {
  const border = borders(layer.config['cropping']);
  return resizeSpatial(
    layer,
    inputs,
    channels,
    (length, i) => length - (border[i]?.[0] ?? 0) - (border[i]?.[1] ?? 0),
  );
};

export const upSampling: Rule = (layer, inputs, channels) => {
  const size = numbersIn(layer.config, 'size', 2, 2);
  return resizeSpatial(layer, inputs, channels, (length, i) => length * (size[i] ?? 1));
};

/** A model's input: its channels are the data's and stay. */
export const input: Rule = (layer) => {
  const shape = (layer.config['batch_input_shape'] as (number | null)[]).map((d) => d ?? null);
  const ids = pinnedIds(shape.length > 1 ? (shape.at(-1) ?? 0) : 0);
  return carried({ shape, axis: shape.length - 1, ids });
};
