import { expect } from 'vitest';
import { analyse } from '../../src/core/analysis';
import { planCollection, replayEdits } from '../../src/core/collect';
import { respectLimits } from '../../src/core/constraints';
import { allAlive } from '../../src/core/cost';
import { foldSwitches } from '../../src/core/fold';
import { foldableSizing } from '../../src/core/foldable';
import { readGraph } from '../../src/core/graph';
import { normalSamples, seededRandom } from '../../src/core/random';
import { splitActivations } from '../../src/core/split';
import { sizeOf, type LayerWeights } from '../../src/core/tensor';
import type { Engine } from '../../src/engine/engine';
import * as tf from '../../src/engine/tf';
import { disposeModel, readWeights, topologyOf } from '../../src/train/model';
import { Network } from '../../src/train/network';
import { outputDifference, outputsOf } from '../../src/train/evaluate';
import { shrinkSlots } from '../../src/train/collector';
import { Optimizer, type OptimizerName } from '../../src/train/optimizer';
import { disposeControls, makeControls } from '../../src/train/switchControls';
import { PROXIMAL } from '../../src/train/switchModes';
import { compileTraining } from '../../src/train/trunkStep';
import { EVERYTHING, headOf } from './smallNet';

/** Networks of which a random part of the channels is dead: masked first, collected then. */

const ROWS = 6;

/** A loss over this is that of a network that no two engines would train alike. */
const EXPLODED = 1e5;

/** @param model is disposed @param inputShapes of one row, input by input @param share of the channels that die */
export async function maskModel(
  model: tf.LayersModel,
  inputShapes: readonly (readonly number[])[],
  seed: number,
  share?: number,
) {
  const topology = topologyOf(model);
  const weights = await readWeights(model);
  disposeModel(model);
  const graph = splitActivations(readGraph(topology));
  const sizing = foldableSizing(graph, EVERYTHING);
  const analysis = analyse(graph, sizing);
  const random = seededRandom(seed + 1);
  const alive = allAlive(analysis);
  // Now and then as many as may go.
  const most = random() < 0.2 ? 1 : 0.5;
  const candidates = analysis.hubs
    .flatMap((hub) => [...hub.classes])
    .filter(() => random() < (share ?? most));
  const limits = { min: 1, max: Number.POSITIVE_INFINITY, multiple: 1 };
  for (const c of respectLimits(analysis, alive, candidates, () => limits)) alive[c] = 0;
  const switches: Record<string, Float32Array> = {};
  for (const hub of analysis.hubs)
    if (hub.classes.length > 0)
      switches[hub.name] = normalSamples(hub.classes.length, random).map((v, i) =>
        alive[hub.classes[i] ?? 0] === 1 ? v + Math.sign(v) * 0.2 : 0,
      );
  const network = await Network.create(graph, weights, sizing, switches);
  const inputs = inputShapes.map((row) => {
    const shape = [ROWS, ...row];
    return { shape, x: normalSamples(sizeOf(shape), random) };
  });
  return { analysis, sizing, alive, network, inputs, random };
}

export type Masked = Awaited<ReturnType<typeof maskModel>>;

/** The same network without its dead channels. */
async function collectMasked({ analysis, sizing, alive, network }: Masked) {
  const plan = planCollection(analysis, alive);
  const switches = await network.readSwitches();
  for (const { hub, keep } of plan.switches) {
    const values = switches[hub];
    if (values !== undefined) switches[hub] = Float32Array.from(keep, (i) => values[i] ?? 0);
  }
  const weights = replayEdits(await network.readWeights(), plan.edits);
  return { plan, network: await Network.create(plan.graph, weights, sizing, switches) };
}

/** Five training steps towards a class a row; dead channels stay dead. */
async function trainFive(
  engine: Engine,
  network: Network,
  optimizer: Optimizer,
  { analysis, alive }: Pick<Masked, 'analysis' | 'alive'>,
  inputs: Masked['inputs'],
  outputs: readonly number[],
): Promise<{ weights: LayerWeights; switches: Record<string, Float32Array>; loss: number }> {
  const controls = await makeControls(network, PROXIMAL);
  for (const { hub: name, state } of controls) {
    const hub = analysis.hubs.find((candidate) => candidate.name === name);
    tf.tidy(() => state.alive.assign(tf.tensor1d(Array.from(hub?.classes ?? [], (c) => alive[c] ?? 1))));
  }
  const head = headOf(network.graph, 'categoricalCrossentropy', outputs);
  const step = await compileTraining(
    engine,
    network,
    head,
    optimizer,
    { mode: PROXIMAL, controls },
    [...inputs.map(({ shape }) => shape), ...outputs.map((width) => [ROWS, width])].map((shape) => ({
      shape,
      dtype: 'float32',
    })),
  );
  const batch = [
    ...inputs.map(({ x }) => x),
    ...outputs.map((width) =>
      Float32Array.from({ length: ROWS * width }, (_, i) => (i % (width + 1) === 0 ? 1 : 0)),
    ),
  ];
  let loss = 0;
  for (let i = 0; i < 5; i += 1) {
    const [found] = await step.run(batch, { learningRate: 0.01, randomSeed: i, weightDecay: 0, lambda: 0 });
    const now = found?.[0] ?? Number.NaN;
    // NaN stays.
    loss = now < loss ? loss : now;
  }
  await step.pull();
  const result = { weights: await network.readWeights(), switches: await network.readSwitches(), loss };
  step.dispose();
  disposeControls(controls);
  return result;
}

/** Weights within 1e-4 of each other, relative to the largest of a tensor (at least 1). */
function expectSame(a: LayerWeights, b: LayerWeights): void {
  expect(Object.keys(a).sort()).toEqual(Object.keys(b).sort());
  for (const [layer, tensors] of Object.entries(b))
    tensors.forEach((tensor, i) => {
      expect(a[layer]?.[i]?.shape).toEqual(tensor.shape);
      const difference = outputDifference(a[layer]?.[i]?.data ?? new Float32Array(), tensor.data);
      expect(difference, `${layer} weight ${i}`).toBeLessThan(1e-4);
    });
}

/**
 * Collecting what is masked, and folding what is left, leave the answers within 1e-5.
 *
 * @returns how many channels went
 */
export async function expectSameAnswers(masked: Masked): Promise<number> {
  const before = await outputsOf(masked.network, masked.inputs);
  const small = await collectMasked(masked);
  expect(outputDifference(before, await outputsOf(small.network, masked.inputs))).toBeLessThan(1e-5);
  for (const width of Object.values(small.network.widths())) expect(width).toBeGreaterThan(0);
  const { analysis, places, graph } = small.network;
  const weights = await small.network.readWeights();
  const folded = foldSwitches(analysis, places, weights, await small.network.readSwitches());
  const plain = await Network.create(graph, folded, EVERYTHING, {});
  expect(plain.model.layers.every((layer) => layer.getClassName() !== 'ShrinkFilter')).toBe(true);
  expect(outputDifference(before, await outputsOf(plain, masked.inputs))).toBeLessThan(1e-5);
  small.network.dispose();
  plain.dispose();
  return Object.values(small.plan.removed).reduce((sum, count) => sum + count, 0);
}

/**
 * The next five training steps give the masked and the collected network the same weights within 1e-4.
 *
 * @returns false for a network whose training explodes, masked or not: nothing is compared then
 */
export async function expectSameSteps(
  engine: Engine,
  masked: Masked,
  name: OptimizerName,
  outputs: readonly number[],
): Promise<boolean> {
  const { network, inputs } = masked;
  const spec = { name, learningRate: 0.01, settings: {} };
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
  const { plan, network: small } = await collectMasked(masked);
  const smallOpt = new Optimizer(spec, small.trainedVariables());
  smallOpt.write({ slots: shrinkSlots(noisy, network, small, plan, false), scalars: state.scalars });
  const a = await trainFive(engine, network, opt, masked, inputs, outputs);
  const living = { analysis: small.analysis, alive: allAlive(small.analysis) };
  const b = await trainFive(engine, small, smallOpt, living, inputs, outputs);
  opt.dispose();
  smallOpt.dispose();
  small.dispose();
  if (!(a.loss < EXPLODED)) {
    expect(b.loss < EXPLODED).toBe(false);
    return false;
  }
  expectSame(replayEdits(a.weights, plan.edits), b.weights);
  for (const { hub, keep } of plan.switches) {
    const kept = Float32Array.from(keep, (i) => a.switches[hub]?.[i] ?? Number.NaN);
    expect(outputDifference(kept, b.switches[hub] ?? new Float32Array())).toBeLessThan(1e-4);
  }
  return true;
}
