import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CompiledStep, Engine, StepFunction } from '../../src/engine/engine';
import { findEngine } from '../../src/engine/registry';
import * as tf from '../../src/engine/tf';
import { loadRuntime } from '../../src/engine/onnx/runtime';
import { StateStore } from '../../src/engine/onnx/stateStore';
import { OPERATIONS, type Item, type Operation, type Program } from '../../src/engine/elements/program';
import { compileProgram, LANES } from '../../src/engine/elements/wasmProgram';
import { webAssembly } from '../../src/core/assembly/webAssembly';
import { Tracer } from '../../src/engine/onnx/trace';
import { noise, relativeError } from './support';

const BINARY: readonly Operation[] = ['Add', 'Sub', 'Mul', 'Div', 'Min', 'Max'];

/** One element in single precision, as the program says. */
function evaluate(program: Program, elements: readonly number[], numbers: readonly number[]): number[] {
  const values: number[] = [];
  const unary = { Abs: Math.abs, Neg: (a: number) => -a, Sqrt: Math.sqrt };
  const binary = {
    Add: (a: number, b: number) => a + b,
    Sub: (a: number, b: number) => a - b,
    Mul: (a: number, b: number) => a * b,
    Div: (a: number, b: number) => a / b,
    Min: (a: number, b: number) => Math.min(a, b),
    Max: (a: number, b: number) => Math.max(a, b),
  };
  for (const item of program.items) {
    if (item.kind === 'array') values.push(elements[item.array] ?? NaN);
    else if (item.kind === 'number') values.push(Math.fround(numbers[item.number] ?? NaN));
    else {
      const [a = NaN, b = NaN] = item.of.map((of) => values[of] ?? NaN);
      const { operation } = item;
      values.push(
        Math.fround(operation in unary ? unary[operation as 'Abs'](a) : binary[operation as 'Add'](a, b)),
      );
    }
  }
  const out = [...elements];
  for (const { array, item } of program.stores) out[array] = values[item] ?? NaN;
  return out;
}

const programs = fc
  .record({
    arrays: fc.integer({ min: 1, max: 5 }),
    numbers: fc.integer({ min: 0, max: 3 }),
    picks: fc.array(fc.tuple(fc.nat(100), fc.nat(100), fc.nat(100)), { minLength: 1, maxLength: 30 }),
    stored: fc.array(fc.tuple(fc.nat(100), fc.nat(100)), { minLength: 1, maxLength: 4 }),
  })
  .map(({ arrays, numbers, picks, stored }): Program => {
    const items: Item[] = [
      ...Array.from({ length: arrays }, (_, array): Item => ({ kind: 'array', array })),
      ...Array.from({ length: numbers }, (_, number): Item => ({ kind: 'number', number })),
    ];
    const operations = Object.keys(OPERATIONS) as Operation[];
    for (const [kind, a, b] of picks) {
      const operation = operations[kind % operations.length] ?? 'Add';
      const of = BINARY.includes(operation) ? [a % items.length, b % items.length] : [a % items.length];
      items.push({ kind: 'result', operation, of });
    }
    const stores = new Map(stored.map(([array, item]) => [array % arrays, item % items.length]));
    return { arrays, numbers, items, stores: [...stores].map(([array, item]) => ({ array, item })) };
  });

describe('a program over elements', () => {
  it('computes what it says, bit by bit, for every element', () => {
    fc.assert(
      fc.property(
        programs,
        fc.integer({ min: 1, max: 11 }),
        fc.array(fc.float({ noNaN: true, noDefaultInfinity: true, min: -8, max: 8 }), {
          minLength: 60,
          maxLength: 60,
        }),
        (program, size, values) => {
          const bytes = Math.ceil((size * 4) / LANES) * LANES;
          const memory = new webAssembly.Memory({ initial: 1 });
          const addresses = Array.from({ length: program.arrays }, (_, i) => i * bytes);
          const views = addresses.map((address) => new Float32Array(memory.buffer, address, size));
          views.forEach((view, i) => view.set(values.slice(i * size, (i + 1) * size)));
          const numbers = values.slice(-program.numbers);
          const expected = Array.from({ length: size }, (_, i) =>
            evaluate(
              program,
              views.map((view) => view[i] ?? NaN),
              numbers,
            ),
          );
          compileProgram(program, memory)(bytes, addresses, numbers);
          views.forEach((view, array) =>
            view.forEach((value, i) => expect(value).toEqual(expected[i]?.[array])),
          );
        },
      ),
      { numRuns: 300 },
    );
  });
});

const batch = [{ shape: [4, 6], dtype: 'float32' as const }];
const x = noise(24, 1);
const gradient = (w: tf.Tensor, data: tf.Tensor | undefined): tf.Tensor =>
  tf.matMul(data as tf.Tensor2D, tf.matMul(data as tf.Tensor2D, w as tf.Tensor2D), true, false);

describe('the end of a step', () => {
  let onnx: Engine;
  let cpu: Engine;
  beforeAll(async () => {
    onnx = await findEngine('onnxruntime').load();
    cpu = await findEngine('cpu').load();
  });
  afterAll(() => tf.setBackend('cpu'));

  it.each(['sgd', 'momentum', 'adagrad', 'adadelta', 'adam', 'adamax', 'rmsprop'] as const)(
    'is taken out of the graph under %s, one tail for each weight',
    async (name) => {
      await tf.setBackend('cpu');
      const weights = [
        tf.variable(tf.tensor(noise(18, 2), [6, 3])),
        tf.variable(tf.tensor(noise(6, 3), [6, 1])),
      ];
      const optimizer = name === 'momentum' ? tf.train.momentum(0.1, 0.9) : tf.train[name](0.1);
      const traced = new Tracer(true, true).trace(
        ([data]) => {
          const cost = optimizer.minimize(
            () =>
              tf.addN(
                weights.map((w) => tf.sum(tf.square(tf.matMul(data as tf.Tensor2D, w as tf.Tensor2D)))),
              ) as tf.Scalar,
            true,
            weights,
          );
          return cost === null ? [] : [cost];
        },
        batch,
        [],
      );
      expect(traced.tails.map(({ assigned }) => assigned.some((v) => weights.includes(v)))).toEqual([
        true,
        true,
      ]);
      const left = traced.variables.filter(
        ({ output, variable }) => output !== undefined && variable.size > 1,
      );
      expect(left).toEqual([]);
      expect(traced.withoutTails?.().tails).toEqual([]);
      optimizer.dispose();
      tf.dispose(weights);
    },
  );

  /** Two steps on the same variables that group them in different ways, in turns. */
  async function alternate(engine: Engine): Promise<number[]> {
    const w = tf.variable(tf.tensor(noise(18, 2), [6, 3]));
    const u = tf.variable(tf.tensor(noise(18, 4), [6, 3]));
    const alone: StepFunction = ([data], { rate = 0 }) => {
      w.assign(tf.sub(w, tf.mul(gradient(w, data), rate)));
      return [tf.sum(w)];
    };
    const together: StepFunction = ([data], { rate = 0 }) => {
      const g = gradient(w, data);
      const old = tf.clone(w);
      w.assign(tf.sub(w, tf.mul(g, rate)));
      // Reads what w was.
      u.assign(tf.add(tf.mul(u, 0.5), tf.mul(old, g)));
      return [tf.sum(u)];
    };
    const compiled: CompiledStep[] = [];
    for (const step of [alone, together, alone])
      compiled.push(await engine.compile(step, [w, u], batch, ['rate']));
    const sums: number[] = [];
    for (let turn = 0; turn < 9; turn += 1)
      sums.push((await compiled[turn % 3]?.run([x], { rate: 0.01 + 0.001 * turn }))?.[0]?.[0] ?? NaN);
    await compiled[0]?.pull();
    await compiled[1]?.pull();
    const values = [...(await w.data()), ...(await u.data())];
    for (const step of compiled) step.dispose();
    tf.dispose([w, u]);
    return [...sums, ...values];
  }

  it('has no memory of its own beyond 4 GiB', async () => {
    await tf.setBackend('cpu');
    const w = tf.variable(tf.tensor(noise(6, 2), [6]));
    const store = new StateStore(loadRuntime().runtime);
    await store.acquire(w);
    const before = store.read(w);
    expect(store.house([w], 3, [16384, 16385])).toBeNull();
    expect(store.read(w)).toBe(before);
    expect(store.house([w], 3, [6])?.memory.buffer.byteLength).toBe(65536);
    store.release(w);
    tf.dispose(w);
  });

  it('is right where two steps share variables in different ways', async () => {
    expect(relativeError(await alternate(onnx), await alternate(cpu))).toBeLessThan(1e-5);
  });
});
