import { badInput } from '../core/errors';
import { sizeOf } from '../core/tensor';
import { inputsOf, mapRows, type AnyFeatures, type Dataset, type Features, type Rows } from '../data/dataset';

type Axes = 'channels-first' | 'channels-last';

/** What an input of the model wants. */
export interface InputWanted {
  /** Of one row, channels last; `null` for unknown lengths. */
  readonly shape: readonly (number | null)[];
  /** Of several inputs, its name, for messages. */
  readonly name?: string;
}

/**
 * Brings rows into the shapes that the topology wants, which is channels last. Rows for a channels-first source
 * (PyTorch) come as its author has them, `[channels, height, width]`, and are transposed here, once. Rows of the same
 * number of values are read in the author's shape; anything else is an error.
 *
 * @param wanted input by input
 * @param notes gets a sentence for what was done
 * @throws ShrinkError `data-shape`
 */
export function fitInputs<X extends AnyFeatures>(
  data: Dataset<X>,
  wanted: readonly InputWanted[],
  axes: Axes | undefined,
  notes: string[],
): Dataset<X> {
  return wanted.reduce((fitted, input, at) => fitInput(fitted, at, input, axes, notes), data);
}

function fitInput<X extends AnyFeatures>(
  data: Dataset<X>,
  at: number,
  { shape: wanted, name }: InputWanted,
  axes: Axes | undefined,
  notes: string[],
): Dataset<X> {
  const given = inputsOf(data.train)[at]?.shape ?? [];
  const of = name === undefined ? '' : ` of ${name}`;
  const isFirst = axes === 'channels-first' && wanted.length > 1;
  const authored = isFirst ? [wanted.at(-1) ?? null, ...wanted.slice(0, -1)] : wanted;
  if (isFirst && fits(given, authored)) return transposed(data, at, given, of, notes);
  if (fits(given, wanted)) {
    if (isFirst) notes.push(`rows${of} of shape [${given.join(', ')}] are taken as channels last already`);
    return data;
  }
  const known = authored.every((length) => length !== null);
  const shape = authored.map((length) => length ?? 0);
  if (!known || sizeOf(given) !== sizeOf(shape))
    throw badInput(
      'data-shape',
      `The rows of the data${of} have shape [${given.join(', ')}], but the model's input is [${authored.map((d) => d ?? '?').join(', ')}]; change ${axes === undefined ? 'inputShape' : 'the model’s input'} or the data.`,
    );
  notes.push(`rows${of} of shape [${given.join(', ')}] are read as [${shape.join(', ')}]`);
  const read = mapFeatures(data, at, (x) => ({ ...x, shape }));
  return isFirst ? transposed(read, at, shape, of, notes) : read;
}

function fits(given: readonly number[], wanted: readonly (number | null)[]): boolean {
  return (
    given.length === wanted.length && given.every((length, i) => wanted[i] === null || wanted[i] === length)
  );
}

/** @param given `[channels, ...space]` */
function transposed<X extends AnyFeatures>(
  data: Dataset<X>,
  at: number,
  given: readonly number[],
  of: string,
  notes: string[],
): Dataset<X> {
  const shape = [...given.slice(1), given[0] ?? 1];
  notes.push(`rows${of} of shape [${given.join(', ')}] are transposed to [${shape.join(', ')}] for training`);
  return mapFeatures(data, at, (x) => {
    if (given[0] === 1) return { ...x, shape };
    if (!('fill' in x)) return { ...x, shape, data: channelsToTheEnd(given, x.data, emptyLike(x.data)) };
    const fill = (indices: ArrayLike<number>, into: Float32Array): void => {
      x.fill(indices, into);
      channelsToTheEnd(given, into.slice(0, indices.length * sizeOf(given)), into);
    };
    return { ...x, shape, fill };
  });
}

function emptyLike<T extends Features['data']>(data: T): T {
  return new (data.constructor as new (length: number) => T)(data.length);
}

/** Changes one input in every part. */
function mapFeatures<X extends AnyFeatures>(
  data: Dataset<X>,
  at: number,
  change: (x: AnyFeatures) => AnyFeatures,
): Dataset<X> {
  const part = (rows: Rows<X>): Rows<X> =>
    mapRows(rows, { x: (x, i) => (i === at ? (change(x) as X) : x), y: (y) => y });
  return { ...data, train: part(data.train), validation: part(data.validation), test: part(data.test) };
}

/** Rows of shape `[channels, ...space]`, as `[...space, channels]`. @param into of the length of `data`, another array */
function channelsToTheEnd<T extends Features['data']>(given: readonly number[], data: T, into: T): T {
  const channels = given[0] ?? 1;
  const size = sizeOf(given);
  const positions = size / channels;
  for (let row = 0; row < data.length; row += size)
    for (let c = 0; c < channels; c += 1)
      for (let at = 0; at < positions; at += 1)
        into[row + at * channels + c] = data[row + c * positions + at] ?? 0;
  return into;
}
