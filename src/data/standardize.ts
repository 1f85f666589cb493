import type { AnyFeatures, Dataset, Features, Labels, Rows, StoredFeatures, Standardized } from './dataset';
import { rowCount } from './dataset';
import { badInput } from '../core/errors';
import { sizeOf } from '../core/tensor';

/** Values of rows that statistics read at once. */
const CHUNK_VALUES = 2 ** 20;

/** Means and deviations of each value of a row. */
interface Moments {
  readonly mean: Float64Array;
  readonly deviation: Float64Array;
}

/**
 * Shifts and scales each column to mean 0 and deviation 1: `(x - mean) / deviation`, with the statistics of the training
 * rows alone, in every part. Targets that are values are treated alike, if they may. A column that never changes becomes 0.
 *
 * @param measured columns to change, one a value of a row; without it, all
 * @param withTargets whether predicted values are changed as well
 * @throws ShrinkError `data-standardize` for several inputs or outputs
 */
export function standardizeDataset<X extends AnyFeatures>(
  dataset: Dataset<X>,
  measured?: readonly boolean[],
  withTargets = true,
): Dataset<X> {
  if (dataset.train.several !== undefined)
    throw badInput(
      'data-standardize',
      'standardize=on is for data with one input and one output; standardise in the data module.',
    );
  const trained: AnyFeatures = dataset.train.x;
  const inputs = 'fill' in trained ? storedMoments(trained) : momentsOf(trained);
  const { y } = dataset.train;
  const targets = y.kind === 'values' && withTargets ? momentsOf(y.features) : undefined;
  const apply = (rows: Rows<X>): Rows<X> => ({
    ...rows,
    x: standardizedAny(rows.x, inputs, measured) as X,
    y: standardizedLabels(rows.y, targets),
  });
  const isScaled = (j: number): boolean => measured === undefined || measured[j] === true;
  const each = valuesOf(inputs).map((value, j) => (isScaled(j) ? value : null));
  const count = measured?.filter(Boolean).length ?? sizeOf(dataset.train.x.shape);
  const notes = [
    ...dataset.notes,
    `${count} input columns are standardised: mean 0 and deviation 1 over the training rows; standardize=off leaves them`,
  ];
  if (targets !== undefined) notes.push(describeTargets(targets));
  else if (y.kind === 'values') notes.push('predicted values are left as they are, as their loss wants them');
  return {
    train: apply(dataset.train),
    validation: apply(dataset.validation),
    test: apply(dataset.test),
    notes,
    origin: {
      ...dataset.origin,
      inputs: each,
      ...(targets === undefined ? {} : { outputs: valuesOf(targets) }),
    },
  };
}

function valuesOf({ mean, deviation }: Moments): Standardized[] {
  return [...mean].map((value, j) => ({ mean: value, deviation: deviation[j] ?? 0 }));
}

function describeTargets({ mean, deviation }: Moments): string {
  const single = mean.length === 1 ? ` (mean ${short(mean[0])}, deviation ${short(deviation[0])})` : '';
  return `predicted values are standardised as well${single}: the network's outputs and losses count deviations`;
}

function short(value: number | undefined): string {
  return String(Number((value ?? 0).toPrecision(7)));
}

/** Statistics in one pass over what is on disk (Welford, Technometrics 4, 1962). */
function storedMoments(stored: StoredFeatures): Moments {
  const size = sizeOf(stored.shape);
  const order = stored.ordered();
  const atOnce = Math.max(1, Math.floor(CHUNK_VALUES / size));
  const chunk = new Float32Array(Math.min(atOnce, order.length) * size);
  const mean = new Float64Array(size);
  const squares = new Float64Array(size);
  let count = 0;
  for (let start = 0; start < order.length; start += atOnce) {
    const rows = order.subarray(start, start + atOnce);
    stored.fill(rows, chunk);
    for (let row = 0; row < rows.length; row += 1) {
      count += 1;
      for (let j = 0; j < size; j += 1) {
        const value = chunk[row * size + j] ?? 0;
        const off = value - (mean[j] ?? 0);
        const moved = (mean[j] ?? 0) + off / count;
        mean[j] = moved;
        squares[j] = (squares[j] ?? 0) + off * (value - moved);
      }
    }
  }
  return { mean, deviation: squares.map((sum, j) => spreadOf(sum / count, mean[j] ?? 0)) };
}

/** A constant's deviation is only rounding. */
function spreadOf(variance: number, mean: number): number {
  const root = Math.sqrt(variance);
  return root > Math.abs(mean) * 1e-7 ? root : 0;
}

function momentsOf(features: Features): Moments {
  const size = sizeOf(features.shape);
  const count = rowCount(features);
  const mean = new Float64Array(size);
  const deviation = new Float64Array(size);
  const { data, scale } = features;
  for (let i = 0; i < data.length; i += 1)
    mean[i % size] = (mean[i % size] ?? 0) + ((data[i] ?? 0) * scale) / count;
  for (let i = 0; i < data.length; i += 1)
    deviation[i % size] =
      (deviation[i % size] ?? 0) + ((data[i] ?? 0) * scale - (mean[i % size] ?? 0)) ** 2 / count;
  return { mean, deviation: deviation.map((variance, j) => spreadOf(variance, mean[j] ?? 0)) };
}

/** What becomes of a value in place `j` of a row. */
function standardizer(
  { mean, deviation }: Moments,
  measured?: readonly boolean[],
): (value: number, j: number) => number {
  return (value, j) => {
    if (measured !== undefined && measured[j] !== true) return value;
    const spread = deviation[j] ?? 0;
    return spread === 0 ? 0 : (value - (mean[j] ?? 0)) / spread;
  };
}

function standardizedAny(
  features: AnyFeatures,
  moments: Moments,
  measured?: readonly boolean[],
): AnyFeatures {
  if (!('fill' in features)) return standardized(features, moments, measured);
  const change = standardizer(moments, measured);
  const size = moments.mean.length;
  return {
    ...features,
    fill: (indices, into) => {
      features.fill(indices, into);
      for (let i = 0; i < indices.length * size; i += 1) into[i] = change(into[i] ?? 0, i % size);
    },
  };
}

function standardized(features: Features, moments: Moments, measured?: readonly boolean[]): Features {
  const size = moments.mean.length;
  const change = standardizer(moments, measured);
  const { scale } = features;
  const data = Float32Array.from(features.data, (raw, i) => change(raw * scale, i % size));
  return { shape: features.shape, data, scale: 1 };
}

function standardizedLabels(labels: Labels, targets: Moments | undefined): Labels {
  if (labels.kind === 'classes' || targets === undefined) return labels;
  return { kind: 'values', features: standardized(labels.features, targets) };
}
