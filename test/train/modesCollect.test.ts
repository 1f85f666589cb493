import { beforeAll, describe, expect, it } from 'vitest';
import type { Controller, Decision } from '../../src/core/controller';
import { normalSamples, seededRandom } from '../../src/core/random';
import type { Engine } from '../../src/engine/engine';
import { findEngine } from '../../src/engine/registry';
import * as tf from '../../src/engine/tf';
import { Batches } from '../../src/train/batches';
import { outputDifference } from '../../src/train/evaluate';
import { GROUP_SPARSITY, PROXIMAL, subgradientMode, type SwitchMode } from '../../src/train/switchModes';
import { Trunk } from '../../src/train/trunk';
import { randomise } from '../support/randomModels';
import { EVERYTHING, filtered, headOf, OPTIMIZERS } from '../support/smallNet';

/**
 * In every mode and under every optimizer the trunk goes on after a collection as it would have with the dead channels
 * still there: weights, switches and what is measured of switches, with both penalties at work.
 */

const MODES: Readonly<Record<string, SwitchMode>> = {
  proximal: PROXIMAL,
  signed: subgradientMode('signed', { strategy: 'sign-variance', gamma: 0.99, threshold: 0.5 }),
  relu: subgradientMode('relu', { strategy: 'relu', gamma: 0.99, threshold: 0.5 }),
  group: GROUP_SPARSITY,
};
const ROWS = 64;
const SIDE = 5;

function model(): tf.LayersModel {
  const { layers } = tf;
  const made = tf.sequential();
  made.add(layers.conv2d({ name: 'conv', inputShape: [SIDE, SIDE, 2], filters: 8, kernelSize: 3 }));
  made.add(layers.batchNormalization({ name: 'norm' }));
  made.add(layers.activation({ name: 'relu', activation: 'relu' }));
  made.add(layers.flatten({ name: 'flat' }));
  made.add(layers.dense({ name: 'dense', units: 10, activation: 'sigmoid' }));
  made.add(layers.dense({ name: 'out', units: 3 }));
  randomise(made, 3);
  return made;
}

const nothing: Pick<Decision, 'fading' | 'revived' | 'kept' | 'lambda'> = {
  fading: [],
  revived: [],
  kept: {},
  lambda: 0.01,
};

/** @param goes whether the channel in this place of a hub dies */
const killing = (goes: (place: number) => boolean): Controller => ({
  everySteps: 1,
  tau: 0,
  decide: (_step, { hubs }, _model, alive) => ({
    ...nothing,
    dead: hubs.flatMap(({ classes }) => [...classes].filter((c, i) => alive[c] === 1 && goes(i))),
    threshold: new Float64Array(alive.length).fill(0.01),
  }),
});

let engine: Engine;
beforeAll(async () => {
  engine = await findEngine('wasm').load();
});

async function train(mode: SwitchMode, name: (typeof OPTIMIZERS)[number], early: boolean) {
  const random = seededRandom(9);
  const features = (width: number) => ({ data: normalSamples(ROWS * width, random), scale: 1 });
  const rows = {
    count: ROWS,
    x: { ...features(SIDE * SIDE * 2), shape: [SIDE, SIDE, 2] },
    y: { kind: 'values' as const, features: { ...features(3), shape: [3] } },
  };
  const network = await filtered(model(), mode);
  const sample = [
    { x: normalSamples(2 * SIDE * SIDE * 2, random), shape: [2, SIDE, SIDE, 2] as readonly number[] },
  ];
  const trunk = await Trunk.create(
    {
      engine,
      head: headOf(network.graph, 'meanSquaredError', [3]),
      sizing: EVERYTHING,
      optimizer: { name, learningRate: 0.01, settings: {} },
      mode,
      cost: 'params',
      lambda2: 1e-3,
      decayPower: 2,
      seed: 1,
      batches: new Batches(rows, 16, [[3]], 1),
      sample,
    },
    network,
  );
  const steps = async (from: number, to: number) => {
    for (let step = from; step < to; step += 1) await trunk.step(step, 0.01, 1);
  };
  await trunk.remove(
    0,
    killing(() => false),
  );
  await steps(0, 6);
  await trunk.remove(
    6,
    killing((place) => place % 3 === 1),
  );
  if (early) await trunk.collect();
  await steps(6, 11);
  await trunk.remove(
    11,
    killing(() => false),
  );
  await trunk.collect();
  const { weights } = await trunk.snapshot(1, 'budget', 11);
  const found = {
    weights: Object.entries(weights).flatMap(([layer, tensors]) =>
      tensors.map(({ data }, i) => ({ name: `${layer} ${i}`, data })),
    ),
    switches: Object.entries(await trunk.network.readSwitches()).map(([hub, data]) => ({ name: hub, data })),
    measured: Object.entries(await trunk.readSwitchState()).flatMap(([hub, state]) =>
      Object.entries(state).map(([field, values]) => ({
        name: `${hub} ${field}`,
        data: Float32Array.from(values),
      })),
    ),
  };
  trunk.dispose();
  return found;
}

describe.each(Object.entries(MODES))('%s', (_, mode) => {
  it.each(OPTIMIZERS)('goes on after a collection as before it: %s', { timeout: 60_000 }, async (name) => {
    const late = await train(mode, name, false);
    const early = await train(mode, name, true);
    for (const part of ['weights', 'switches', 'measured'] as const) {
      expect(early[part].map((one) => one.name)).toEqual(late[part].map((one) => one.name));
      expect(early[part].length).toBeGreaterThan(0);
      early[part].forEach(({ name: of, data }, i) => {
        const other = late[part][i]?.data ?? new Float32Array();
        expect(data.length, of).toBe(other.length);
        expect(outputDifference(other, data), of).toBeLessThan(1e-4);
      });
    }
    for (const { data } of early.switches) expect(data.length).toBeLessThan(8);
  });
});
