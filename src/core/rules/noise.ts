import { only, type Rule } from './rule';

/** Dropout scales what it keeps: a zero stays zero. At inference it does nothing. */
export const dropout: Rule = (layer, inputs) => ({
  outputs: [only(inputs, layer)],
  weights: [],
  macs: [],
  flow: { kind: 'carries', zero: true, scaling: 'linear' },
});

/** Noise that is added (GaussianNoise) or shifts what it drops (AlphaDropout) wakes a zero up during training. */
export const additiveNoise: Rule = (layer, inputs) => ({
  outputs: [only(inputs, layer)],
  weights: [],
  macs: [],
  flow: { kind: 'carries', zero: false, scaling: 'none' },
});

/** Masking looks at all features of a time step to skip it, so that they all stay. */
export const masking: Rule = (layer, inputs, channels) => {
  const input = only(inputs, layer);
  channels.pin(input.ids, `${layer.name} decides by all features of a time step`);
  return { outputs: [input], weights: [], macs: [], flow: { kind: 'carries', zero: true, scaling: 'none' } };
};
