import { mixSeed, permutation, seededRandom } from '../core/random';
import { sizeOf } from '../core/tensor';
import { fillLabels, fillRows, type Rows } from '../data/dataset';
import type { TensorSpec } from '../engine/engine';

/** Batches of a set of rows. Their order is a function of seed and epoch, so that a resumed run sees the same ones. */
export class Batches {
  readonly batchSize: number;
  /** Whole batches in an epoch; the rows left over are others in every epoch. */
  readonly perEpoch: number;
  private readonly x: Float32Array;
  private readonly y: Float32Array;
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
    this.perEpoch = Math.floor(rows.count / this.batchSize);
    this.x = new Float32Array(this.batchSize * sizeOf(rows.x.shape));
    this.y = new Float32Array(this.batchSize * sizeOf(labelShape));
  }

  specs(): TensorSpec[] {
    return [
      { shape: [this.batchSize, ...this.rows.x.shape], dtype: 'float32' },
      { shape: [this.batchSize, ...this.labelShape], dtype: 'float32' },
    ];
  }

  /** The batch of a step, counted over all epochs. The arrays are reused by the next call. */
  at(step: number): [Float32Array, Float32Array] {
    const epoch = Math.floor(step / this.perEpoch);
    if (epoch !== this.epoch) {
      this.epoch = epoch;
      this.order = permutation(this.rows.count, seededRandom(mixSeed(this.seed, epoch)));
    }
    const start = (step % this.perEpoch) * this.batchSize;
    const indices = this.order.subarray(start, start + this.batchSize);
    fillRows(this.rows.x, indices, this.x);
    fillLabels(this.rows.y, indices, sizeOf(this.labelShape), this.y);
    return [this.x, this.y];
  }
}
