import { sizeOf } from '../core/tensor';
import { fillByteRows } from './byteRows';

/** Rows, in memory in the type they came in or on disk; a batch is made of any of them. */

export interface Features {
  /** Shape of one row, without the batch. */
  readonly shape: readonly number[];
  readonly data: Float32Array | Uint8Array | Int32Array;
  /** Factor that a stored value is multiplied by, e.g. 1/255. */
  readonly scale: number;
}

/** Rows that stay on disk. */
export interface StoredFeatures {
  /** Shape of one row, without the batch. */
  readonly shape: readonly number[];
  /** Writes chosen rows as floats, `indices.length` rows of `shape`. */
  fill(indices: ArrayLike<number>, into: Float32Array): void;
  /** The numbers of all rows, in the order in which they lie on disk. */
  ordered(): Uint32Array;
}

export type AnyFeatures = Features | StoredFeatures;

/** Labels are in memory: a few bytes a row. */
export type Labels =
  /** One class a row, 0..classes-1. */
  | { readonly kind: 'classes'; readonly ids: Int32Array; readonly classes: number }
  /** Numbers: one-hot rows, several labels, or targets of a regression. */
  | { readonly kind: 'values'; readonly features: Features };

/** Rows of a model: what its inputs are given and what its outputs should say. */
export interface Rows<X = AnyFeatures> {
  readonly count: number;
  readonly x: X;
  readonly y: Labels;
  /** Absent where there is one input and one output, and neither has a name. */
  readonly several?: Several<X>;
}

/** The inputs after `x` and the labels after `y`. */
export interface Several<X = AnyFeatures> {
  readonly x: readonly X[];
  readonly y: readonly Labels[];
  /** Names of all inputs, `x` first, where they were given by name. */
  readonly inputNames?: readonly string[];
  /** Names of all outputs, `y` first, where they were given by name. */
  readonly outputNames?: readonly string[];
}

/** What each input is given. */
export function inputsOf<X>({ x, several }: Rows<X>): readonly X[] {
  return [x, ...(several?.x ?? [])];
}

/** Labels of each output. */
export function labelsOf({ y, several }: Rows<unknown>): readonly Labels[] {
  return [y, ...(several?.y ?? [])];
}

/**
 * The same rows with other inputs and labels in the place of theirs.
 *
 * @param change gets each with its position
 */
export function mapRows<X, Z>(
  rows: Rows<X>,
  change: { readonly x: (x: X, at: number) => Z; readonly y: (y: Labels, at: number) => Labels },
): Rows<Z> {
  const { several, ...first } = rows;
  return {
    ...first,
    x: change.x(rows.x, 0),
    y: change.y(rows.y, 0),
    ...(several === undefined
      ? {}
      : {
          several: {
            ...several,
            x: several.x.map((x, i) => change.x(x, i + 1)),
            y: several.y.map((y, i) => change.y(y, i + 1)),
          },
        }),
  };
}

/** A value that was shifted and scaled: `(value - mean) / deviation`, or 0 where the deviation is 0. */
export interface Standardized {
  readonly mean: number;
  readonly deviation: number;
}

/** What is known of the columns or classes that rows were made of. */
export interface Origin {
  /** Shape of one row as the source's axes have it. */
  readonly shape?: readonly number[];
  /** Columns of a table that became the inputs, in their order: numbers, or texts that became a 1 at their place. */
  readonly columns?: readonly { readonly name: string; readonly texts?: readonly string[] }[];
  /** Names of the classes in the order of the outputs. */
  readonly classes?: readonly string[];
  /** Names of what is predicted. */
  readonly targets?: readonly string[];
  /** One a value of a row. Absent where nothing was standardised. */
  readonly inputs?: readonly (Standardized | null)[];
  /** One a predicted value. Absent where nothing was standardised. */
  readonly outputs?: readonly Standardized[];
}

export interface Dataset<X = AnyFeatures> {
  readonly train: Rows<X>;
  readonly validation: Rows<X>;
  readonly test: Rows<X>;
  /** What was decided on the way, for the user. */
  readonly notes: readonly string[];
  /** Where rows come from and how they were changed. */
  readonly origin?: Origin;
}

export function rowCount(features: Features): number {
  const size = sizeOf(features.shape);
  return size === 0 ? 0 : features.data.length / size;
}

/**
 * Writes chosen rows as floats.
 *
 * @param indices row numbers; `into` holds `indices.length` rows of `features.shape`
 */
export function fillRows(features: AnyFeatures, indices: ArrayLike<number>, into: Float32Array): void {
  if ('fill' in features) {
    features.fill(indices, into);
    return;
  }
  const size = sizeOf(features.shape);
  const { data, scale } = features;
  if (data instanceof Uint8Array) {
    fillByteRows(data, size, scale, indices, into);
    return;
  }
  for (let i = 0; i < indices.length; i += 1) {
    const from = (indices[i] ?? 0) * size;
    into.set(data.subarray(from, from + size), i * size);
  }
  if (scale === 1) return;
  for (let i = 0; i < into.length; i += 1) into[i] = (into[i] ?? 0) * scale;
}

/**
 * Writes chosen labels as a loss wants them: one-hot for classes over several outputs, the class number for a single
 * output, values as they are.
 *
 * @param width numbers a row
 */
export function fillLabels(
  labels: Labels,
  indices: ArrayLike<number>,
  width: number,
  into: Float32Array,
): void {
  if (labels.kind === 'values') {
    fillRows(labels.features, indices, into);
    return;
  }
  into.fill(0);
  for (let i = 0; i < indices.length; i += 1) {
    const id = labels.ids[indices[i] ?? 0] ?? 0;
    if (width === 1) into[i] = id;
    else into[i * width + id] = 1;
  }
}

/** Chosen rows: a copy, or a view of what is on disk. */
export function takeRows<X extends AnyFeatures>(rows: Rows<X>, indices: Uint32Array): Rows<X> {
  const taken = mapRows<X, X>(rows, {
    x: (x: AnyFeatures) => ('fill' in x ? viewOf(x, indices) : takeFeatures(x, indices)) as X,
    y: (y) =>
      y.kind === 'classes'
        ? { ...y, ids: Int32Array.from(indices, (i) => y.ids[i] ?? 0) }
        : { kind: 'values', features: takeFeatures(y.features, indices) },
  });
  return { ...taken, count: indices.length };
}

function viewOf(stored: StoredFeatures, indices: Uint32Array): StoredFeatures {
  return {
    shape: stored.shape,
    fill: (wanted, into) =>
      stored.fill(
        Uint32Array.from(wanted, (i) => indices[i] ?? 0),
        into,
      ),
    ordered: () => {
      const all = stored.ordered();
      // Row number + 1 by the number it has in `stored`; 0 for rows that were not chosen.
      const chosen = new Uint32Array(all.length);
      indices.forEach((from, to) => (chosen[from] = to + 1));
      return all
        .map((row) => chosen[row] ?? 0)
        .filter((number) => number > 0)
        .map((number) => number - 1);
    },
  };
}

function takeFeatures(features: Features, indices: Uint32Array): Features {
  const size = sizeOf(features.shape);
  const data = new (features.data.constructor as new (length: number) => Features['data'])(
    indices.length * size,
  );
  indices.forEach((from, to) => data.set(features.data.subarray(from * size, (from + 1) * size), to * size));
  return { ...features, data };
}
