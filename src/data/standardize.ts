import type { Dataset, Features, Labels, Rows } from './dataset';
import { rowCount } from './dataset';
import { sizeOf } from '../core/tensor';

/** Means and deviations of each value of a row. */
interface Moments {
  readonly mean: Float64Array;
  readonly deviation: Float64Array;
}

/**
 * Shifts and scales each column to mean 0 and deviation 1: `(x - mean) / deviation`, with the statistics of the training
 * rows alone, in every part. Targets that are values are treated alike. A column that never changes becomes 0.
 *
 * @param measured columns to change, one a value of a row; without it, all
 */
export function standardizeDataset(dataset: Dataset, measured?: readonly boolean[]): Dataset {
  const inputs = momentsOf(dataset.train.x);
  const { y } = dataset.train;
  const targets = y.kind === 'values' ? momentsOf(y.features) : undefined;
  const apply = (rows: Rows): Rows => ({
    ...rows,
    x: standardized(rows.x, inputs, measured),
    y: standardizedLabels(rows.y, targets),
  });
  const count = measured?.filter(Boolean).length ?? sizeOf(dataset.train.x.shape);
  const notes = [
    ...dataset.notes,
    `${count} input columns are standardised: mean 0 and deviation 1 over the training rows; standardize=off leaves them`,
  ];
  if (targets !== undefined) notes.push(describeTargets(targets));
  return {
    train: apply(dataset.train),
    validation: apply(dataset.validation),
    test: apply(dataset.test),
    notes,
  };
}

function describeTargets({ mean, deviation }: Moments): string {
  const single = mean.length === 1 ? ` (mean ${short(mean[0])}, deviation ${short(deviation[0])})` : '';
  return `predicted values are standardised as well${single}: the network's outputs and losses count deviations`;
}

function short(value: number | undefined): string {
  return String(Number((value ?? 0).toPrecision(7)));
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
  for (let j = 0; j < size; j += 1) {
    const root = Math.sqrt(deviation[j] ?? 0);
    // A constant's deviation is only rounding.
    deviation[j] = root > Math.abs(mean[j] ?? 0) * 1e-7 ? root : 0;
  }
  return { mean, deviation };
}

function standardized(
  features: Features,
  { mean, deviation }: Moments,
  measured?: readonly boolean[],
): Features {
  const size = mean.length;
  const { scale } = features;
  const data = Float32Array.from(features.data, (raw, i) => {
    const j = i % size;
    const value = raw * scale;
    if (measured !== undefined && measured[j] !== true) return value;
    const spread = deviation[j] ?? 0;
    return spread === 0 ? 0 : (value - (mean[j] ?? 0)) / spread;
  });
  return { shape: features.shape, data, scale: 1 };
}

function standardizedLabels(labels: Labels, targets: Moments | undefined): Labels {
  if (labels.kind === 'classes' || targets === undefined) return labels;
  return { kind: 'values', features: standardized(labels.features, targets) };
}
