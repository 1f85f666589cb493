import * as tf from '../engine/tf';
import type { Metrics } from '../core/events';
import { sizeOf } from '../core/tensor';
import { fillLabels, fillRows, type Rows } from '../data/dataset';
import type { CompiledStep, Engine } from '../engine/engine';
import { rowAccuracy, rowLoss, type Head } from './head';
import { metricsOfSums, metricSums } from './measures';
import type { Network } from './network';

const BATCH = 1000;

/** Measures a network on rows: mean loss without penalties and, for classifiers, the share of rows that are right. */
export class Evaluator {
  private readonly compiled: Promise<CompiledStep>;
  private readonly batch: number;

  constructor(
    engine: Engine,
    private readonly network: Network,
    private readonly head: Head,
    rowShape: readonly number[],
    private readonly labelShape: readonly number[],
    largest: number,
  ) {
    this.batch = Math.min(BATCH, Math.max(1, largest));
    const float = (shape: readonly number[]) => ({ shape, dtype: 'float32' as const });
    this.compiled = engine.compile(
      ([x, y, real]) => {
        if (x === undefined || y === undefined || real === undefined)
          throw new RangeError('x, y and weights');
        const out = network.model.apply(x, { training: false }) as tf.Tensor;
        // Padding rows weigh nothing, so that one batch shape does for all.
        return [
          tf.sum(tf.mul(rowLoss(head, y, out), real)),
          tf.sum(tf.mul(rowAccuracy(head, y, out), real)),
          ...metricSums(head, y, out, real),
        ];
      },
      [...network.weightVariables(), ...network.bank.entries().map(([, variable]) => variable)],
      [float([this.batch, ...rowShape]), float([this.batch, ...labelShape]), float([this.batch])],
      [],
    );
  }

  async measure(rows: Rows): Promise<Metrics> {
    const compiled = await this.compiled;
    await compiled.push();
    const x = new Float32Array(this.batch * sizeOf(rows.x.shape));
    const y = new Float32Array(this.batch * sizeOf(this.labelShape));
    const real = new Float32Array(this.batch);
    let loss = 0;
    let right = 0;
    const sums: number[] = [];
    for (let start = 0; start < rows.count; start += this.batch) {
      const count = Math.min(this.batch, rows.count - start);
      const indices = Uint32Array.from({ length: count }, (_, i) => start + i);
      fillRows(rows.x, indices, x);
      fillLabels(rows.y, indices, sizeOf(this.labelShape), y);
      real.fill(0).fill(1, 0, count);
      const [lossSum, rightSum, ...more] = await compiled.run([x, y, real], {});
      loss += lossSum?.[0] ?? 0;
      right += rightSum?.[0] ?? 0;
      more.forEach((sum, i) => (sums[i] = (sums[i] ?? 0) + (sum[0] ?? 0)));
    }
    const { head } = this;
    return {
      loss: loss / rows.count,
      ...(head.classifies ? { accuracy: right / rows.count } : {}),
      ...(head.metrics.length === 0 ? {} : { named: metricsOfSums(head, sums, rows.count) }),
    };
  }

  async dispose(): Promise<void> {
    (await this.compiled).dispose();
  }
}

/**
 * What a network answers to given rows, [rows, ...output], for comparing it before and after a change.
 *
 * @param x [rows, ...input]
 */
export async function outputsOf(
  network: Network,
  x: Float32Array,
  shape: readonly number[],
): Promise<Float32Array> {
  const out = tf.tidy(() => network.model.apply(tf.tensor(x, [...shape]), { training: false }) as tf.Tensor);
  try {
    return Float32Array.from(await out.data());
  } finally {
    out.dispose();
  }
}

/** Largest difference of two sets of outputs, relative to the largest output (at least 1). */
export function outputDifference(a: Float32Array, b: Float32Array): number {
  let largest = 1;
  let difference = 0;
  for (let i = 0; i < a.length; i += 1) {
    largest = Math.max(largest, Math.abs(a[i] ?? 0));
    const d = Math.abs((a[i] ?? 0) - (b[i] ?? 0));
    if (!(d <= difference)) difference = d;
  }
  return difference / largest;
}
