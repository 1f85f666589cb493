import { only, weight, type Rule } from './rule';

/** BatchNormalization: gamma, beta, then moving mean and variance, one number a channel. */
export const batchNorm: Rule = (layer, inputs, channels) => {
  const input = only(inputs, layer);
  const axis = axisOf(layer.config['axis'], input.shape.length);
  if (axis !== input.axis) {
    channels.pin(
      input.ids,
      `${layer.name} normalises along another axis than the one that carries the channels`,
    );
    const count = input.shape[axis] ?? 0;
    return {
      outputs: [input],
      weights: weightsFor(layer.config, count),
      macs: [],
      flow: { kind: 'carries', zero: false, scaling: 'none' },
    };
  }
  return {
    outputs: [input],
    weights: weightsFor(layer.config, input.ids),
    macs: [],
    // Even without a shift the moving mean is subtracted, so that a zero does not stay one.
    flow: { kind: 'carries', zero: false, scaling: 'none' },
  };
};

function weightsFor(config: Record<string, unknown>, axis: Int32Array | number): ReturnType<typeof weight>[] {
  const weights = [];
  if (config['scale'] !== false) weights.push(weight('gamma', [axis], { out: 0 }));
  if (config['center'] !== false) weights.push(weight('beta', [axis], { out: 0 }));
  weights.push(weight('moving_mean', [axis], { trainable: false }));
  weights.push(weight('moving_variance', [axis], { trainable: false }));
  return weights;
}

/**
 * LayerNormalization: gamma, beta over the normalised axes. Its mean and variance run over all channels, so that a
 * channel of zeros still counts: removing it would change the others. Its input keeps its width.
 */
export const layerNorm: Rule = (layer, inputs, channels) => {
  const input = only(inputs, layer);
  const given = layer.config['axis'] ?? -1;
  const axes = (Array.isArray(given) ? given : [given]).map((axis) => axisOf(axis, input.shape.length));
  const overChannels = axes.includes(input.axis);
  if (overChannels)
    channels.pin(
      input.ids,
      `${layer.name} normalises over all channels: a channel of zeros still counts in its mean`,
    );
  const shape = axes.map((axis) => input.shape[axis] ?? 0);
  const weights = [];
  if (layer.config['scale'] !== false) weights.push(weight('gamma', shape));
  if (layer.config['center'] !== false) weights.push(weight('beta', shape));
  return { outputs: [input], weights, macs: [], flow: { kind: 'carries', zero: false, scaling: 'none' } };
};

function axisOf(value: unknown, rank: number): number {
  const axis = typeof value === 'number' ? value : -1;
  return axis < 0 ? axis + rank : axis;
}
