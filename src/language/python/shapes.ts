import type { Syntax } from '../syntax';
import { describeValue, stopAt, stopAtUnknown, type NumberValue, type Value } from './values';

/** Why a size is unknown that another size of the input would tell. */
export const DEPENDS_ON_INPUT = 'it depends on the input';

/** Features of a tensor without the batch axis; null for a length that is not known. */
export type Features = readonly (number | null)[];

export interface Window {
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  /** Keras's words, or zeros on both sides of each axis as in PyTorch. */
  readonly padding: 'valid' | 'same' | readonly number[];
  readonly dilation: readonly number[];
}

/** Lengths of the spatial axes after a convolution or pooling. */
export function slideWindow(spatial: Features, window: Window): Features {
  return spatial.map((length, axis) => {
    if (length === null) return null;
    const [kernel, stride, dilation] = [
      at(window.kernel, axis),
      at(window.strides, axis),
      at(window.dilation, axis),
    ];
    if (window.padding === 'same') return Math.ceil(length / stride);
    const zeros = window.padding === 'valid' ? 0 : 2 * (window.padding[axis] ?? 0);
    return Math.floor((length + zeros - dilation * (kernel - 1) - 1) / stride) + 1;
  });
}

/** Lengths after a transposed convolution. */
export function slideBack(spatial: Features, window: Window): Features {
  return spatial.map((length, axis) => {
    if (length === null) return null;
    const [kernel, stride] = [at(window.kernel, axis), at(window.strides, axis)];
    return window.padding === 'same' ? length * stride : length * stride + Math.max(kernel - stride, 0);
  });
}

export function productOf(features: Features): number | null {
  return features.reduce<number | null>(
    (product, length) => (product === null || length === null ? null : product * length),
    1,
  );
}

/** A number, or one a spatial axis. */
export function readLengths(
  value: Value | undefined,
  rank: number,
  fallback: number,
  what: string,
  node: Syntax,
): number[] {
  if (value === undefined || value.kind === 'none') return Array.from({ length: rank }, () => fallback);
  if (value.kind === 'number') return Array.from({ length: rank }, () => value.value);
  if (value.kind === 'list' && value.items.length === rank)
    return value.items.map((item) => readNumber(item, what, node));
  if (value.kind === 'list' && value.items.length === 1)
    return readLengths(value.items[0], rank, fallback, what, node);
  throw notKnown(value, what, node);
}

/** @throws Stop `unknown-value` */
export function readNumber(value: Value | undefined, what: string, node: Syntax): number {
  if (value?.kind === 'number') return value.value;
  throw notKnown(value, what, node);
}

/** The width as a number with its literal. @throws Stop `unknown-value` */
export function readWidth(value: Value | undefined, what: string, node: Syntax): NumberValue {
  if (value?.kind === 'number') return value;
  if (value?.kind !== 'unknown' || value.cause !== undefined || value.reason.startsWith('the parameter'))
    throw notKnown(value, what, node);
  const message = `${what} is not known: ${value.reason}; write the number there, or a name that stands for one.`;
  throw stopAt(value, 'unknown-value', message);
}

export function notKnown(value: Value | undefined, what: string, node: Syntax): Error {
  const code =
    value?.kind === 'unknown' && value.reason === DEPENDS_ON_INPUT ? 'unknown-size' : 'unknown-value';
  if (value?.kind === 'unknown') return stopAtUnknown(value, code, `${what} is not known: ${value.reason}.`);
  const given = value === undefined ? 'missing' : describeValue(value);
  return stopAt(node, 'unknown-value', `${what} is ${given}; only numbers that can be read here will do.`);
}

function at(values: readonly number[], axis: number): number {
  return values[axis] ?? 1;
}
