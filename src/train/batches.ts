import { mixSeed, permutation, seededRandom } from '../core/random';
import { sizeOf } from '../core/tensor';
import {
  fillLabels,
  fillRows,
  inputsOf,
  labelsOf,
  type AnyFeatures,
  type Labels,
  type Rows,
} from '../data/dataset';
import type { TensorSpec } from '../engine/engine';

/**
 * Batches of a set of rows: every row once an epoch, the last batch as small as what is left. Their order is a function
 * of seed and epoch, so that a resumed run sees the same ones.
 */
export class Batches {
  /** Rows of all batches but the last of an epoch; no more than there are rows. */
  readonly batchSize: number;
  readonly perEpoch: number;
  /** Two, so that one can be filled while an engine still reads the other. */
  private readonly buffers: Float32Array[][];
  private filled: { readonly step: number; readonly batch: Float32Array[] } | undefined;
  private readonly inputs: readonly AnyFeatures[];
  private readonly labels: readonly Labels[];
  /** Numbers of a row of each input, then of each output's labels. */
  private readonly sizes: readonly number[];
  private epoch = -1;
  private order: Uint32Array = new Uint32Array(0);

  /** @param labelShapes of one row, output by output, as the losses want them */
  constructor(
    private readonly rows: Rows,
    batchSize: number,
    private readonly labelShapes: readonly (readonly number[])[],
    private readonly seed: number,
  ) {
    this.batchSize = Math.min(batchSize, rows.count);
    this.perEpoch = batchesPerEpoch(rows.count, batchSize);
    this.inputs = inputsOf(rows);
    this.labels = labelsOf(rows);
    this.sizes = [...this.inputs.map(({ shape }) => sizeOf(shape)), ...labelShapes.map(sizeOf)];
    this.buffers = Array.from({ length: 2 }, () =>
      this.sizes.map((size) => new Float32Array(this.batchSize * size)),
    );
  }

  /** Rows of an epoch. */
  get rowsPerEpoch(): number {
    return this.rows.count;
  }

  /** Rows of a step's batch. */
  rowsAt(step: number): number {
    return Math.min(this.batchSize, this.rows.count - (step % this.perEpoch) * this.batchSize);
  }

  /** Shapes of a batch: of each input, then of each output's labels. @param rows that it has */
  specs(rows = this.batchSize): TensorSpec[] {
    const shapes = [...this.inputs.map(({ shape }) => shape), ...this.labelShapes];
    return shapes.map((shape) => ({ shape: [rows, ...shape], dtype: 'float32' }));
  }

  /** The batch of a step, counted over all epochs. Its arrays are reused for the next but one. */
  at(step: number): Float32Array[] {
    if (this.filled?.step !== step) this.filled = { step, batch: this.fill(step) };
    return this.filled.batch;
  }

  /** Fills the batch of a step that is to come, while an engine computes. */
  prepare(step: number): void {
    try {
      this.at(step);
    } catch {
      // Whoever asks for it will be told.
    }
  }

  private fill(step: number): Float32Array[] {
    const epoch = Math.floor(step / this.perEpoch);
    if (epoch !== this.epoch) {
      this.epoch = epoch;
      this.order = permutation(this.rows.count, seededRandom(mixSeed(this.seed, epoch)));
    }
    const start = (step % this.perEpoch) * this.batchSize;
    const indices = this.order.subarray(start, start + this.rowsAt(step));
    this.buffers.reverse();
    const batch = (this.buffers[0] ?? []).map((buffer, i) =>
      buffer.subarray(0, indices.length * (this.sizes[i] ?? 0)),
    );
    batch.forEach((values, i) => {
      const [x, y] = [this.inputs[i], this.labels[i - this.inputs.length]];
      if (x !== undefined) fillRows(x, indices, values);
      else if (y !== undefined) fillLabels(y, indices, this.sizes[i] ?? 0, values);
    });
    return batch;
  }
}

/** Steps in which every row is trained once. */
export function batchesPerEpoch(rows: number, batchSize: number): number {
  return Math.ceil(rows / Math.max(1, Math.min(batchSize, rows)));
}
