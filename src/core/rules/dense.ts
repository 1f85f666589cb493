import { only, numberIn, positions, weight, type Rule } from './rule';
import { pinnedIds } from '../channels';

/** Dense: kernel [in, units], bias [units]; contracts the last axis. */
export const dense: Rule = (layer, inputs, channels) => {
  const input = only(inputs, layer);
  const last = input.shape.length - 1;
  const inIds = input.axis === last ? input.ids : pinnedIds(input.shape[last] ?? 0);
  if (input.axis !== last)
    channels.pin(input.ids, `${layer.name} works along another axis than the one that carries the channels`);
  const outIds = channels.fresh(numberIn(layer.config, 'units'));
  const weights = [weight('kernel', [inIds, outIds], { in: 0, out: 1 })];
  if (layer.config['use_bias'] !== false) weights.push(weight('bias', [outIds], { out: 0 }));
  const shape = [...input.shape.slice(0, last), outIds.length];
  return {
    outputs: [{ shape, axis: last, ids: outIds }],
    weights,
    macs: [{ coefficient: positions(input.shape.slice(1, last)), axes: [inIds, outIds] }],
    flow: { kind: 'makes' },
    widthKey: 'units',
    resize: (count) => ({ units: count(outIds) }),
  };
};

/** Embedding: table [vocabulary, dim]; its input are indices, which are no channels. */
export const embedding: Rule = (layer, inputs, channels) => {
  const input = only(inputs, layer);
  const ids = channels.fresh(numberIn(layer.config, 'output_dim'));
  const shape = [...input.shape, ids.length];
  return {
    outputs: [{ shape, axis: shape.length - 1, ids }],
    weights: [weight('embeddings', [numberIn(layer.config, 'input_dim'), ids], { out: 1 })],
    macs: [],
    flow: { kind: 'makes' },
    widthKey: 'output_dim',
    resize: (count) => ({ output_dim: count(ids) }),
  };
};
