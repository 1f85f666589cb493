import * as tf from '../engine/tf';
import type { Metrics } from '../core/events';
import { sizeOf } from '../core/tensor';
import { fillLabels, fillRows, inputsOf, labelsOf, type Rows } from '../data/dataset';
import type { CompiledStep, Engine } from '../engine/engine';
import { zipOutputs, type Head } from './head';
import { rowAccuracy, rowLoss } from './lossFunctions';
import { metricCount, metricsOfSums, metricSums } from './measures';
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
    rowShapes: readonly (readonly number[])[],
    private readonly labelShapes: readonly (readonly number[])[],
    largest: number,
  ) {
    this.batch = Math.min(BATCH, Math.max(1, largest));
    const float = (shape: readonly number[]) => ({ shape, dtype: 'float32' as const });
    this.compiled = engine.compile(
      (given) => {
        const real = given.at(-1);
        if (real === undefined) throw new RangeError('inputs, labels and weights');
        const { xs, ys } = network.parts(given.slice(0, -1));
        // Padding rows weigh nothing, so that one batch shape does for all.
        const total = (values: tf.Tensor): tf.Tensor => tf.sum(tf.mul(values, real));
        return zipOutputs(head, ys, network.answer(xs, false), (output, y, out) => [
          total(rowLoss(output, y, out)),
          total(rowAccuracy(output, y, out)),
          ...metricSums(output, y, out, real),
        ]).flat();
      },
      [...network.weightVariables(), ...network.bank.entries().map(([, variable]) => variable)],
      [...rowShapes, ...labelShapes, []].map((shape) => float([this.batch, ...shape])),
      [],
    );
  }

  async measure(rows: Rows): Promise<Metrics> {
    const compiled = await this.compiled;
    await compiled.push();
    const inputs = inputsOf(rows);
    const labels = labelsOf(rows);
    const widths = this.labelShapes.map(sizeOf);
    const sizes = [...inputs.map(({ shape }) => sizeOf(shape)), ...widths, 1];
    const batch = sizes.map((size) => new Float32Array(this.batch * size));
    const sums: number[] = [];
    for (let start = 0; start < rows.count; start += this.batch) {
      const count = Math.min(this.batch, rows.count - start);
      const indices = Uint32Array.from({ length: count }, (_, i) => start + i);
      batch.forEach((values, i) => {
        const [x, y] = [inputs[i], labels[i - inputs.length]];
        if (x !== undefined) fillRows(x, indices, values);
        else if (y !== undefined) fillLabels(y, indices, sizes[i] ?? 0, values);
        else values.fill(0).fill(1, 0, count);
      });
      const parts = await compiled.run(batch, {});
      parts.forEach((sum, i) => (sums[i] = (sums[i] ?? 0) + (sum[0] ?? 0)));
    }
    return this.summarise(sums, rows.count);
  }

  /** @param sums over all rows, in the order of the step's outputs */
  private summarise(sums: readonly number[], rows: number): Metrics {
    const { outputs } = this.head;
    const named: Record<string, number> = {};
    const accuracies: number[] = [];
    let loss = 0;
    let at = 0;
    for (const output of outputs) {
      const [lossSum = Number.NaN, rightSum = 0] = sums.slice(at, at + 2);
      const count = metricCount(output);
      const measured = metricsOfSums(output, sums.slice(at + 2, at + 2 + count), rows);
      at += 2 + count;
      loss += lossSum / rows;
      if (output.classifies) accuracies.push(rightSum / rows);
      if (outputs.length === 1) Object.assign(named, measured);
      else {
        // Names as Keras and TensorFlow.js make them.
        named[`${output.name}_loss`] = lossSum / rows;
        if (output.classifies) named[`${output.name}_accuracy`] = rightSum / rows;
        for (const [name, value] of Object.entries(measured)) named[`${output.name}_${name}`] = value;
      }
    }
    return {
      loss,
      ...(accuracies.length === 0
        ? {}
        : { accuracy: accuracies.reduce((sum, value) => sum + value, 0) / accuracies.length }),
      ...(Object.keys(named).length === 0 ? {} : { named }),
    };
  }

  async dispose(): Promise<void> {
    (await this.compiled).dispose();
  }
}

/** Rows to compare outputs on, input by input. `x` is [rows, ...input], flattened; `shape` is that shape. */
export type Sample = readonly { readonly x: Float32Array; readonly shape: readonly number[] }[];

/** The first rows of a set. @param count no more than there are */
export function sampleOf(rows: Rows, count: number): Sample {
  const indices = Uint32Array.from({ length: count }, (_, i) => i);
  return inputsOf(rows).map((features) => {
    const x = new Float32Array(count * sizeOf(features.shape));
    fillRows(features, indices, x);
    return { x, shape: [count, ...features.shape] };
  });
}

/** What a network answers to given rows, all outputs one after the other, for comparing it before and after a change. */
export async function outputsOf(network: Network, sample: Sample): Promise<Float32Array> {
  const outs = tf.tidy(() =>
    network.answer(
      sample.map(({ x, shape }) => tf.tensor(x, [...shape])),
      false,
    ),
  );
  try {
    const parts = await Promise.all(outs.map((out) => out.data()));
    const all = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of parts) {
      all.set(part, at);
      at += part.length;
    }
    return all;
  } finally {
    tf.dispose(outs);
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
