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
