import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as tf from '../../src/engine/tf';
import type { Engine } from '../../src/engine/engine';
import { findEngine } from '../../src/engine/registry';
import { layerCases } from './layerCases';
import { gradientsOn, worstError } from './support';

describe.each(['wasm', 'onnxruntime'])('gradients of %s against cpu', (name) => {
  let engine: Engine;
  let cpu: Engine;
  beforeAll(async () => {
    engine = await findEngine(name).load();
    cpu = await findEngine('cpu').load();
  });
  afterAll(() => tf.setBackend('cpu'));

  it.each(layerCases.map((spec) => ({ spec, name: spec.name })))('$name', async ({ spec }) => {
    const reference = await gradientsOn(cpu, spec);
    expect(worstError(await gradientsOn(engine, spec), reference)).toBeLessThan(1e-4);
  });
});

describe.each(['cpu', 'wasm', 'onnxruntime'])('gradients that TensorFlow.js lacks, on %s', (name) => {
  afterAll(() => tf.setBackend('cpu'));

  type Function = (x: tf.Tensor) => tf.Tensor;
  const truth = (value: tf.Tensor): tf.Tensor => tf.cast(value, 'float32');
  const cases: readonly { title: string; by: Function; expected: number[] }[] = [
    { title: 'one piece of one', by: (x) => tf.split(x, 1)[0] ?? x, expected: [1, 1, 1, 1] },
    { title: 'one row of one', by: (x) => tf.unstack(tf.reshape(x, [1, 4]))[0] ?? x, expected: [1, 1, 1, 1] },
    {
      title: 'truth values',
      by: (x) => {
        const positive = tf.greater(x, 0);
        const both = tf.logicalAnd(positive, tf.logicalOr(tf.less(x, 1), tf.logicalNot(positive)));
        return tf.mul(x, tf.add(truth(both), tf.add(truth(tf.any(both)), truth(tf.all(both)))));
      },
      expected: [1, 2, 1, 2],
    },
  ];

  it.each(cases)('$title', async ({ by, expected }) => {
    const engine = await findEngine(name).load();
    const step = ([x]: readonly tf.Tensor[]) => [
      tf.grad((value: tf.Tensor) => tf.sum(by(value)))(x as tf.Tensor),
    ];
    const compiled = await engine.compile(step, [], [{ shape: [4], dtype: 'float32' }], []);
    const [gradient] = await compiled.run([Float32Array.of(-2, 0.5, 3, 0.25)], {});
    compiled.dispose();
    expect(Array.from(gradient ?? [])).toEqual(expected);
  });
});
