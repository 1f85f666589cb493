import { isChannelsFirst, numbersIn, only, windowLength, type Rule, type TensorInfo } from './rule';

/** Max and average pooling: a window per channel. Max lets factors above 0 through, average any. */
export const pooling =
  (rank: number, kind: 'max' | 'average'): Rule =>
  (layer, inputs) => {
    const input = only(inputs, layer);
    const first = isChannelsFirst(layer.config);
    const pool = numbersIn(layer.config, 'pool_size', rank, 2);
    const strides = layer.config['strides'] == null ? pool : numbersIn(layer.config, 'strides', rank, 2);
    const start = first ? 2 : 1;
    const shape = input.shape.map((length, axis) => {
      const i = axis - start;
      if (i < 0 || i >= rank) return length;
      return windowLength(length, pool[i] ?? 2, strides[i] ?? 2, layer.config['padding'] ?? 'valid');
    });
    return {
      outputs: [{ ...input, shape }],
      weights: [],
      macs: [],
      flow: { kind: 'carries', zero: true, scaling: kind === 'max' ? 'positive' : 'linear' },
    };
  };

/** Global pooling: one number a channel. */
export const globalPooling =
  (kind: 'max' | 'average'): Rule =>
  (layer, inputs, channels) => {
    const input = only(inputs, layer);
    const expected = isChannelsFirst(layer.config) ? 1 : input.shape.length - 1;
    const flow = { kind: 'carries', zero: true, scaling: kind === 'max' ? 'positive' : 'linear' } as const;
    if (input.axis === expected) {
      const output: TensorInfo = { shape: [null, input.ids.length], axis: 1, ids: input.ids };
      return { outputs: [output], weights: [], macs: [], flow };
    }
    channels.pin(input.ids, `${layer.name} pools over the axis that carries the channels`);
    const kept = input.shape[expected] ?? 0;
    const output: TensorInfo = { shape: [null, kept], axis: 1, ids: new Int32Array(kept) };
    return { outputs: [output], weights: [], macs: [], flow };
  };
