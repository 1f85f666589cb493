import type { Syntax } from '../syntax';
import { argument, type CallArguments } from './evaluation';
import type { Graph } from './graph';
import * as ops from './ops';
import { readNumber } from './shapes';
import { sumOf, type Tensor } from './tensor';
import { listOf, stopAt, truthOf, unknownAt, type LayerValue, type Value } from './values';

/**
 * Makes an `nn.LSTM` or `nn.RNN` of one layer that reads `[batch, time, features]`. It gives all steps; a model that
 * takes the last one (`out[:, -1]`) makes it give only that.
 *
 * @throws Stop `unsupported` for what has no counterpart
 */
export function makeTorchRecurrent(
  graph: Graph,
  type: 'LSTM' | 'RNN',
  args: CallArguments,
  node: Syntax,
): LayerValue {
  const inputSize = argument(args, 0, 'input_size');
  const given = argument(args, 1, 'hidden_size');
  const units = readNumber(given, 'hidden_size', node);
  const width = given?.kind === 'number' ? given : { kind: 'number' as const, value: units };
  const [useBias, activation] = readKind(type, args, node);
  const site = graph.site(node, type, width, true);
  const apply = (inputs: readonly Tensor[], name: string, at: Syntax): Tensor => {
    const [first] = inputs;
    if (first === undefined) throw stopAt(at, 'unknown-value', 'What goes into this layer is not known.');
    const isUnread = first.shape === undefined && first.origin?.shape === undefined;
    const input =
      isUnread && inputSize?.kind === 'number' ? graph.bind(first, [null, inputSize.value]) : first;
    const features = ops.featuresOf(input, at);
    if (features.length !== 2)
      throw stopAt(at, 'shape-mismatch', `nn.${type} reads [time, features]; other axes come in here.`);
    graph.expect(inputSize, input, 'input_size', node);
    const config: Record<string, unknown> = {
      ...{ units, activation, use_bias: useBias, return_sequences: true },
      ...(type === 'LSTM' ? { recurrent_activation: 'sigmoid', unit_forget_bias: false } : {}),
    };
    const shape = [features[0] ?? null, units];
    const channels = sumOf(site);
    const made = graph.add(type === 'LSTM' ? 'LSTM' : 'SimpleRNN', name, config, [input], {
      shape,
      channels,
    });
    const steps = { isLastOnly: false, node: at };
    const last = (): Tensor => {
      graph.keepLastStep(name, at);
      steps.isLastOnly = true;
      return graph.tensorOf(made, [units]);
    };
    return { ...made, last, steps };
  };
  // The states after the last step are only had as the last step itself.
  const wrap = (tensor: Tensor, at: Syntax): Value => {
    const state = unknownAt(at, 'the state is not read here; take the last step, out[:, -1]');
    const states = type === 'LSTM' ? listOf([state, state], true) : state;
    return listOf([{ kind: 'tensor', tensor }, states], true);
  };
  return { kind: 'layer', type, node, site, name: undefined, apply, wrap };
}

/** Whether it has a bias, and its activation. */
function readKind(type: 'LSTM' | 'RNN', args: CallArguments, node: Syntax): [boolean, string] {
  const shift = type === 'RNN' ? 1 : 0;
  const isOn = (value: Value | undefined, fallback: boolean): boolean =>
    value === undefined ? fallback : (truthOf(value) ?? fallback);
  const layers = argument(args, 2, 'num_layers');
  const refuse = (what: string): never => {
    throw stopAt(node, 'unsupported', `nn.${type} ${what}.`);
  };
  if (layers !== undefined && readNumber(layers, 'num_layers', node) !== 1)
    refuse('of several layers is not supported; write one after the other');
  if (!isOn(args.positional[4 + shift] ?? args.named.get('batch_first'), false))
    refuse('is read with batch_first=True only; the batch comes first in the data');
  if (isOn(args.positional[6 + shift] ?? args.named.get('bidirectional'), false))
    refuse('in both directions is not supported');
  if (args.named.has('proj_size')) refuse('with proj_size is not supported');
  const useBias = isOn(args.positional[3 + shift] ?? args.named.get('bias'), true);
  const kind = type === 'RNN' ? argument(args, 3, 'nonlinearity') : undefined;
  return [useBias, kind?.kind === 'string' && kind.value === 'relu' ? 'relu' : 'tanh'];
}
