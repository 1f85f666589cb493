import { only, weight, type Flow, type Rule } from './rule';

/** What an elementwise activation does with zeros and with factors. */
const ACTIVATIONS: Readonly<Record<string, { zero: boolean; scaling: 'linear' | 'positive' | 'none' }>> = {
  linear: { zero: true, scaling: 'linear' },
  relu: { zero: true, scaling: 'positive' },
  relu6: { zero: true, scaling: 'none' },
  tanh: { zero: true, scaling: 'none' },
  elu: { zero: true, scaling: 'none' },
  selu: { zero: true, scaling: 'none' },
  softsign: { zero: true, scaling: 'none' },
  swish: { zero: true, scaling: 'none' },
  silu: { zero: true, scaling: 'none' },
  mish: { zero: true, scaling: 'none' },
  gelu: { zero: true, scaling: 'none' },
  gelu_new: { zero: true, scaling: 'none' },
  sigmoid: { zero: false, scaling: 'none' },
  hardSigmoid: { zero: false, scaling: 'none' },
  softplus: { zero: false, scaling: 'none' },
};

/** Configurations hold `hardSigmoid` as TensorFlow.js says it or `hard_sigmoid` as Keras does. */
export function activationName(value: unknown): string {
  const name = typeof value === 'string' ? value : 'linear';
  if (name === 'gelu_new') return name;
  return name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

function carries(zero: boolean, scaling: 'linear' | 'positive' | 'none'): Flow {
  return { kind: 'carries', zero, scaling };
}

/** Activation: softmax and its kin look at all channels at once and pin them. */
export const activation: Rule = (layer, inputs, channels) => {
  const input = only(inputs, layer);
  const name = activationName(layer.config['activation']);
  const known = ACTIVATIONS[name];
  if (known === undefined) {
    channels.pin(input.ids, `${layer.name} (${name}) looks at all channels at once`);
    return { outputs: [input], weights: [], macs: [], flow: carries(false, 'none') };
  }
  return { outputs: [input], weights: [], macs: [], flow: carries(known.zero, known.scaling) };
};

/** Softmax as a layer. */
export const softmax: Rule = (layer, inputs, channels) => {
  const input = only(inputs, layer);
  channels.pin(input.ids, `${layer.name} (softmax) looks at all channels at once`);
  return { outputs: [input], weights: [], macs: [], flow: carries(false, 'none') };
};

/** Activation layers of fixed form: ReLU (with a ceiling it does not scale), LeakyReLU, ELU. */
export const relu: Rule = (layer, inputs) => ({
  outputs: [only(inputs, layer)],
  weights: [],
  macs: [],
  flow: carries(true, layer.config['max_value'] == null ? 'positive' : 'none'),
});

export const leakyRelu: Rule = (layer, inputs) => ({
  outputs: [only(inputs, layer)],
  weights: [],
  macs: [],
  flow: carries(true, 'positive'),
});

export const elu: Rule = (layer, inputs) => ({
  outputs: [only(inputs, layer)],
  weights: [],
  macs: [],
  flow: carries(true, 'none'),
});

/** PReLU: alpha has the input's shape, or 1 along shared axes. */
export const prelu: Rule = (layer, inputs, channels) => {
  const input = only(inputs, layer);
  const shared = (layer.config['shared_axes'] as number[] | number | null | undefined) ?? [];
  const sharedAxes = Array.isArray(shared) ? shared : [shared];
  const axes = input.shape.slice(1).map((length, i) => {
    const axis = i + 1;
    if (sharedAxes.includes(axis)) return 1;
    return axis === input.axis ? input.ids : (length ?? 1);
  });
  if (input.shape.slice(1).includes(null))
    channels.pin(input.ids, `${layer.name} has a slope for every element of an input of unknown length`);
  return {
    outputs: [input],
    weights: [weight('alpha', axes)],
    macs: [],
    flow: carries(true, 'positive'),
  };
};
