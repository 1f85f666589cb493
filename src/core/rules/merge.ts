import { concatIds, pinnedIds, type ChannelIds } from '../channels';
import type { Flow, LayerFacts, Rule, TensorInfo } from './rule';

/**
 * Elementwise merges join the channels of all inputs; an input of length 1 on the channel axis is broadcast, and one of
 * lower rank is from the back. What is broadcast is added to dead channels too: then zero does not stay zero.
 */
export const elementwise =
  (scaling: 'linear' | 'positive' | 'none'): Rule =>
  (layer, inputs, channels) => {
    const [first] = inputs;
    if (first === undefined) throw new RangeError(`${layer.name} has no inputs`);
    const rank = Math.max(...inputs.map((input) => input.shape.length));
    const axisOf = (input: TensorInfo): number => input.axis + rank - input.shape.length;
    const lead = inputs.reduce((widest, input) => (input.ids.length > widest.ids.length ? input : widest));
    const spread = inputs.filter((input) => input.ids.length === 1 && lead.ids.length > 1);
    for (const input of inputs) {
      if (spread.includes(input))
        channels.pin(input.ids, `${layer.name} spreads a single channel over all channels`);
      else if (axisOf(input) === axisOf(lead)) channels.join(input.ids, lead.ids);
      else
        for (const { ids } of [input, lead])
          channels.pin(ids, `${layer.name} merges tensors whose channels lie on different axes`);
    }
    // With one channel left, what is spread over it could not be told from what is joined with it.
    if (spread.length > 0) channels.keepTwo(lead.ids);
    const shape = Array.from({ length: rank }, (_, axis) => {
      const lengths = inputs.map((input) => input.shape[axis - (rank - input.shape.length)]);
      const known = lengths.filter((length) => typeof length === 'number');
      return Math.max(1, ...known) > 1 || !lengths.includes(null) ? Math.max(1, ...known) : null;
    });
    const keepsZero = spread.length === 0 || layer.className === 'Multiply';
    return {
      outputs: [{ shape, axis: axisOf(lead), ids: lead.ids }],
      weights: [],
      macs: [],
      flow: { kind: 'carries', zero: keepsZero, scaling: spread.length === 0 ? scaling : 'none' },
    };
  };

/** Concatenate: on the channel axis channels follow each other, on another axis they are joined. */
export const concatenate: Rule = (layer, inputs, channels) => {
  const [first] = inputs;
  if (first === undefined) throw new RangeError(`${layer.name} has no inputs`);
  const rank = first.shape.length;
  const given = typeof layer.config['axis'] === 'number' ? layer.config['axis'] : -1;
  const axis = given < 0 ? given + rank : given;
  const lengths = inputs.map((input) => input.shape[axis] ?? null);
  const total = lengths.includes(null)
    ? null
    : lengths.reduce<number>((sum, length) => sum + (length ?? 0), 0);
  const shape = first.shape.map((length, i) => (i === axis ? total : length));
  const flow: Flow = { kind: 'carries', zero: true, scaling: 'linear' };
  const made = (at: number, ids: ChannelIds): LayerFacts => ({
    outputs: [{ shape, axis: at, ids }],
    weights: [],
    macs: [],
    flow,
  });
  if (inputs.some((input) => input.axis !== first.axis)) {
    for (const { ids } of inputs)
      channels.pin(ids, `${layer.name} concatenates tensors whose channels lie on different axes`);
    return made(first.axis, pinnedIds(shape[first.axis] ?? 0));
  }
  if (axis === first.axis) return made(axis, concatIds(inputs.map((input) => input.ids)));
  for (const input of inputs) channels.join(input.ids, first.ids);
  return made(first.axis, first.ids);
};

/**
 * Dot sums over one axis of each input. Channels on the summed axes are joined and end there; the output keeps no
 * removable channels.
 */
export const dot: Rule = (layer, inputs, channels) => {
  const [a, b] = inputs;
  if (a === undefined || b === undefined) throw new RangeError(`${layer.name} needs two inputs`);
  const given = layer.config['axes'];
  const axes = Array.isArray(given) ? given.map(Number) : [Number(given), Number(given)];
  const normal = (value: number | undefined, input: TensorInfo): number =>
    (value ?? -1) < 0 ? (value ?? -1) + input.shape.length : (value ?? 0);
  const axisA = normal(axes[0], a);
  const axisB = normal(axes[1], b);
  const normalised = layer.config['normalize'] === true;
  if (!normalised && axisA === a.axis && axisB === b.axis) channels.join(a.ids, b.ids);
  else {
    channels.pin(a.ids, `${layer.name} (dot) keeps or normalises the axis that carries the channels`);
    channels.pin(b.ids, `${layer.name} (dot) keeps or normalises the axis that carries the channels`);
  }
  const rest = [
    ...a.shape.slice(1).filter((_, i) => i + 1 !== axisA),
    ...b.shape.slice(1).filter((_, i) => i + 1 !== axisB),
  ];
  const shape = [null, ...(rest.length === 0 ? [1] : rest)];
  const last = shape.at(-1) ?? 0;
  return {
    outputs: [{ shape, axis: shape.length - 1, ids: pinnedIds(last) }],
    weights: [],
    macs: [],
    // The output's channels are not the inputs': what goes in is consumed.
    flow: { kind: 'makes' },
  };
};
