import type { Syntax } from '../syntax';
import { stopAt, type Value } from './values';

/** What layers of Keras can be told that layers of TensorFlow.js cannot: said by name rather than left out. */

type Values = ReadonlyMap<string, Value>;

const RECURRENT = /^(?:LSTM|GRU|SimpleRNN)$/;

/** @throws Stop `unsupported` */
export function refuseUnsupported(type: string, values: Values, node: Syntax): void {
  const isTrue = (key: string): boolean => isBool(values.get(key), true);
  const refuse = (what: string, instead: string): never => {
    throw stopAt(node, 'unsupported', `${type} layers with ${what} are not supported; ${instead}.`);
  };
  const groups = values.get('groups');
  if (groups?.kind === 'number' && groups.value !== 1)
    refuse(
      `groups=${groups.value}`,
      'TensorFlow.js has no grouped convolutions; take a whole or a depthwise one',
    );
  if (isText(values.get('data_format'), 'channels_first'))
    refuse('data_format="channels_first"', 'put the channels last');
  if (isText(values.get('padding'), 'causal'))
    refuse('padding="causal"', 'pad the input by a layer of its own');
  const interpolation = values.get('interpolation');
  if (isGiven(interpolation) && !isText(interpolation, 'nearest'))
    refuse('interpolation other than "nearest"', 'TensorFlow.js takes its points elsewhere; leave it out');
  if (type === 'Conv2DTranspose' && isGiven(values.get('output_padding')))
    refuse('output_padding', 'leave it out');
  if (type === 'GRU' && !isBool(values.get('reset_after'), false))
    refuse(
      'reset_after=True, the default,',
      'TensorFlow.js resets before the product: write reset_after=False',
    );
  if (RECURRENT.test(type))
    for (const key of ['return_state', 'go_backwards', 'stateful'])
      if (isTrue(key)) refuse(`${key}=True`, 'leave it out');
  for (const key of ['activation', 'recurrent_activation']) {
    const value = values.get(key);
    if (value !== undefined && !/^(?:string|path|none|unknown)$/.test(value.kind))
      refuse(`a ${value.kind} as ${key}`, 'put it behind as a layer of its own');
  }
}

function isText(value: Value | undefined, text: string): boolean {
  return value?.kind === 'string' && value.value.toLowerCase() === text;
}

function isBool(value: Value | undefined, wanted: boolean): boolean {
  return value?.kind === 'bool' && value.value === wanted;
}

function isGiven(value: Value | undefined): boolean {
  return value !== undefined && value.kind !== 'none';
}
