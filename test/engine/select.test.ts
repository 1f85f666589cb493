import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as tf from '../../src/engine/tf';
import { ShrinkError } from '../../src/core/errors';
import type { CompiledStep, Engine, EngineProvider } from '../../src/engine/engine';
import { openMemory } from '../../src/engine/memory';
import { findEngine } from '../../src/engine/registry';
import { selectEngine, type StepSample } from '../../src/engine/select';
import { runStock } from '../../src/engine/wasmKernels/heap';
import { selfTest, selfTests, type SelfTest } from '../../src/engine/selfTest';

const wasm = findEngine('wasm');

/** The wasm engine under another name, with its steps changed. */
function variant(name: string, change: (step: CompiledStep) => Partial<CompiledStep>): EngineProvider {
  const load = async (): Promise<Engine> => {
    const engine = await wasm.load();
    return {
      ...engine,
      name,
      async compile(...args) {
        const step = await engine.compile(...args);
        return { ...step, ...change(step) };
      },
    };
  };
  return { name, load, probe: () => wasm.probe() };
}

const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

const slow = variant('slow', (step) => ({
  async run(batch, scalars) {
    await wait(30);
    return step.run(batch, scalars);
  },
}));

const wrong = variant('wrong', (step) => ({
  async run(batch, scalars) {
    const outputs = await step.run(batch, scalars);
    return outputs.map((values) => values.map((value, i) => (i === 0 ? value : value * 1.1)));
  },
}));

const missing: EngineProvider = {
  name: 'missing',
  probe: () =>
    Promise.resolve({
      available: false,
      name: 'missing',
      missing: 'it is not installed',
      install: 'npm i it',
    }),
  load: () => Promise.reject(new Error('not to be called')),
};

const broken = variant('broken', () => ({ run: () => Promise.reject(new Error('device lost')) }));

describe('choosing an engine', () => {
  let weight: tf.Variable;
  let sample: StepSample;
  beforeAll(async () => {
    await wasm.load();
    weight = tf.variable(tf.tensor1d([1, 2, 3]));
    const optimizer = tf.train.sgd(0.1);
    sample = {
      step: ([x]) => {
        const loss = optimizer.minimize(() => tf.sum(tf.square(tf.mul(weight, x as tf.Tensor))), true, [
          weight,
        ]);
        return loss === null ? [] : [loss];
      },
      variables: [weight],
      batch: [{ shape: [3], dtype: 'float32' }],
      data: [Float32Array.of(1, 0.5, 0.25)],
      scalars: {},
    };
  });
  afterAll(() => tf.setBackend('cpu'));

  it('takes the fastest and says why not the others', async () => {
    const { engine, trials, why } = await selectEngine(sample, {
      candidates: [missing, slow, wrong, broken, wasm],
      budgetMs: 50,
    });
    expect(engine.name).toBe('wasm');
    expect(why).toMatch(/^wasm takes [\d.]+ ms a step \(slow [\d.]+ ms\)$/u);
    const problems = Object.fromEntries(trials.map((trial) => [trial.engine, trial.problem]));
    expect(problems).toMatchObject({ missing: 'it is not installed', slow: 'slower than wasm' });
    expect(problems['wrong']).toMatch(/gradients of dense are wrong/u);
    expect(problems['broken']).toMatch(/self-test of dense: device lost/u);
    expect(problems['wasm']).toBeUndefined();
  });

  it('leaves the variables as they were', async () => {
    await selectEngine(sample, { candidates: [wasm, findEngine('onnxruntime')], budgetMs: 20 });
    expect(Array.from(await weight.data())).toEqual([1, 2, 3]);
  });

  it('passes over an engine whose loss differs, by name', async () => {
    const off = variant('off', (step) => ({
      async run(batch, scalars) {
        const outputs = await step.run(batch, scalars);
        // Right in the self-test, whose steps have several outputs.
        return outputs.length > 1 ? outputs : outputs.map((values) => values.map((value) => value + 1));
      },
    }));
    const { engine, trials } = await selectEngine(sample, { candidates: [off, wasm], budgetMs: 20 });
    expect(engine.name).toBe('wasm');
    expect(trials.find((trial) => trial.engine === 'off')?.problem).toBe('it computes another loss than cpu');
  });

  it('asks the reference where two differ, whoever they are', async () => {
    const off = variant('wasm', (step) => ({
      async run(batch, scalars) {
        const outputs = await step.run(batch, scalars);
        return outputs.length > 1 ? outputs : outputs.map((values) => values.map((value) => value + 1));
      },
    }));
    const { engine, trials } = await selectEngine(sample, { candidates: [off, slow], budgetMs: 20 });
    expect(engine.name).toBe('slow');
    expect(trials.find((trial) => trial.engine === 'wasm')?.problem).toBe(
      'it computes another loss than cpu',
    );
    expect(Array.from(await weight.data())).toEqual([1, 2, 3]);
  });

  describe('with a memory', () => {
    const folder = mkdtempSync(join(tmpdir(), 'memory-'));
    afterAll(() => rmSync(folder, { recursive: true }));
    let compiled = 0;
    /** Counts what is compiled: self-tests and measurements. */
    const counted = (name: string, version: string): EngineProvider => {
      const provider = variant(name, () => {
        compiled += 1;
        return {};
      });
      const probe = async () => {
        const status = await provider.probe();
        return status.available ? { ...status, description: { ...status.description, version } } : status;
      };
      return { ...provider, probe };
    };
    const choose = async (
      identity: unknown,
      candidates = [missing, slow, counted('counted', '1')],
      memory = openMemory(folder),
    ) => {
      compiled = 0;
      return selectEngine({ ...sample, identity }, { candidates, budgetMs: 20, memory });
    };

    it('measures a step once, and says when that was', async () => {
      const first = await choose('a step');
      expect(compiled).toBeGreaterThan(1);
      const { engine, why, trials } = await choose('a step');
      expect(compiled).toBe(0);
      expect(engine.name).toBe('counted');
      expect(why).toBe(`${first.why}, measured on ${new Date().toISOString().slice(0, 10)}`);
      expect(trials).toEqual(first.trials);
      expect(Array.from(await weight.data())).toEqual([1, 2, 3]);
    });

    it('measures another step, but tests an engine no more', async () => {
      await choose('another step');
      expect(compiled).toBe(1);
    });

    it('tests and measures again when a version or what is here is another', async () => {
      const newer = await choose('a step', [missing, slow, counted('counted', '2')]);
      expect(compiled).toBeGreaterThan(1);
      expect(newer.why).not.toMatch(/measured on/u);
      await choose('a step', [counted('counted', '1')]);
      expect(compiled).toBe(1);
    });

    it('tests again when the tests are others', async () => {
      await choose('a third step');
      expect(compiled).toBe(1);
      const list = selfTests as SelfTest[];
      list.push({ ...(list[0] as SelfTest), name: 'one more' });
      try {
        await choose('a fourth step');
        expect(compiled).toBe(1 + list.length);
      } finally {
        list.pop();
      }
    });

    it('measures again when what is remembered is damaged', async () => {
      await choose('a step');
      for (const name of readdirSync(folder)) {
        const file = join(folder, name);
        const text = readFileSync(file, 'utf8');
        expect(text).toContain('"trials":[{');
        writeFileSync(file, text.replaceAll('"trials":[{', '"trials":["bad",null,{'));
      }
      const { trials, why } = await choose('a step');
      expect(why).not.toMatch(/measured on/u);
      expect(trials.every((trial) => typeof trial.engine === 'string')).toBe(true);
    });

    it('measures again when the engine that was fastest can no longer be loaded', async () => {
      const fast = counted('counted', '1');
      const gone = { ...fast, load: () => Promise.reject(new Error('device lost')) };
      const { engine, trials } = await choose('a step', [missing, slow, gone]);
      expect(engine.name).toBe('slow');
      expect(trials).toContainEqual({ engine: 'counted', problem: 'device lost' });
      // What may be better in a moment is not remembered: the choice from before is.
      expect((await choose('a step')).engine.name).toBe('counted');
    });
  });

  it('says so when none works', async () => {
    const attempt = selectEngine(sample, { candidates: [missing, broken], budgetMs: 20 });
    await expect(attempt).rejects.toThrow(ShrinkError);
    await expect(attempt).rejects.toThrow(/broken: .*device lost; not here: missing$/u);
  });
});

describe('the self-test', () => {
  it.each([
    { kernel: 'Conv2D', fault: 'windows smaller than their stride' },
    { kernel: 'DepthwiseConv2dNative', fault: 'windows smaller than their stride' },
    { kernel: 'MaxPool3D', fault: 'maxima of negative numbers' },
  ])('is not passed with the $kernel that the package brings', async ({ kernel, fault }) => {
    await wasm.load();
    const ours = tf.getKernel(kernel, 'wasm');
    const put = (config: tf.KernelConfig) => {
      tf.unregisterKernel(kernel, 'wasm');
      tf.registerKernel(config);
    };
    put({
      ...ours,
      kernelFunc: ({ inputs, attrs }) =>
        runStock(kernel, tf.backend() as unknown as BackendWasm, inputs, attrs),
    });
    try {
      expect(await selfTest(wasm)).toContain(`its gradients of ${fault} are wrong`);
    } finally {
      put(ours);
    }
    expect(await selfTest(wasm)).toBeNull();
  });

  it.each(['cpu', 'wasm', 'onnxruntime'])('is passed by %s', async (name) => {
    expect(await selfTest(findEngine(name))).toBeNull();
  });
});
