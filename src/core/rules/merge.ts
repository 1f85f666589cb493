import { badInput } from '../errors';
import { concatIds, pinnedIds } from '../channels';
import type { Flow, Rule, TensorInfo } from './rule';

/** Elementwise merges join the channels of all inputs; an input of length 1 on the channel axis is broadcast. */
export const elementwise =
  (scaling: 'linear' | 'positive' | 'none'): Rule =>
  (layer, inputs, channels) => {
    const [first] = inputs;
    if (first === undefined) throw new RangeError(`${layer.name} has no inputs`);
    // Inputs of lower rank are broadcast from the back, as the layer does it.
    const rank = Math.max(...inputs.map((input) => input.shape.length));
    const lead = inputs.find((input) => input.shape.length === rank && input.ids.length > 1) ?? first;
    for (const input of inputs) {
      const shift = rank - input.shape.length;
      if (input.ids.length === 1 && lead.ids.length > 1)
        channels.pin(input.ids, `${layer.name} spreads a single channel over all channels`);
      else if (input.axis + shift === lead.axis && input.ids.length === lead.ids.length)
        channels.join(input.ids, lead.ids);
      else
        throw badInput(
          'merge-axes',
          `${layer.name} (${layer.className}) merges tensors whose channels lie on different axes; mark it off or arrange them alike.`,
        );
    }
    const shape = lead.shape.map((length, axis) => {
      const lengths = inputs.map((input) => input.shape[axis - (rank - input.shape.length)] ?? null);
      return lengths.find((other) => other !== null && other > 1) ?? length;
    });
    return {
      outputs: [{ shape, axis: lead.axis, ids: lead.ids }],
      weights: [],
      macs: [],
      flow: { kind: 'carries', zero: true, scaling },
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
  if (inputs.some((input) => input.axis !== first.axis))
    throw badInput('merge-axes', `${layer.name} concatenates tensors whose channels lie on different axes.`);
  if (axis === first.axis) {
    const ids = concatIds(inputs.map((input) => input.ids));
    return { outputs: [{ shape, axis, ids }], weights: [], macs: [], flow };
  }
  for (const input of inputs) channels.join(input.ids, first.ids);
  return { outputs: [{ shape, axis: first.axis, ids: first.ids }], weights: [], macs: [], flow };
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
