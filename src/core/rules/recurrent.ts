import { badInput } from '../errors';
import { concatIds, tileIds, type ChannelIds, type ChannelSets } from '../channels';
import type { GraphLayer } from '../graph';
import type { LayerConfig, NestedLayer } from '../topology';
import { numberIn, weight } from './rule';
import type { CostTerm, LayerFacts, LayerWidth, Rule, TensorInfo, WeightInfo } from './rule';

/**
 * Recurrent layers. A unit's switch scales what leaves it: its output where it is consumed, and its state where the
 * recurrent kernel reads it, so that the recurrent path dies with the output. What a unit keeps for itself (the cell
 * state of an LSTM, the part of its state that a GRU carries over) goes with it.
 */

/** Gates of each cell: how many kernels lie side by side. */
const GATES: Readonly<Record<string, number>> = { SimpleRNN: 1, GRU: 3, LSTM: 4 };

interface Cell {
  readonly units: ChannelIds;
  readonly weights: readonly WeightInfo[];
  /** For one time step. */
  readonly macs: readonly CostTerm[];
}

/** @param inner whether the input comes from another cell of the same layer */
function describeCell(
  gates: number,
  config: LayerConfig,
  input: ChannelIds,
  inner: boolean,
  channels: ChannelSets,
): Cell {
  const units = channels.fresh(numberIn(config, 'units'));
  const gated = tileIds(units, gates);
  const weights = [
    weight('kernel', [input, gated], inner ? { internal: 0 } : { in: 0 }),
    weight('recurrent_kernel', [units, gated], { internal: 0 }),
  ];
  if (config['use_bias'] !== false) weights.push(weight('bias', [gated]));
  const macs = [
    { coefficient: 1, axes: [input, gated] },
    { coefficient: 1, axes: [units, gated] },
  ];
  return { units, weights, macs };
}

function overTime(macs: readonly CostTerm[], steps: number | null): CostTerm[] {
  return macs.map((term) => ({ ...term, coefficient: term.coefficient * (steps ?? 1) }));
}

/** Outputs of a recurrent layer: the sequence or its last element, then the states where they are asked for. */
function outputsOf(
  config: LayerConfig,
  input: TensorInfo,
  ids: ChannelIds,
  states: readonly ChannelIds[],
): TensorInfo[] {
  const output: TensorInfo =
    config['return_sequences'] === true
      ? { shape: [input.shape[0] ?? null, input.shape[1] ?? null, ids.length], axis: 2, ids }
      : { shape: [input.shape[0] ?? null, ids.length], axis: 1, ids };
  if (config['return_state'] !== true) return [output];
  return [
    output,
    ...states.map((state): TensorInfo => ({ shape: [null, state.length], axis: 1, ids: state })),
  ];
}

/** First states that are handed in belong to the units one by one; they meet no kernel but the recurrent one. */
export function joinStates(
  inputs: readonly TensorInfo[],
  states: readonly ChannelIds[],
  channels: ChannelSets,
): number[] {
  return inputs.slice(1).map((state, i) => {
    const own = states[i];
    if (own !== undefined) channels.join(state.ids, own);
    return i + 1;
  });
}

export function firstInput(layer: GraphLayer, inputs: readonly TensorInfo[]): TensorInfo {
  const [input] = inputs;
  if (input === undefined) throw new RangeError(`${layer.name} has no input`);
  return input;
}

/** SimpleRNN, GRU, LSTM: kernel [in, gates · units], recurrent kernel [units, gates · units], bias [gates · units]. */
export const recurrent =
  (className: 'SimpleRNN' | 'GRU' | 'LSTM'): Rule =>
  (layer, inputs, channels) => {
    const input = firstInput(layer, inputs);
    const cell = describeCell(GATES[className] ?? 1, layer.config, input.ids, false, channels);
    const states = className === 'LSTM' ? [cell.units, cell.units] : [cell.units];
    return {
      outputs: outputsOf(layer.config, input, cell.units, states),
      weights: cell.weights,
      macs: overTime(cell.macs, input.shape[1] ?? null),
      flow: { kind: 'makes' },
      ungated: joinStates(inputs, states, channels),
      widthKey: 'units',
      resize: (count) => ({ units: count(cell.units) }),
    };
  };

/** RNN over one cell or several stacked ones, each with a width of its own. */
export const rnn: Rule = (layer, inputs, channels) => {
  const input = firstInput(layer, inputs);
  const outer = layer.config['cell'] as NestedLayer;
  const stacked = outer.class_name === 'StackedRNNCells';
  const list = stacked ? (outer.config['cells'] as NestedLayer[]) : [outer];
  const cells: Cell[] = [];
  for (const [i, { class_name, config }] of list.entries()) {
    const gates = GATES[class_name.replace(/Cell$/, '')];
    if (gates === undefined)
      throw badInput(
        'unknown-layer',
        `Layer "${layer.name}" has a ${class_name}, which ShrinkNets cannot follow; use simple, GRU or LSTM cells.`,
      );
    cells.push(describeCell(gates, config, cells[i - 1]?.units ?? input.ids, i > 0, channels));
  }
  const last = cells.at(-1)?.units ?? input.ids;
  const states = list.flatMap(({ class_name }, i) => {
    const units = cells[i]?.units ?? last;
    return class_name === 'LSTMCell' ? [units, units] : [units];
  });
  const widths = cells.map((cell, i): LayerWidth => ({
    label: stacked ? `/cell_${i}` : '',
    ids: cell.units,
  }));
  const resizeCell = (cell: NestedLayer, units: number): NestedLayer => ({
    ...cell,
    config: { ...cell.config, units },
  });
  return {
    outputs: outputsOf(layer.config, input, last, states),
    weights: cells.flatMap((cell) => cell.weights),
    macs: overTime(
      cells.flatMap((cell) => cell.macs),
      input.shape[1] ?? null,
    ),
    flow: { kind: 'makes' },
    ungated: joinStates(inputs, states, channels),
    widths,
    resize: (count) => {
      const resized = list.map((cell, i) => resizeCell(cell, count(cells[i]?.units ?? last)));
      const [single] = resized;
      return { cell: stacked ? { ...outer, config: { ...outer.config, cells: resized } } : single };
    },
  };
};

/**
 * Bidirectional: both directions are made from one configuration, so that they have the same width; unit k of one
 * lives and dies with unit k of the other.
 */
export const bidirectional =
  (ruleOf: (layer: GraphLayer) => Rule): Rule =>
  (layer, inputs, channels) => {
    const inner = layer.config['layer'] as NestedLayer;
    const asLayer: GraphLayer = { ...layer, className: inner.class_name, config: inner.config };
    if (inputs.length > 1 || inner.config['return_state'] === true)
      throw badInput(
        'unknown-layer',
        `Layer "${layer.name}" is bidirectional and hands states in or out, which ShrinkNets cannot follow; mark it off.`,
      );
    const describe = ruleOf(asLayer);
    const forward = describe(asLayer, inputs, channels);
    const backward = describe(asLayer, inputs, channels);
    const [a] = forward.outputs;
    const [b] = backward.outputs;
    if (a === undefined || b === undefined) throw new RangeError('a direction has an output');
    channels.join(a.ids, b.ids);
    const mode = layer.config['merge_mode'] ?? null;
    const concatenated: TensorInfo = {
      ...a,
      ids: concatIds([a.ids, b.ids]),
      shape: [...a.shape.slice(0, -1), 2 * a.ids.length],
    };
    const outputs = mode === null ? [a, b] : [mode === 'concat' ? concatenated : a];
    return wrapped(inner, forward, {
      outputs,
      weights: [...forward.weights, ...backward.weights],
      macs: [...forward.macs, ...backward.macs],
      flow: { kind: 'makes' },
      widths: [{ label: '', ids: a.ids }],
    });
  };

/** TimeDistributed: the layer inside sees one time step. */
export const timeDistributed =
  (ruleOf: (layer: GraphLayer) => Rule): Rule =>
  (layer, inputs, channels) => {
    const inner = layer.config['layer'] as NestedLayer;
    const input = firstInput(layer, inputs);
    if (input.axis < 2)
      channels.pin(input.ids, `${layer.name} is applied along the axis that carries the channels`);
    const step: TensorInfo = {
      shape: [input.shape[0] ?? null, ...input.shape.slice(2)],
      axis: Math.max(1, input.axis - 1),
      ids: input.ids,
    };
    const asLayer: GraphLayer = { ...layer, className: inner.class_name, config: inner.config };
    const facts = ruleOf(asLayer)(asLayer, [step], channels);
    const time = input.shape[1] ?? null;
    return wrapped(inner, facts, {
      outputs: facts.outputs.map((output) => ({
        ...output,
        shape: [output.shape[0] ?? null, time, ...output.shape.slice(1)],
        axis: output.axis + 1,
      })),
      weights: facts.weights,
      macs: overTime(facts.macs, time),
      flow: facts.flow,
      ...(facts.widthKey === undefined
        ? {}
        : { widths: [{ label: '', ids: facts.outputs[0]?.ids ?? new Int32Array() }] }),
    });
  };

/** Facts of a wrapper, whose configuration holds that of the layer inside. */
function wrapped(inner: NestedLayer, of: LayerFacts, facts: LayerFacts): LayerFacts {
  const { resize } = of;
  if (resize === undefined) return facts;
  return {
    ...facts,
    resize: (count) => ({ layer: { ...inner, config: { ...inner.config, ...resize(count) } } }),
  };
}
