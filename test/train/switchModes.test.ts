import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { firstStatistics, observe, STRATEGIES, type SignStatistics } from '../../src/core/removal';
import type { Engine } from '../../src/engine/engine';
import { findEngine } from '../../src/engine/registry';
import * as tf from '../../src/engine/tf';
import { GROUP_SPARSITY, PROXIMAL, subgradientMode, type SwitchState } from '../../src/train/switchModes';
import { denseModel, filtered, OPTIMIZERS, stepper } from '../support/smallNet';

let engine: Engine;

beforeAll(async () => {
  engine = await findEngine('wasm').load();
});

function stateOf(values: Readonly<Record<string, readonly number[]>>): SwitchState {
  return Object.fromEntries(
    Object.entries(values).map(([name, list]) => [
      name,
      tf.tidy(() => tf.variable(tf.tensor1d([...list]), false)),
    ]),
  ) as SwitchState;
}

const valuesOf = (variable: tf.Tensor | undefined): number[] => [...(variable?.dataSync() ?? [])];

describe('the strategies on tensors', () => {
  it.each(STRATEGIES)('agree with the ones on numbers step by step: %s', (strategy) => {
    let deaths = 0;
    fc.assert(
      fc.property(
        fc.constantFrom(0, 0.5, 0.9, 0.95, 0.99),
        // Multiples of 1/16, exact in float32, so that nothing lies between two roundings of the threshold.
        fc.array(fc.array(fc.integer({ min: -16, max: 16 }), { minLength: 3, maxLength: 3 }), {
          minLength: 2,
          maxLength: 25,
        }),
        (gamma, rows) => {
          const settings = { strategy, gamma, threshold: strategy === 'threshold' ? 0.34 : 0.513 };
          const mode = subgradientMode('signed', settings);
          const path = rows.map((row) => row.map((value) => value / 16));
          const first = Float32Array.from(path[0] ?? []);
          const beta = tf.tidy(() => tf.variable(tf.tensor1d(first)));
          const state = stateOf(mode.state(first));
          let statistics: SignStatistics[] = Array.from(first, firstStatistics);
          const alive = Array.from(first, () => 1);
          for (const betas of path.slice(1)) {
            tf.tidy(() => beta.assign(tf.tensor1d(betas)));
            tf.tidy(() => mode.move({ beta, state }, tf.zeros([3]), {}));
            const drops = mode.dropProbability?.(state);
            statistics = betas.map((value, i) => {
              const seen = observe(settings, value, statistics[i] ?? firstStatistics(value));
              if (seen.dead) alive[i] = 0;
              if (strategy === 'randomized') expect(valuesOf(drops)[i]).toBeCloseTo(seen.dropProbability, 5);
              return seen.statistics;
            });
            drops?.dispose();
            expect(valuesOf(state.alive)).toEqual(alive);
            statistics.forEach(({ mean, variance }, i) => {
              expect(valuesOf(state['mean'])[i]).toBeCloseTo(mean, 5);
              expect(valuesOf(state['variance'])[i]).toBeCloseTo(variance, 5);
            });
          }
          deaths += alive.filter((lives) => lives === 0).length;
          tf.dispose([beta, ...Object.values(state)]);
        },
      ),
      { numRuns: 40, seed: 5 },
    );
    expect(deaths).toBeGreaterThan(10);
  });
});

describe('death', () => {
  const forms = ['signed', 'relu'] as const;
  it.each(forms.flatMap((form) => OPTIMIZERS.map((name) => [form, name] as const)))(
    'is permanent: form %s under %s, although the optimizer drives the switch back up',
    async (form, name) => {
      const strategy = form === 'relu' ? 'relu' : 'sign-change';
      const mode = subgradientMode(form, { strategy, gamma: 0, threshold: 0.5 });
      const start = { hidden: Float32Array.from([0.5, 0.5, 0.5, 0.5]) };
      const network = await filtered(denseModel(3, 4, 2), mode, start);
      const steps = await stepper(
        engine,
        network,
        mode,
        { name, learningRate: 0.05 },
        { inputs: 3, outputs: 2 },
      );
      const [control] = steps.controls;
      if (control === undefined) throw new Error('one hub');
      const { beta, state } = control;
      // Below 0 now: the strategy of the next step kills channels 0 and 1.
      tf.tidy(() => beta.assign(tf.tensor1d([-0.5, -0.5, 0.5, 0.5])));
      await steps.run();
      expect(valuesOf(state.alive)).toEqual([0, 0, 1, 1]);
      // What momentum could do at its worst: the switch is far above 0 again, for several steps.
      for (let i = 0; i < 6; i += 1) {
        tf.tidy(() => beta.assign(tf.tensor1d([0.9, 0.9, 0.5, 0.5])));
        await steps.run();
        expect(valuesOf(state.alive)).toEqual([0, 0, 1, 1]);
        const factor = tf.tidy(() => valuesOf(network.bank.factor('hidden', false)));
        expect(factor.slice(0, 2)).toEqual([0, 0]);
        expect(factor[2]).toBeGreaterThan(0);
      }
      steps.dispose();
    },
  );

  it('comes through momentum alone, and the masked channel stays out of the output', async () => {
    const mode = subgradientMode('relu', { strategy: 'relu', gamma: 0, threshold: 0.5 });
    const network = await filtered(denseModel(3, 4, 2), mode, { hidden: new Float32Array(4).fill(0.02) });
    const steps = await stepper(
      engine,
      network,
      mode,
      { name: 'momentum', learningRate: 0.01 },
      { inputs: 3, outputs: 2 },
    );
    const [control] = steps.controls;
    if (control === undefined) throw new Error('one hub');
    tf.tidy(() => control.state['lambda']?.assign(tf.fill([4], 2)));
    const dead = new Set<number>();
    for (let i = 0; i < 20; i += 1) {
      await steps.run();
      valuesOf(control.state.alive).forEach((lives, c) => {
        if (dead.has(c)) expect(lives).toBe(0);
        if (lives === 0) dead.add(c);
      });
    }
    expect(dead.size).toBeGreaterThan(0);
    steps.dispose();
  });

  it.each(OPTIMIZERS)('is permanent in proximal mode under %s', async (name) => {
    const network = await filtered(denseModel(3, 4, 2), PROXIMAL, {
      hidden: Float32Array.from([0.5, 0.5, 0.5, 0.5]),
    });
    const steps = await stepper(
      engine,
      network,
      PROXIMAL,
      { name, learningRate: 0.05 },
      { inputs: 3, outputs: 2 },
    );
    const [control] = steps.controls;
    if (control === undefined) throw new Error('one hub');
    tf.tidy(() => control.state.alive.assign(tf.tensor1d([0, 1, 1, 1])));
    for (let i = 0; i < 4; i += 1) {
      tf.tidy(() => control.beta.assign(tf.tensor1d([0.9, 0.5, 0.5, 0.5])));
      await steps.run({ lambda: 0 });
      expect(valuesOf(control.beta)[0]).toBe(0);
      expect(valuesOf(control.beta)[1]).not.toBe(0);
    }
    steps.dispose();
  });

  it.each(OPTIMIZERS)('is permanent for a group whose weights come back under %s', async (name) => {
    const network = await filtered(denseModel(3, 4, 2), GROUP_SPARSITY);
    const steps = await stepper(
      engine,
      network,
      GROUP_SPARSITY,
      { name, learningRate: 0.01 },
      { inputs: 3, outputs: 2 },
    );
    const [control] = steps.controls;
    if (control === undefined) throw new Error('one hub');
    const [kernel, bias] = network.trainedVariables();
    if (kernel === undefined || bias === undefined) throw new Error('hidden has a kernel and a bias');
    const setFirst = (value: number): void =>
      tf.tidy(() => {
        const mask = tf.tensor1d([1, 0, 0, 0]);
        const keep = tf.sub(1, mask);
        for (const v of [kernel, bias]) v.assign(tf.add(tf.mul(v, keep), tf.mul(mask, value)));
      });
    await steps.run({ lambda: 0 });
    expect(valuesOf(control.state.alive)).toEqual([1, 1, 1, 1]);
    // A channel of zeros behind a relu gets no gradient; only slots move it.
    tf.tidy(() => control.state.alive.assign(tf.tensor1d([0, 1, 1, 1])));
    for (let i = 0; i < 4; i += 1) {
      setFirst(0.8);
      await steps.run({ lambda: 0 });
      expect(valuesOf(control.state.alive)).toEqual([0, 1, 1, 1]);
      expect(valuesOf(control.beta)).toEqual([0, 1, 1, 1]);
    }
    steps.dispose();
  });
});

describe('the randomized strategy', () => {
  it('drops channels in training with the probability v / t, and never when it is evaluated', async () => {
    const mode = subgradientMode('signed', { strategy: 'randomized', gamma: 0.9, threshold: 0.5 });
    const network = await filtered(denseModel(3, 4, 2), mode, { hidden: new Float32Array(4).fill(0.7) });
    const steps = await stepper(
      engine,
      network,
      mode,
      { name: 'sgd', learningRate: 0 },
      { inputs: 3, outputs: 2 },
    );
    const [control] = steps.controls;
    if (control === undefined) throw new Error('one hub');
    tf.tidy(() => control.state['variance']?.assign(tf.tensor1d([0, 0.125, 0.25, 0.5])));
    const kept = [0, 0, 0, 0];
    for (let i = 0; i < 400; i += 1)
      tf.tidy(() => valuesOf(network.bank.factor('hidden', true))).forEach((factor, c) => {
        if (factor !== 0) kept[c] = (kept[c] ?? 0) + 1;
      });
    expect(kept[0]).toBe(400);
    expect(kept[3]).toBe(0);
    // 300 and 200 expected; nine standard deviations either way.
    expect(Math.abs((kept[1] ?? 0) - 300)).toBeLessThan(80);
    expect(Math.abs((kept[2] ?? 0) - 200)).toBeLessThan(90);
    expect(tf.tidy(() => valuesOf(network.bank.factor('hidden', false)))).toEqual(valuesOf(control.beta));
    steps.dispose();
  });
});

describe('first values of switches', () => {
  it('are U(0, 1] for relu, U[-1, 1) for signed, N(0, 1) for the proximal modes, 1 for groups', () => {
    const settings = { strategy: 'relu', gamma: 0, threshold: 1 } as const;
    const moments = (values: Float32Array) => {
      const mean = values.reduce((sum, v) => sum + v, 0) / values.length;
      const variance = values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / values.length;
      return { mean, variance, least: Math.min(...values), most: Math.max(...values) };
    };
    const relu = moments(subgradientMode('relu', settings).draw(20_000, 1));
    expect(relu.least).toBeGreaterThan(0);
    expect(relu.most).toBeLessThanOrEqual(1);
    expect(relu.mean).toBeCloseTo(0.5, 1);
    expect(relu.variance).toBeCloseTo(1 / 12, 2);
    const signed = moments(subgradientMode('signed', settings).draw(20_000, 1));
    expect(signed.least).toBeGreaterThanOrEqual(-1);
    expect(signed.least).toBeLessThan(-0.99);
    expect(signed.most).toBeLessThanOrEqual(1);
    expect(signed.mean).toBeCloseTo(0, 1);
    expect(signed.variance).toBeCloseTo(1 / 3, 1);
    const normal = moments(PROXIMAL.draw(20_000, 1));
    expect(normal.mean).toBeCloseTo(0, 1);
    expect(normal.variance).toBeCloseTo(1, 1);
    expect(normal.most).toBeGreaterThan(3);
    expect(new Set(GROUP_SPARSITY.draw(9, 1))).toEqual(new Set([1]));
  });

  it('are drawn from the seed', () => {
    expect(PROXIMAL.draw(5, 1)).toEqual(PROXIMAL.draw(5, 1));
    expect(PROXIMAL.draw(5, 1)).not.toEqual(PROXIMAL.draw(5, 2));
  });
});
