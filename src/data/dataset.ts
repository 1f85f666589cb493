import { sizeOf } from '../core/tensor';

/** Rows in memory, in the type they came in; a batch is made of any of them. */

export interface Features {
  /** Shape of one row, without the batch. */
  readonly shape: readonly number[];
  readonly data: Float32Array | Uint8Array | Int32Array;
  /** Factor that a stored value is multiplied by, e.g. 1/255. */
  readonly scale: number;
}

export type Labels =
  /** One class a row, 0..classes-1. */
  | { readonly kind: 'classes'; readonly ids: Int32Array; readonly classes: number }
  /** Numbers: one-hot rows, several labels, or targets of a regression. */
  | { readonly kind: 'values'; readonly features: Features };

export interface Rows {
  readonly count: number;
  readonly x: Features;
  readonly y: Labels;
}

export interface Dataset {
  readonly train: Rows;
  readonly validation: Rows;
  readonly test: Rows;
  /** What was decided on the way, for the user. */
  readonly notes: readonly string[];
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
export function fillRows(features: Features, indices: ArrayLike<number>, into: Float32Array): void {
  const size = sizeOf(features.shape);
  const { data, scale } = features;
  for (let i = 0; i < indices.length; i += 1) {
    const from = (indices[i] ?? 0) * size;
    if (data instanceof Float32Array && scale === 1) into.set(data.subarray(from, from + size), i * size);
    else for (let j = 0; j < size; j += 1) into[i * size + j] = (data[from + j] ?? 0) * scale;
  }
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

/** A copy of chosen rows. */
export function takeRows(rows: Rows, indices: Uint32Array): Rows {
  return {
    count: indices.length,
    x: takeFeatures(rows.x, indices),
    y:
      rows.y.kind === 'classes'
        ? {
            ...rows.y,
            ids: Int32Array.from(indices, (i) => (rows.y.kind === 'classes' ? (rows.y.ids[i] ?? 0) : 0)),
          }
        : { kind: 'values', features: takeFeatures(rows.y.features, indices) },
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
