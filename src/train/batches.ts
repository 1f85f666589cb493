import { mixSeed, permutation, seededRandom } from '../core/random';
import { sizeOf } from '../core/tensor';
import { fillLabels, fillRows, type Rows } from '../data/dataset';
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
  private readonly buffers: (readonly [Float32Array, Float32Array])[];
  private filled: { readonly step: number; readonly batch: [Float32Array, Float32Array] } | undefined;
  private epoch = -1;
  private order: Uint32Array = new Uint32Array(0);

  /** @param labelShape of one row, as the loss wants it */
  constructor(
    private readonly rows: Rows,
    batchSize: number,
    private readonly labelShape: readonly number[],
    private readonly seed: number,
  ) {
    this.batchSize = Math.min(batchSize, rows.count);
    this.perEpoch = batchesPerEpoch(rows.count, batchSize);
    this.buffers = Array.from({ length: 2 }, () => [
      new Float32Array(this.batchSize * sizeOf(rows.x.shape)),
      new Float32Array(this.batchSize * sizeOf(labelShape)),
    ]);
  }

  /** Rows of an epoch. */
  get rowsPerEpoch(): number {
    return this.rows.count;
  }

  /** Rows of a step's batch. */
  rowsAt(step: number): number {
    return Math.min(this.batchSize, this.rows.count - (step % this.perEpoch) * this.batchSize);
  }

  /** Shapes of a batch. @param rows that it has */
  specs(rows = this.batchSize): TensorSpec[] {
    return [
      { shape: [rows, ...this.rows.x.shape], dtype: 'float32' },
      { shape: [rows, ...this.labelShape], dtype: 'float32' },
    ];
  }

  /** The batch of a step, counted over all epochs. Its arrays are reused for the next but one. */
  at(step: number): [Float32Array, Float32Array] {
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

  private fill(step: number): [Float32Array, Float32Array] {
    const epoch = Math.floor(step / this.perEpoch);
    if (epoch !== this.epoch) {
      this.epoch = epoch;
      this.order = permutation(this.rows.count, seededRandom(mixSeed(this.seed, epoch)));
    }
    const start = (step % this.perEpoch) * this.batchSize;
    const indices = this.order.subarray(start, start + this.rowsAt(step));
    this.buffers.reverse();
    const [xs, ys] = this.buffers[0] ?? [new Float32Array(0), new Float32Array(0)];
    const x = xs.subarray(0, indices.length * sizeOf(this.rows.x.shape));
    const y = ys.subarray(0, indices.length * sizeOf(this.labelShape));
    fillRows(this.rows.x, indices, x);
    fillLabels(this.rows.y, indices, sizeOf(this.labelShape), y);
    return [x, y];
  }
}

/** Steps in which every row is trained once. */
export function batchesPerEpoch(rows: number, batchSize: number): number {
  return Math.ceil(rows / Math.max(1, Math.min(batchSize, rows)));
}
