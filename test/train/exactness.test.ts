import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { analyse } from '../../src/core/analysis';
import { planCollection, replayEdits } from '../../src/core/collect';
import { respectLimits } from '../../src/core/constraints';
import { allAlive } from '../../src/core/cost';
import { foldSwitches } from '../../src/core/fold';
import { readGraph } from '../../src/core/graph';
import { normalSamples, seededRandom } from '../../src/core/random';
import { splitActivations } from '../../src/core/split';
import type { LayerWeights } from '../../src/core/tensor';
import type { Engine } from '../../src/engine/engine';
import { findEngine } from '../../src/engine/registry';
import { outputDifference, outputsOf } from '../../src/train/evaluate';
import { shrinkSlots } from '../../src/train/collector';
import { readWeights, topologyOf } from '../../src/train/model';
import { Network } from '../../src/train/network';
import { Optimizer, type OptimizerName } from '../../src/train/optimizer';
import { disposeControls, makeControls } from '../../src/train/switchControls';
import { PROXIMAL } from '../../src/train/switchModes';
import { compileTraining } from '../../src/train/trunkStep';
import * as tf from '../../src/engine/tf';
import { drawModel, modelSeeds } from '../support/randomModels';

const ROWS = 6;
const NOTHING = { off: new Set<string>() };
const OPTIMIZERS: readonly OptimizerName[] = [
  'sgd',
  'momentum',
  'nesterov',
  'adagrad',
  'adadelta',
  'adam',
  'adamax',
  'rmsprop',
];

let engine: Engine;

beforeAll(async () => {
  engine = await findEngine('wasm').load();
});

/** A random model, filtered, with random switches of which a random part is dead. */
async function drawMasked(seed: number) {
  const drawn = drawModel(seed);
  const topology = topologyOf(drawn.model);
  const weights = await readWeights(drawn.model);
  drawn.model.dispose();
  const graph = splitActivations(readGraph(topology));
  const analysis = analyse(graph, NOTHING);
  const random = seededRandom(seed + 1);
  const alive = allAlive(analysis);
  const candidates = analysis.hubs.flatMap((hub) => [...hub.classes]).filter(() => random() < 0.5);
  const limits = { min: 1, max: Number.POSITIVE_INFINITY, multiple: 1 };
  for (const c of respectLimits(analysis, alive, candidates, () => limits)) alive[c] = 0;
  const switches: Record<string, Float32Array> = {};
  for (const hub of analysis.hubs)
    if (hub.classes.length > 0)
      switches[hub.name] = normalSamples(hub.classes.length, random).map((v, i) =>
        alive[hub.classes[i] ?? 0] === 1 ? v + Math.sign(v) * 0.2 : 0,
      );
  const network = await Network.create(graph, weights, NOTHING, switches);
  const shape = [ROWS, ...drawn.inputShape];
  const x = normalSamples(
    shape.reduce((a, b) => a * b, 1),
    random,
  );
  return { drawn, graph, analysis, alive, network, x, shape, weights, switches, random };
}

async function collected(drawn: Awaited<ReturnType<typeof drawMasked>>) {
  const plan = planCollection(drawn.analysis, drawn.alive);
  const switches = await drawn.network.readSwitches();
  for (const { hub, keep } of plan.switches) {
    const values = switches[hub];
    if (values !== undefined) switches[hub] = Float32Array.from(keep, (i) => values[i] ?? 0);
  }
  const weights = replayEdits(await drawn.network.readWeights(), plan.edits);
  return { plan, network: await Network.create(plan.graph, weights, NOTHING, switches) };
}

describe('removing dead channels', () => {
  it('leaves the output of 300 random graphs as it was, and folding does', async () => {
    let removed = 0;
    await fc.assert(
      fc.asyncProperty(modelSeeds, async (seed) => {
        const masked = await drawMasked(seed);
        const before = await outputsOf(masked.network, masked.x, masked.shape);
        const small = await collected(masked);
        removed += Object.values(small.plan.removed).reduce((a, b) => a + b, 0);
        expect(outputDifference(before, await outputsOf(small.network, masked.x, masked.shape))).toBeLessThan(
          1e-5,
        );
        for (const width of Object.values(small.network.widths())) expect(width).toBeGreaterThan(0);

        const { analysis, places, graph } = small.network;
        const folded = foldSwitches(
          analysis,
          places,
          await small.network.readWeights(),
          await small.network.readSwitches(),
        );
        const plain = await Network.create(graph, folded, NOTHING, {});
        expect(plain.model.layers.every((layer) => layer.getClassName() !== 'ShrinkFilter')).toBe(true);
        expect(outputDifference(before, await outputsOf(plain, masked.x, masked.shape))).toBeLessThan(1e-5);
        for (const network of [masked.network, small.network, plain]) network.dispose();
      }),
      { numRuns: 300, seed: 20261122 },
    );
    // The property says nothing if hardly anything was dead.
    expect(removed).toBeGreaterThan(300);
  }, 240_000);

  it.each(OPTIMIZERS)(
    'leaves the next five steps as they were: %s',
    async (name) => {
      await fc.assert(
        fc.asyncProperty(modelSeeds, async (seed) => {
          const masked = await drawMasked(seed);
          const spec = { name, learningRate: 0.01, settings: {} };
          const { drawn, network } = masked;
          const opt = new Optimizer(spec, network.trainedVariables());
          // Slots as they are in the middle of a training, not zero.
          const state = await opt.read();
          const noisy = Object.fromEntries(
            Object.entries(state.slots).map(([field, tensors]) => [
              field,
              tensors.map(({ shape, data }) => ({
                shape,
                data: normalSamples(data.length, masked.random).map((v) => 0.01 * v * v + 0.01),
              })),
            ]),
          );
          opt.write({ slots: noisy, scalars: state.scalars });
          const small = await collected(masked);
          const smallOpt = new Optimizer(spec, small.network.trainedVariables());
          smallOpt.write({
            slots: shrinkSlots(noisy, network, small.network, small.plan, false),
            scalars: state.scalars,
          });

          const y = Float32Array.from({ length: ROWS * drawn.outputs }, (_, i) =>
            i % (drawn.outputs + 1) === 0 ? 1 : 0,
          );
          const a = await trainFive(
            network,
            opt,
            masked.analysis.hubs,
            masked.alive,
            masked.x,
            y,
            masked.shape,
            drawn.outputs,
          );
          const b = await trainFive(
            small.network,
            smallOpt,
            small.network.analysis.hubs,
            allAlive(small.network.analysis),
            masked.x,
            y,
            masked.shape,
            drawn.outputs,
          );
          expectSame(replayEdits(a.weights, small.plan.edits), b.weights);
          for (const { hub, keep } of small.plan.switches) {
            const kept = Float32Array.from(keep, (i) => a.switches[hub]?.[i] ?? Number.NaN);
            expect(outputDifference(kept, b.switches[hub] ?? new Float32Array())).toBeLessThan(1e-4);
          }
          opt.dispose();
          smallOpt.dispose();
          network.dispose();
          small.network.dispose();
        }),
        { numRuns: 15, seed: 7 },
      );
    },
    120_000,
  );
});

async function trainFive(
  network: Network,
  optimizer: Optimizer,
  hubs: readonly { readonly name: string; readonly classes: Int32Array }[],
  alive: Uint8Array,
  x: Float32Array,
  y: Float32Array,
  shape: readonly number[],
  outputs: number,
): Promise<{ weights: LayerWeights; switches: Record<string, Float32Array> }> {
  const controls = await makeControls(network, PROXIMAL);
  for (const { hub: name, state } of controls) {
    const hub = hubs.find((candidate) => candidate.name === name);
    tf.tidy(() => state.alive.assign(tf.tensor1d(Array.from(hub?.classes ?? [], (c) => alive[c] ?? 1))));
  }
  const head = {
    loss: 'categoricalCrossentropy',
    fromLogits: true,
    graph: network.graph,
    width: outputs,
    classifies: true,
  } as const;
  const step = await compileTraining(engine, network, head, optimizer, { mode: PROXIMAL, controls }, [
    { shape, dtype: 'float32' },
    { shape: [ROWS, outputs], dtype: 'float32' },
  ]);
  for (let i = 0; i < 5; i += 1)
    await step.run([x, y], { learningRate: 0.01, randomSeed: i, weightDecay: 0, lambda: 0 });
  const result = { weights: await network.readWeights(), switches: await network.readSwitches() };
  step.dispose();
  disposeControls(controls);
  return result;
}

function expectSame(a: LayerWeights, b: LayerWeights): void {
  expect(Object.keys(a).sort()).toEqual(Object.keys(b).sort());
  for (const [layer, tensors] of Object.entries(b))
    tensors.forEach((tensor, i) => {
      expect(a[layer]?.[i]?.shape).toEqual(tensor.shape);
      const difference = outputDifference(a[layer]?.[i]?.data ?? new Float32Array(), tensor.data);
      expect(difference, `${layer} weight ${i}`).toBeLessThan(1e-4);
    });
}
