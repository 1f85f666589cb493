/** A few small gradients that an engine must get right on this machine before it is trusted with a model. */
import * as tf from '@tensorflow/tfjs-core';
import { messageOf } from '../core/errors';
import { sizeOf } from '../core/tensor';
import type { BatchData, Engine, StepFunction, TensorSpec } from './engine';
import { cpu } from './engines/cpu';

/** Largest relative difference from the reference that passes. GPUs round differently; wrong kernels are off by far. */
const TOLERANCE = 1e-3;

/** One small loss. */
export interface SelfTest {
  readonly name: string;
  readonly batch: readonly TensorSpec[];
  readonly weights: readonly (readonly number[])[];
  readonly loss: (batch: readonly tf.Tensor[], weights: readonly tf.Tensor[]) => tf.Tensor;
}

const float = (shape: readonly number[]): TensorSpec => ({ shape, dtype: 'float32' });

export const selfTests: readonly SelfTest[] = [
  {
    name: 'dense',
    batch: [float([6, 5]), float([6, 3])],
    weights: [[5, 7], [7], [7, 3]],
    loss: ([x, y], [first, bias, second]) => {
      const hidden = tf.relu(tf.add(tf.matMul(x as tf.Tensor2D, first as tf.Tensor2D), bias as tf.Tensor));
      return tf.losses.softmaxCrossEntropy(
        tf.softmax(y as tf.Tensor),
        tf.matMul(hidden, second as tf.Tensor2D),
      );
    },
  },
  {
    name: 'convolution and pooling',
    batch: [float([2, 7, 6, 2])],
    weights: [
      [3, 3, 2, 3],
      [3, 3, 3, 1],
      [1, 1, 3, 2],
    ],
    loss: ([x], [filter, depthwise, pointwise]) => {
      const convolved = tf.conv2d(x as tf.Tensor4D, filter as tf.Tensor4D, 2, 'same');
      const pooled = tf.maxPool(convolved, 3, 1, 'same');
      const separable = tf.separableConv2d(
        pooled,
        depthwise as tf.Tensor4D,
        pointwise as tf.Tensor4D,
        1,
        'same',
      );
      return tf.sum(tf.square(tf.avgPool(separable, 2, 1, 'same')));
    },
  },
  {
    name: 'windows smaller than their stride',
    batch: [float([2, 8, 7, 2])],
    weights: [
      [3, 2, 2, 3],
      [2, 2, 2, 1],
    ],
    loss: ([x], [filter, depthwise]) => {
      const convolved = tf.conv2d(x as tf.Tensor4D, filter as tf.Tensor4D, 4, 'same');
      const narrow = tf.depthwiseConv2d(x as tf.Tensor4D, depthwise as tf.Tensor4D, 4, 'same');
      return tf.add(tf.sum(tf.square(convolved)), tf.sum(tf.square(narrow)));
    },
  },
  {
    name: 'maxima of negative numbers',
    batch: [float([2, 4, 5, 4, 2])],
    weights: [[5, 4, 2]],
    loss: ([x], [scale]) => {
      const negative = tf.sub(tf.mul(x as tf.Tensor, scale as tf.Tensor), 2);
      // No two sides of the window are alike: a side that is taken for another shows.
      const volumes = tf.maxPool3d(negative as tf.Tensor5D, [2, 3, 1], [1, 2, 2], 'same');
      const planes = tf.maxPool(tf.reshape<tf.Rank.R4>(negative, [8, 5, 4, 2]), [2, 3], [3, 1], 'same');
      return tf.add(tf.sum(tf.square(volumes)), tf.sum(tf.square(planes)));
    },
  },
  {
    name: 'lookup and slices',
    batch: [float([4, 3])],
    weights: [[8, 4]],
    loss: ([x], [table]) => {
      const indices = tf.cast(tf.abs(tf.floor(tf.mul(x as tf.Tensor, 7))), 'int32');
      const [left, right] = tf.split(tf.gather(table as tf.Tensor, indices), 2, 2);
      return tf.sum(tf.mul(tf.sigmoid(left as tf.Tensor), tf.tanh(right as tf.Tensor)));
    },
  },
];

/** Another list of tests has another: what passed older ones is tested again. */
export function selfTestIdentity(): unknown {
  return selfTests.map(({ name, batch, weights, loss }) => [name, batch, weights, String(loss)]);
}

/** Numbers in (-1, 1) without ties. */
function values(length: number, seed: number): Float32Array {
  return Float32Array.from({ length }, (_, i) => Math.sin((i + 1) * 12.9898 + seed * 78.233));
}

/** A test's loss and gradients as a step, with what it is fed and its weights, to be disposed. */
export function probeStep(test: SelfTest): {
  readonly step: StepFunction;
  readonly data: readonly BatchData[];
  readonly weights: ReadonlyMap<tf.Variable, Float32Array>;
  readonly dispose: () => void;
} {
  const weights = test.weights.map((shape, i): [tf.Variable, Float32Array] => {
    const given = values(sizeOf(shape), i + 10);
    return [tf.tidy(() => tf.variable(tf.tensor(given, [...shape]))), given];
  });
  const variables = weights.map(([variable]) => variable);
  return {
    step: (batch) => {
      const { value, grads } = tf.variableGrads(() => test.loss(batch, variables) as tf.Scalar, variables);
      return [value, ...variables.map((weight): tf.Tensor => grads[weight.name] ?? tf.zerosLike(weight))];
    },
    data: test.batch.map((spec, i) => values(sizeOf(spec.shape), i)),
    weights: new Map(weights),
    dispose: () => tf.dispose(variables),
  };
}

/** A test's loss and its gradients on an engine. */
export async function gradientsOf(engine: Engine, test: SelfTest): Promise<Float32Array[]> {
  const { step, data, weights, dispose } = probeStep(test);
  try {
    const compiled = await engine.compile(step, [...weights.keys()], test.batch, []);
    try {
      return await compiled.run(data, {});
    } finally {
      compiled.dispose();
    }
  } finally {
    dispose();
  }
}

function difference(found: readonly Float32Array[], reference: readonly Float32Array[]): number {
  let worst = 0;
  reference.forEach((expected, index) => {
    const scale = expected.reduce((largest, value) => Math.max(largest, Math.abs(value)), 1e-6);
    expected.forEach((value, i) => {
      const delta = Math.abs((found[index]?.[i] ?? NaN) - value) / scale;
      worst = Number.isNaN(delta) ? Infinity : Math.max(worst, delta);
    });
  });
  return worst;
}

/** What is wrong with gradients, in a sentence; null for nothing. */
export function describeFault(
  test: SelfTest,
  found: readonly Float32Array[],
  expected: readonly Float32Array[],
): string | null {
  const worst = difference(found, expected);
  return worst <= TOLERANCE
    ? null
    : `its gradients of ${test.name} are wrong (off by ${worst.toPrecision(2)})`;
}

/** What the engine gets wrong, in a sentence; null when it passes. Leaves the engine active. */
export async function selfTest(provider: { load(): Promise<Engine> }): Promise<string | null> {
  for (const test of selfTests) {
    const expected = await gradientsOf(await cpu.load(), test);
    const engine = await provider.load();
    try {
      const fault = describeFault(test, await gradientsOf(engine, test), expected);
      if (fault !== null) return fault;
    } catch (thrown) {
      return `it fails in the self-test of ${test.name}: ${messageOf(thrown)}`;
    }
  }
  return null;
}
