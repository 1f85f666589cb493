import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as tf from '../../src/engine/tf';
import type { Engine } from '../../src/engine/engine';
import { drawInto, recogniseDraw } from '../../src/engine/onnx/draws';
import { findEngine } from '../../src/engine/registry';
import { randomCases, type LayerCase } from './layerCases';
import { buildCase, compileGradients, inputOf, setWeights, worstError } from './support';

/** The gradients of two steps with different seeds. */
async function twoSteps(engine: Engine, spec: LayerCase): Promise<[Float32Array[], Float32Array[]]> {
  const model = buildCase(spec);
  setWeights(model);
  const step = await compileGradients(engine, model, spec);
  const first = await step.run([inputOf(spec)], { randomSeed: 1 });
  const second = await step.run([inputOf(spec)], { randomSeed: 2 });
  step.dispose();
  model.dispose();
  return [first, second];
}

describe('random numbers in a step', () => {
  let cpu: Engine;
  beforeAll(async () => {
    cpu = await findEngine('cpu').load();
  });
  afterAll(() => tf.setBackend('cpu'));

  it.each(randomCases.map((spec) => ({ spec, name: spec.name })))(
    '$name: new in each step',
    async ({ spec }) => {
      const [first, second] = await twoSteps(cpu, spec);
      expect(worstError(first, second)).toBeGreaterThan(1e-3);
    },
  );

  describe.each(['wasm', 'onnxruntime'])('on %s', (name) => {
    let engine: Engine;
    beforeAll(async () => {
      engine = await findEngine(name).load();
    });

    it.each(randomCases.map((spec) => ({ spec, name: spec.name })))(
      '$name: the same as on cpu',
      async ({ spec }) => {
        const expected = await twoSteps(cpu, spec);
        const found = await twoSteps(engine, spec);
        expect(worstError(found[0], expected[0])).toBeLessThan(1e-4);
        expect(worstError(found[1], expected[1])).toBeLessThan(1e-4);
      },
    );
  });
});

describe('recognising draws', () => {
  const random = Math.random.bind(Math);
  const withSeed = (seed: number, make: () => tf.Tensor): Float32Array => {
    Math.random = () => seed;
    try {
      return tf.tidy(() => make().dataSync() as Float32Array);
    } finally {
      Math.random = random;
    }
  };

  it.each([
    {
      title: 'uniform',
      make: () => tf.randomUniform([40], -2, 5),
      draw: { kind: 'uniform', offset: -2, scale: 7 },
    },
    {
      title: 'normal',
      make: () => tf.randomNormal([41], 0.5, 0.1),
      draw: { kind: 'normal', offset: 0.5, scale: 0.1 },
    },
    {
      title: 'one number',
      make: () => tf.randomUniform([1]),
      draw: { kind: 'uniform', offset: 0, scale: 1 },
    },
  ] as const)('$title', ({ make, draw }) => {
    const values = withSeed(0.25, make);
    expect(recogniseDraw(0.25, values)).toEqual(draw);
    const again = new Float32Array(values.length);
    drawInto(again, draw, 0.25);
    again.forEach((value, i) => expect(value).toBeCloseTo(values[i] ?? NaN, 5));
  });

  it('does not take other numbers for random ones', () => {
    expect(recogniseDraw(0.25, [1, 2, 3, 4])).toBeNull();
    expect(
      recogniseDraw(
        0.25,
        withSeed(0.25, () => tf.truncatedNormal([200])),
      ),
    ).toBeNull();
    expect(
      recogniseDraw(
        0.5,
        withSeed(0.25, () => tf.randomUniform([40])),
      ),
    ).toBeNull();
  });
});
