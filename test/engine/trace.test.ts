import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as tf from '../../src/engine/tf';
import type { CompiledStep, Engine, StepFunction, StepScalars } from '../../src/engine/engine';
import { Tracer } from '../../src/engine/onnx/trace';
import { findEngine } from '../../src/engine/registry';

const batch = [{ shape: [2, 3], dtype: 'float32' as const }];
const data = [Float32Array.of(1, 2, 3, 4, 5, 6)];

function first(tensors: readonly tf.Tensor[]): tf.Tensor {
  const [x] = tensors;
  if (x === undefined) throw new TypeError('no batch');
  return x;
}

describe('tracing a step', () => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await findEngine('onnxruntime').load();
  });
  afterAll(() => tf.setBackend('cpu'));

  async function run(step: StepFunction, scalars: readonly StepScalars[] = [{}]): Promise<number[][]> {
    const compiled = await engine.compile(step, [], batch, Object.keys(scalars[0] ?? {}));
    const results: number[][] = [];
    for (const given of scalars)
      results.push((await compiled.run(data, given)).flatMap((values) => Array.from(values)));
    compiled.dispose();
    return results;
  }

  it('passes changing numbers, their negatives and multiples', async () => {
    const step: StepFunction = (tensors, { a = 0, b = 0 }) => {
      const x = tf.sum(first(tensors));
      return [tf.mul(x, a), tf.mul(x, -a), tf.mul(x, b * 4), tf.add(tf.mul(x, a), b / 3)];
    };
    const [one, two] = await run(step, [
      { a: 1, b: 3 },
      { a: 0.5, b: -6 },
    ]);
    expect(one).toEqual([21, -21, 252, 22]);
    expect(two?.map((value) => Math.round(value * 1e4) / 1e4)).toEqual([10.5, -10.5, -504, 8.5]);
  });

  it('asks for a changing number that is not given', async () => {
    const step: StepFunction = (tensors, { a = 0 }) => [tf.mul(first(tensors), a)];
    await expect(run(step, [{ a: 1 }, {}])).rejects.toMatchObject({ code: 'missing-scalar' });
  });

  it('passes a changing number that fills a tensor', async () => {
    const step: StepFunction = (tensors, { a = 0 }) => [tf.add(first(tensors), tf.fill([2, 3], a))];
    expect(await run(step, [{ a: 10 }, { a: 20 }])).toEqual([
      [11, 12, 13, 14, 15, 16],
      [21, 22, 23, 24, 25, 26],
    ]);
  });

  it.each([
    { title: 'computes with it outside of tensors', step: (x: tf.Tensor, a: number) => tf.mul(x, 1 - a) },
    { title: 'branches on it', step: (x: tf.Tensor, a: number) => (a > 0.6 ? tf.neg(x) : tf.exp(x)) },
    { title: 'builds a tensor of it', step: (x: tf.Tensor, a: number) => tf.mul(x, tf.tensor1d([a, 1, 2])) },
  ])('refuses a step that $title', async ({ step }) => {
    await expect(run((tensors, { a = 0 }) => [step(first(tensors), a)], [{ a: 1 }])).rejects.toMatchObject({
      code: 'untraceable-scalar',
    });
  });

  it('names a kernel that it lacks', async () => {
    const step: StepFunction = (tensors) => [tf.topk(first(tensors), 2).values];
    await expect(run(step)).rejects.toMatchObject({
      code: 'untraceable-kernel',
      message: expect.stringContaining('the kernel TopK') as string,
    });
    expect(tf.getBackend()).toBe('wasm');
  });

  it('refuses a step that looks at values', async () => {
    const step: StepFunction = (tensors) => {
      const x = first(tensors);
      return [tf.mul(x, x.dataSync()[0] ?? 0)];
    };
    await expect(run(step)).rejects.toMatchObject({ code: 'untraceable-read' });
  });

  it('refuses random numbers that it cannot renew', async () => {
    const step: StepFunction = (tensors) => [tf.add(first(tensors), tf.truncatedNormal([2, 3], 0, 1))];
    await expect(run(step)).rejects.toMatchObject({ code: 'untraceable-random' });
  });

  it('ignores what the step puts in place of Math.random', async () => {
    const step: StepFunction = (tensors) => {
      Math.random = () => 0.5;
      return [tf.add(first(tensors), tf.randomUniform([2, 3]))];
    };
    const [one, two] = await run(step, [{ randomSeed: 1 }, { randomSeed: 2 }]);
    expect(one).not.toEqual(two);
  });

  it('leaves variables as they were, assigned or failed', async () => {
    const variable = tf.variable(tf.tensor1d([1, 2, 3]));
    const compiled = await engine.compile(
      (tensors) => {
        variable.assign(tf.add(variable, tf.sum(first(tensors), 0)));
        return [tf.sum(variable)];
      },
      [variable],
      batch,
      [],
    );
    expect(Array.from(await variable.data())).toEqual([1, 2, 3]);
    expect(Array.from((await compiled.run(data, {}))[0] ?? [])).toEqual([27]);
    expect(Array.from((await compiled.run(data, {}))[0] ?? [])).toEqual([48]);
    await compiled.pull();
    expect(Array.from(await variable.data())).toEqual([11, 16, 21]);
    compiled.dispose();
    const failing: StepFunction = (tensors) => {
      variable.assign(tf.zeros([3]));
      throw new Error(`no ${first(tensors).rank}`);
    };
    await expect(engine.compile(failing, [variable], batch, [])).rejects.toThrow('cannot be traced: no 2');
    expect(Array.from(await variable.data())).toEqual([11, 16, 21]);
    variable.dispose();
  });

  it('knows a step again on other widths, and computes with those', async () => {
    const tracer = new Tracer(true);
    const trained = (width: number) => {
      const kernel = tf.variable(tf.ones([3, width]));
      const step: StepFunction = (tensors, { rate = 0 }) => {
        const loss = (): tf.Scalar => tf.sum(tf.square(tf.matMul(first(tensors) as tf.Tensor2D, kernel)));
        const gradient = tf.variableGrads(loss, [kernel]).grads[kernel.name];
        kernel.assign(tf.sub(kernel, tf.mul(gradient ?? 0, rate)));
        return [tf.sum(kernel)];
      };
      return { kernel, step };
    };
    const models: Uint8Array[] = [];
    for (const width of [5, 4, 3]) {
      const { kernel, step } = trained(width);
      models.push(tracer.trace(step, batch, ['rate']).model);
      const compiled = await engine.compile(step, [kernel], batch, ['rate']);
      const [sum] = await compiled.run(data, { rate: 0.01 });
      // Every column falls by 0.02 xᵀx·1: by 0.02 · (6·1 + 15·4, 6·2 + 15·5, 6·3 + 15·6).
      expect(sum?.[0]).toBeCloseTo(width * (3 - 0.02 * (66 + 87 + 108)), 4);
      compiled.dispose();
      kernel.dispose();
    }
    expect(new Set(models).size).toBe(1);
  });

  it('does not trace a step like another again once its widths have shown not to matter', async () => {
    let traces = 0;
    let like: CompiledStep | undefined;
    const tracesAt = async (width: number): Promise<number> => {
      const kernel = tf.variable(
        tf.tensor2d(
          Array.from({ length: 3 * width }, (_, i) => i),
          [3, width],
        ),
      );
      const step: StepFunction = (tensors) => {
        traces += 1;
        const product = tf.matMul(first(tensors), kernel);
        kernel.assign(tf.mul(kernel, 2));
        return [tf.sum(product)];
      };
      traces = 0;
      const compiled = await engine.compile(step, [kernel], batch, [], like && [like]);
      const [sum] = await compiled.run(data, {});
      const columns = [5, 7, 9].map((column, row) =>
        Array.from({ length: width }, (_, i) => column * (row * width + i)).reduce((a, b) => a + b, 0),
      );
      expect(sum?.[0]).toBe(columns.reduce((a, b) => a + b, 0));
      await compiled.pull();
      expect((await kernel.data())[1]).toBe(2);
      compiled.dispose();
      kernel.dispose();
      like = compiled;
      return traces;
    };
    expect(await tracesAt(6)).toBe(2);
    expect(await tracesAt(5)).toBe(1);
    expect(await tracesAt(4)).toBe(0);
    expect(await tracesAt(3)).toBe(0);
    // What is 1 long might be spread.
    expect(await tracesAt(1)).toBeGreaterThan(0);
  });

  it('traces again where a width is written into the graph, or where it draws', async () => {
    let traces = 0;
    const compileAt = async (width: number, draws: boolean, like?: CompiledStep): Promise<CompiledStep> => {
      const kernel = tf.variable(tf.ones([3, width]));
      const step: StepFunction = (tensors) => {
        traces += 1;
        const product = tf.matMul(first(tensors), kernel);
        return [
          draws
            ? tf.sum(tf.add(product, tf.randomUniform([2, width], 5, 6)))
            : tf.mul(tf.sum(product), 1 / width),
        ];
      };
      const compiled = await engine.compile(step, [kernel], batch, ['randomSeed'], like && [like]);
      const [value] = await compiled.run(data, { randomSeed: 1 });
      if (draws) expect((value?.[0] ?? 0) - 21 * width).toBeGreaterThan(10 * width);
      else expect(value?.[0]).toBeCloseTo(21, 4);
      compiled.dispose();
      kernel.dispose();
      return compiled;
    };
    for (const draws of [false, true]) {
      let like: CompiledStep | undefined;
      for (const width of [6, 5, 4, 3]) {
        traces = 0;
        like = await compileAt(width, draws, like);
        expect(traces).toBeGreaterThan(0);
      }
    }
  });

  it('gives the gradient of a maximum to the first of equals', async () => {
    const equal = [{ shape: [1, 4, 4, 1], dtype: 'float32' as const }];
    const step: StepFunction = (tensors) => [
      tf.grad((x: tf.Tensor) => tf.sum(tf.maxPool(x as tf.Tensor4D, 2, 2, 'valid')))(first(tensors)),
    ];
    const compiled = await engine.compile(step, [], equal, []);
    const [gradient] = await compiled.run([new Float32Array(16).fill(3)], {});
    expect(Array.from(gradient ?? [])).toEqual([1, 0, 1, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0]);
    compiled.dispose();
  });
});
