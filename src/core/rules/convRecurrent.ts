import { tileIds } from '../channels';
import { firstInput, joinStates } from './recurrent';
import { isChannelsFirst, numberIn, numbersIn, positions, weight, windowLength } from './rule';
import type { Rule, TensorInfo } from './rule';

const GATES = 4;

/**
 * ConvLSTM2D: kernel [...window, in, 4 · filters], recurrent kernel [...window, filters, 4 · filters], bias
 * [4 · filters]. As in an LSTM the switch gates the state where the recurrent kernel reads it; the recurrent convolution
 * keeps the length of the picture.
 */
export const convLstm: Rule = (layer, inputs, channels) => {
  const input = firstInput(layer, inputs);
  const { config } = layer;
  const first = isChannelsFirst(config);
  const lengths = first ? input.shape.slice(3) : input.shape.slice(2, 4);
  const kernel = numbersIn(config, 'kernel_size', 2, 1);
  const strides = numbersIn(config, 'strides', 2, 1);
  const dilations = numbersIn(config, 'dilation_rate', 2, 1);
  const padding = config['padding'] ?? 'valid';
  const out = lengths.map((length, i) =>
    windowLength(length, kernel[i] ?? 1, strides[i] ?? 1, padding, dilations[i] ?? 1),
  );
  const units = channels.fresh(numberIn(config, 'filters'));
  const gated = tileIds(units, GATES);
  const weights = [
    weight('kernel', [...kernel, input.ids, gated], { in: 2 }),
    weight('recurrent_kernel', [...kernel, units, gated], { internal: 2 }),
  ];
  if (config['use_bias'] !== false) weights.push(weight('bias', [gated]));
  const [batch = null, time = null] = input.shape;
  const state: TensorInfo = first
    ? { shape: [batch, units.length, ...out], axis: 1, ids: units }
    : { shape: [batch, ...out, units.length], axis: 3, ids: units };
  const sequence: TensorInfo = {
    ...state,
    shape: [batch, time, ...state.shape.slice(1)],
    axis: state.axis + 1,
  };
  const output = config['return_sequences'] === true ? sequence : state;
  const coefficient = positions(out) * positions(kernel) * (time ?? 1);
  return {
    outputs: config['return_state'] === true ? [output, state, state] : [output],
    weights,
    macs: [
      { coefficient, axes: [input.ids, gated] },
      { coefficient, axes: [units, gated] },
    ],
    flow: { kind: 'makes' },
    ungated: joinStates(inputs, [units, units], channels),
    widthKey: 'filters',
    resize: (count) => ({ filters: count(units) }),
  };
};
