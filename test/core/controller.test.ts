import { describe, expect, it } from 'vitest';
import { adviceOn } from '../../src/core/advice';
import { analyse, type Analysis } from '../../src/core/analysis';
import { NO_LIMITS } from '../../src/core/constraints';
import { LambdaController, OriginalController, type Controller } from '../../src/core/controller';
import { allAlive, costModel, marginalCosts, type Alive } from '../../src/core/cost';
import { readGraph } from '../../src/core/graph';
import type { CostWeight } from '../../src/core/options';
import type { Topology } from '../../src/core/topology';

/** 8 → a: 4 → b: 6 → 2, dense. */
function analysis(): Analysis {
  const dense = (name: string, units: number, more: object = {}) => ({
    class_name: 'Dense',
    config: { name, units, use_bias: true, activation: 'linear', trainable: true, ...more },
  });
  const layers = [dense('a', 4, { batch_input_shape: [null, 8] }), dense('b', 6), dense('out', 2)];
  return analyse(
    readGraph({ class_name: 'Sequential', config: { name: 'm', layers } } as unknown as Topology),
  );
}

function thresholds(controller: Controller, at: Analysis, alive: Alive): { a: number; b: number } {
  const zeros = new Float64Array(at.classCount);
  const reading = { beta: zeros.map(() => 1), score: zeros.map(() => 1), fading: zeros };
  const { threshold } = controller.decide(100, at, costModel(at, 'params'), alive, reading);
  const living = (hub: number): number =>
    threshold[at.hubs[hub]?.classes.find((c) => alive[c] === 1) ?? -1] ?? Number.NaN;
  return { a: living(0), b: living(1) };
}

const lambdaAt = (layer: string): number => (layer === 'b' ? 0.2 : 0.1);
const original = (weight?: CostWeight): Controller =>
  new OriginalController(0.1, lambdaAt, () => NO_LIMITS, weight);
const proximal = (weight?: CostWeight): Controller =>
  new LambdaController(0.1, lambdaAt, () => NO_LIMITS, weight);

describe('the cost weight of a penalty', () => {
  // A unit of a: 8 weights, a bias, 6 readers. A unit of b: 4, 1 and 2.
  const PARAMS = { a: 15, b: 7, mean: (4 * 15 + 6 * 7) / 10 };
  const MACS = { a: 14, b: 6, mean: (4 * 14 + 6 * 6) / 10 };

  it('is 1 in mode original, λ by layer', () => {
    const at = analysis();
    expect(thresholds(original(), at, allAlive(at))).toEqual({ a: 0.1, b: 0.2 });
    expect(thresholds(original('1'), at, allAlive(at))).toEqual({ a: 0.1, b: 0.2 });
  });

  it('or what a channel costs, in units of the mean', () => {
    const at = analysis();
    const params = thresholds(original('params'), at, allAlive(at));
    expect(params.a).toBeCloseTo((0.1 * PARAMS.a) / PARAMS.mean, 12);
    expect(params.b).toBeCloseTo((0.2 * PARAMS.b) / PARAMS.mean, 12);
    const macs = thresholds(original('macs'), at, allAlive(at));
    expect(macs.a).toBeCloseTo((0.1 * MACS.a) / MACS.mean, 12);
    expect(macs.b).toBeCloseTo((0.2 * MACS.b) / MACS.mean, 12);
  });

  it('is its square root in mode lambda, of the run’s cost unless it is given', () => {
    const at = analysis();
    const own = thresholds(proximal(), at, allAlive(at));
    expect(own.a).toBeCloseTo(0.1 * Math.sqrt(PARAMS.a / PARAMS.mean), 12);
    expect(thresholds(proximal('params'), at, allAlive(at))).toEqual(own);
    expect(thresholds(proximal('macs'), at, allAlive(at)).b).toBeCloseTo(
      0.2 * Math.sqrt(MACS.b / MACS.mean),
      12,
    );
    expect(thresholds(proximal('1'), at, allAlive(at))).toEqual({ a: 0.1, b: 0.2 });
  });

  it('is computed anew as the network shrinks', () => {
    const at = analysis();
    const alive = allAlive(at);
    for (const c of [...(at.hubs[1]?.classes ?? [])].slice(0, 4)) alive[c] = 0;
    const costs = marginalCosts(costModel(at, 'params'), alive);
    const [a, b] = [costs[at.hubs[0]?.classes[0] ?? -1], costs[at.hubs[1]?.classes[5] ?? -1]];
    // Two readers are left of six.
    expect([a, b]).toEqual([11, 7]);
    const shrunk = thresholds(original('params'), at, alive);
    expect(shrunk.a).toBeCloseTo((0.1 * 11) / ((4 * 11 + 2 * 7) / 6), 12);
  });
});

describe('advice on options', () => {
  const options = {
    mode: 'lambda',
    regularizer: 'switches',
    lambda: 0.003,
    lambda2: 0,
    distill: 0,
    finish: 4,
    cost: 'params',
  } as const;
  const ADAM = { name: 'adam', learningRate: 0.001 };
  const codes = (changes: Partial<Parameters<typeof adviceOn>[0]>, optimizer = ADAM): string[] =>
    adviceOn({ ...options, ...changes }, optimizer).map(({ code }) => code);

  it('warns of λ2 = 0 where switches are penalised, and says why', () => {
    expect(codes({})).toEqual(['lambda2-zero']);
    expect(codes({ mode: 'original' })).toEqual(['lambda2-zero']);
    expect(adviceOn(options, ADAM)[0]?.message).toMatch(
      /A\.3.*times 2.*1\/2.*halve the penalty.*Set lambda2/,
    );
  });

  it('and not where Proposition A.3 does not hold', () => {
    expect(codes({ lambda2: 1e-5 })).toEqual([]);
    expect(codes({ lambda: 0 })).toEqual([]);
    expect(codes({ mode: 'budget' })).toEqual([]);
    expect(codes({ mode: 'original', regularizer: 'group' })).toEqual([]);
  });

  it('warns of a learning rate at which no group comes under the limit', () => {
    const group = { mode: 'original', regularizer: 'group' } as const;
    expect(codes(group, { name: 'adam', learningRate: 0.003 })).toEqual(['group-rate']);
    expect(codes(group, { name: 'sgd', learningRate: 0.1 })).toEqual([]);
    expect(codes({ lambda2: 1 }, { name: 'adam', learningRate: 0.003 })).toEqual([]);
  });

  it('warns of latency where nothing is weighed by it', () => {
    const at = (changes: Partial<Parameters<typeof adviceOn>[0]>) => codes({ lambda2: 1, ...changes });
    expect(at({ cost: 'latency' })).toEqual([]);
    expect(at({ mode: 'budget', cost: 'latency' })).toEqual([]);
    expect(at({ mode: 'original', costWeight: 'latency' })).toEqual([]);
    expect(at({ mode: 'original', cost: 'latency' })).toEqual(['latency-unused']);
    expect(at({ mode: 'budget', costWeight: 'latency' })).toEqual(['latency-unused']);
    expect(at({ cost: 'latency', costWeight: '1' })).toEqual(['latency-unused']);
  });

  it('warns of distillation without a finish', () => {
    expect(codes({ lambda2: 1, distill: 0.5, finish: 0 })).toEqual(['distill-unused']);
  });
});
