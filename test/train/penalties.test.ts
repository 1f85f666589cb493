import { beforeAll, describe, expect, it } from 'vitest';
import type { Engine } from '../../src/engine/engine';
import { findEngine } from '../../src/engine/registry';
import * as tf from '../../src/engine/tf';
import { groupsOf } from '../../src/train/groups';
import { GROUP_SPARSITY, PROXIMAL, subgradientMode, type SwitchMode } from '../../src/train/switchModes';
import { denseModel, filtered, stepper } from '../support/smallNet';

/** The penalties of the draft: hand-computed values, and gradients of the whole step against finite differences. */

let engine: Engine;

beforeAll(async () => {
  engine = await findEngine('wasm').load();
});

const INPUTS = 3;
const WIDTH = 4;
const OUTPUTS = 2;
const ROWS = 8;
const RATE = 0.01;
const REMOVAL = { strategy: 'sign-variance', gamma: 0.99, threshold: 0.5 } as const;

/** Kernel and bias of the hidden layer, of the last, and the switches: all parameters in one list. */
const SIZES = [INPUTS * WIDTH, WIDTH, WIDTH * OUTPUTS, OUTPUTS, WIDTH] as const;

function parts(all: readonly number[]): number[][] {
  let start = 0;
  return SIZES.map((size) => all.slice(start, (start += size)));
}

/** The loss of the network of `denseModel`, in double precision and without TensorFlow.js. */
function lossOf(all: readonly number[], x: Float32Array, y: Float32Array, form: 'signed' | 'relu'): number {
  const [kernel = [], bias = [], last = [], lastBias = [], beta = []] = parts(all);
  let sum = 0;
  for (let row = 0; row < ROWS; row += 1) {
    const hidden = Array.from({ length: WIDTH }, (_, c) => {
      let value = bias[c] ?? 0;
      for (let i = 0; i < INPUTS; i += 1) value += (x[row * INPUTS + i] ?? 0) * (kernel[i * WIDTH + c] ?? 0);
      // The Filter stands before the activation, where zero stays zero.
      const factor = form === 'relu' ? Math.max(0, beta[c] ?? 0) : (beta[c] ?? 0);
      return Math.max(0, value * factor);
    });
    for (let o = 0; o < OUTPUTS; o += 1) {
      const out = hidden.reduce((s, h, c) => s + h * (last[c * OUTPUTS + o] ?? 0), lastBias[o] ?? 0);
      sum += (out - (y[row * OUTPUTS + o] ?? 0)) ** 2;
    }
  }
  return sum / (ROWS * OUTPUTS);
}

const sumOf = (values: readonly number[], of: (v: number) => number): number =>
  values.reduce((sum, v) => sum + of(v), 0);

interface Case {
  readonly name: string;
  readonly mode: SwitchMode;
  readonly beta: readonly number[];
  readonly lambda: readonly number[];
  readonly lambda2: number;
  readonly power?: 1 | 2;
  readonly penalty: (all: readonly number[]) => number;
}

const LAMBDA = [0.3, 0.3, 0.7, 0.7];
const weighted = (values: readonly number[], of: (v: number) => number): number =>
  values.reduce((sum, v, c) => sum + (LAMBDA[c] ?? 0) * of(v), 0);

const CASES: readonly Case[] = [
  {
    name: 'eq. 2: λ Σ max(0, θ), by layer and channel',
    mode: subgradientMode('relu', { ...REMOVAL, strategy: 'relu' }),
    beta: [0.9, 0.4, 0.6, 0.2],
    lambda: LAMBDA,
    lambda2: 0,
    penalty: (all) => weighted(parts(all)[4] ?? [], (v) => Math.max(0, v)),
  },
  {
    name: 'eq. 3: λ ‖β‖₁',
    mode: subgradientMode('signed', REMOVAL),
    beta: [0.9, -0.4, 0.6, -0.2],
    lambda: LAMBDA,
    lambda2: 0,
    penalty: (all) => weighted(parts(all)[4] ?? [], Math.abs),
  },
  ...([1, 2] as const).map((power): Case => ({
    name: `eq. 9, 10: λ ‖β‖₁ + λ2 ‖θ‖ₚᵖ, p = ${power}`,
    mode: subgradientMode('signed', REMOVAL),
    beta: [0.9, -0.4, 0.6, -0.2],
    lambda: LAMBDA,
    lambda2: 0.05,
    power,
    penalty: (all) =>
      weighted(parts(all)[4] ?? [], Math.abs) +
      0.05 * sumOf(parts(all).slice(0, 4).flat(), (v) => Math.abs(v) ** power),
  })),
  {
    name: 'eq. 5: λ Σ √#θ ‖θ‖₂ over what makes a channel',
    mode: GROUP_SPARSITY,
    beta: [1, 1, 1, 1],
    lambda: LAMBDA,
    lambda2: 0,
    penalty: (all) => {
      const [kernel = [], bias = []] = parts(all);
      return LAMBDA.reduce((sum, lambda, c) => {
        const group = [...Array.from({ length: INPUTS }, (_, i) => kernel[i * WIDTH + c] ?? 0), bias[c] ?? 0];
        return sum + lambda * Math.sqrt(INPUTS + 1) * Math.hypot(...group);
      }, 0);
    },
  },
];

async function prepare({ mode, beta, lambda, power }: Case) {
  const network = await filtered(denseModel(INPUTS, WIDTH, OUTPUTS, 4), mode, {
    hidden: Float32Array.from(beta),
  });
  const steps = await stepper(
    engine,
    network,
    mode,
    { name: 'sgd', learningRate: RATE },
    { inputs: INPUTS, outputs: OUTPUTS, rows: ROWS, ...(power === undefined ? {} : { decayPower: power }) },
  );
  const [control] = steps.controls;
  if (control === undefined) throw new Error('one hub');
  tf.tidy(() => control.state['lambda']?.assign(tf.tensor1d([...lambda])));
  const variables = [...network.trainedVariables(), control.beta];
  const read = (): number[] => variables.flatMap((variable) => [...variable.dataSync()]);
  return { network, steps, control, read };
}

describe('the objective of a step', () => {
  it.each(CASES)('has the value and the gradient of $name', async (test) => {
    const { steps, control, read } = await prepare(test);
    const before = read();
    const objective = (all: readonly number[], factor: number): number =>
      lossOf(all, steps.x, steps.y, test.mode.form) + factor * test.penalty(all);
    const value = tf.tidy(() => test.mode.penalty?.(control, { lambda: 1 }).dataSync()[0]);
    const onSwitches = test.lambda2 === 0 ? test.penalty(before) : undefined;
    if (onSwitches !== undefined) expect(value).toBeCloseTo(onSwitches, 5);

    // What a step reports is the loss alone, without penalties.
    expect(await steps.run({ weightDecay: test.lambda2 })).toBeCloseTo(
      lossOf(before, steps.x, steps.y, test.mode.form),
      5,
    );
    const after = read();
    const moved = test.mode.optimized ? before.length : before.length - WIDTH;
    for (let i = 0; i < moved; i += 1) {
      const nudged = (by: number): number[] => before.map((v, j) => (i === j ? v + by : v));
      const slope = (objective(nudged(1e-5), 1) - objective(nudged(-1e-5), 1)) / 2e-5;
      expect(((before[i] ?? 0) - (after[i] ?? 0)) / RATE, `parameter ${i}`).toBeCloseTo(slope, 3);
    }
    if (!test.mode.optimized) expect(after.slice(moved)).toEqual(before.slice(moved));
    steps.dispose();
  });

  it('does not charge the dead', async () => {
    for (const test of CASES.filter(({ lambda2 }) => lambda2 === 0)) {
      const { steps, control, read } = await prepare(test);
      tf.tidy(() => control.state.alive.assign(tf.tensor1d([0, 0, 0, 1])));
      const value = tf.tidy(() => test.mode.penalty?.(control, { lambda: 1 }).dataSync()[0]) ?? 0;
      const all = read();
      const alone = test.penalty(all.map((v, i) => (i >= all.length - WIDTH && i < all.length - 1 ? 0 : v)));
      if (test.mode.optimized) expect(value).toBeCloseTo(alone, 5);
      else expect(value).toBeLessThan(test.penalty(all) * 0.9);
      steps.dispose();
    }
  });

  it('follows the schedule of λ', async () => {
    for (const test of CASES) {
      const { steps, control } = await prepare(test);
      const value = (lambda: number): number =>
        tf.tidy(() => test.mode.penalty?.(control, { lambda }).dataSync()[0]) ?? 0;
      expect(value(0.25)).toBeCloseTo(value(1) / 4, 5);
      steps.dispose();
    }
  });

  it('thresholds softly in the proximal modes: gradient step, then λ times the schedule off the rest', async () => {
    const start = [0.9, -0.4, 0.6, 0.01];
    const run = async (lambda: number, threshold: number): Promise<number[]> => {
      const network = await filtered(denseModel(INPUTS, WIDTH, OUTPUTS, 4), PROXIMAL, {
        hidden: Float32Array.from(start),
      });
      const steps = await stepper(
        engine,
        network,
        PROXIMAL,
        { name: 'sgd', learningRate: 0 },
        { inputs: INPUTS, outputs: OUTPUTS, rows: ROWS },
      );
      const [control] = steps.controls;
      if (control === undefined) throw new Error('one hub');
      tf.tidy(() => control.state['threshold']?.assign(tf.fill([WIDTH], threshold)));
      await steps.run({ lambda });
      const values = [...control.beta.dataSync()];
      steps.dispose();
      return values;
    };
    const plain = await run(1, 0);
    for (const [factor, limit] of [
      [1, 0.2],
      [0.5, 0.2],
    ] as const) {
      const soft = plain.map((v) => Math.sign(v) * Math.max(0, Math.abs(v) - factor * limit));
      (await run(factor, limit)).forEach((v, i) => expect(v).toBeCloseTo(soft[i] ?? 0, 5));
    }
    // An exact zero, not a small number.
    expect(await run(1, 100)).toEqual([0, 0, 0, 0]);
  });
});

describe('groups', () => {
  const ALIVE = (network: Awaited<ReturnType<typeof filtered>>, dead: Readonly<Record<string, number[]>>) =>
    new Map(
      network.analysis.hubs
        .filter((hub) => hub.classes.length > 0)
        .map((hub) => [
          hub.name,
          tf.tensor1d(Array.from(hub.classes, (_, i) => (dead[hub.name]?.includes(i) === true ? 0 : 1))),
        ]),
    );

  it('hold kernel, bias and the normalisation behind them, and nothing that reads a dead channel', async () => {
    const model = tf.sequential();
    model.add(tf.layers.conv2d({ inputShape: [5, 5, 2], filters: 3, kernelSize: 3, name: 'a' }));
    model.add(tf.layers.batchNormalization({ name: 'norm' }));
    model.add(tf.layers.activation({ activation: 'relu' }));
    model.add(tf.layers.flatten());
    model.add(tf.layers.dense({ units: 4, activation: 'relu', name: 'b' }));
    model.add(tf.layers.dense({ units: 2, name: 'c' }));
    for (const layer of model.layers)
      tf.tidy(() => layer.setWeights(layer.getWeights().map((w) => tf.fill(w.shape, 2))));
    const network = await filtered(model, GROUP_SPARSITY);
    const groups = groupsOf(network);
    expect([...groups.keys()]).toEqual(['a', 'b']);
    const read = (hub: string, dead: Readonly<Record<string, number[]>>) =>
      tf.tidy(() => {
        const alive = ALIVE(network, dead);
        const group = groups.get(hub);
        if (group === undefined) throw new Error(hub);
        return [group.sizes(alive), group.squares(alive), group.countAtLeast(1, alive)].map((t) => [
          ...t.dataSync(),
        ]);
      });
    // 3·3·2 kernel weights, a bias, gamma and beta; each weight is 2.
    expect(read('a', {})).toEqual([
      [21, 21, 21],
      [84, 84, 84],
      [21, 21, 21],
    ]);
    // 27 inputs, 9 positions of 3 channels, and a bias.
    expect(read('b', {})[0]).toEqual([28, 28, 28, 28]);
    expect(read('b', { a: [1] })).toEqual([
      [19, 19, 19, 19],
      [76, 76, 76, 76],
      [19, 19, 19, 19],
    ]);
    expect(read('a', { b: [0] })[0]).toEqual([21, 21, 21]);
    network.dispose();
  });

  it('hold the kernels of all layers that a sum joins', async () => {
    const input = tf.input({ shape: [3] });
    const one = tf.layers.dense({ units: 4, name: 'one' }).apply(input) as tf.SymbolicTensor;
    const two = tf.layers.dense({ units: 4, name: 'two', useBias: false }).apply(input) as tf.SymbolicTensor;
    const sum = tf.layers.add().apply([one, two]) as tf.SymbolicTensor;
    const out = tf.layers.dense({ units: 1, name: 'out' }).apply(sum) as tf.SymbolicTensor;
    const network = await filtered(tf.model({ inputs: input, outputs: out }), GROUP_SPARSITY);
    const group = groupsOf(network).get('one');
    expect(tf.tidy(() => [...(group?.sizes(ALIVE(network, {})).dataSync() ?? [])])).toEqual([7, 7, 7, 7]);
    network.dispose();
  });

  it('die when every weight is under 1e-3, not before', async () => {
    const network = await filtered(denseModel(INPUTS, WIDTH, OUTPUTS), GROUP_SPARSITY);
    const steps = await stepper(
      engine,
      network,
      GROUP_SPARSITY,
      { name: 'sgd', learningRate: 0 },
      { inputs: INPUTS, outputs: OUTPUTS },
    );
    const [kernel, bias] = network.trainedVariables();
    tf.tidy(() => {
      const column = [0.0009, -0.0009, 0.0009];
      const rows = column.map((v, i) => [v, i === 1 ? -0.0011 : v, v, 0.5]);
      kernel?.assign(tf.tensor2d(rows));
      bias?.assign(tf.tensor1d([0.0005, 0.0005, -0.002, 0]));
    });
    await steps.run({ lambda: 0 });
    expect([...(steps.controls[0]?.state.alive.dataSync() ?? [])]).toEqual([0, 1, 1, 1]);
    expect([...(steps.controls[0]?.beta.dataSync() ?? [])]).toEqual([0, 1, 1, 1]);
    steps.dispose();
  });
});
