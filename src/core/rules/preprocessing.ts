import { pinnedIds } from '../channels';
import { numberIn, only, type Rule } from './rule';

/** Rescaling: `y = scale · x + offset`, element by element. A zero stays zero only without an offset. */
export const rescaling: Rule = (layer, inputs) => {
  const isLinear = numberIn(layer.config, 'offset', 0) === 0;
  return {
    outputs: [only(inputs, layer)],
    weights: [],
    macs: [],
    flow: { kind: 'carries', zero: isLinear, scaling: isLinear ? 'linear' : 'none' },
  };
};

/** CategoryEncoding reads numbers of categories: its input is no channel of a learned layer, and its output stays. */
export const categoryEncoding: Rule = (layer, inputs, channels) => {
  const input = only(inputs, layer);
  channels.pin(input.ids, `${layer.name} reads numbers of categories`);
  const tokens = numberIn(layer.config, 'num_tokens');
  const grows = layer.config['output_mode'] === 'oneHot' && input.shape.at(-1) !== 1;
  const shape = grows ? [...input.shape, tokens] : [...input.shape.slice(0, -1), tokens];
  return {
    outputs: [{ shape, axis: shape.length - 1, ids: pinnedIds(tokens) }],
    weights: [],
    macs: [],
    flow: { kind: 'makes' },
  };
};
