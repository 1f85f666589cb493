import fc from 'fast-check';
import { beforeAll, expect, it } from 'vitest';
import { planCollection, replayEdits } from '../../src/core/collect';
import { allAlive } from '../../src/core/cost';
import { readGraph } from '../../src/core/graph';
import { splitActivations } from '../../src/core/split';
import { KnownStep } from '../../src/engine/onnx/knownStep';
import type { TracedStep } from '../../src/engine/onnx/traced';
import { Tracer } from '../../src/engine/onnx/trace';
import { findEngine } from '../../src/engine/registry';
import { readWeights, topologyOf } from '../../src/train/model';
import { Network } from '../../src/train/network';
import { Optimizer } from '../../src/train/optimizer';
import { disposeControls, makeControls } from '../../src/train/switchControls';
import { drawSwitches, PROXIMAL } from '../../src/train/switchModes';
import { STEP_SCALARS, trainingStep } from '../../src/train/trunkStep';
import { drawModel, modelSeeds } from '../support/randomModels';
import { EVERYTHING, headOf } from '../support/smallNet';

/** Rows of a whole batch and of the last one. */
const SIZES = [4, 3];

beforeAll(() => findEngine('wasm').load());

/** One channel less in every hub that has more than one. */
async function shrink(network: Network): Promise<Network> {
  const alive = allAlive(network.analysis);
  for (const hub of network.analysis.hubs) {
    const last = hub.classes.at(-1);
    const spare = hub.layers.every((layer) => new Set(layer.classes).size > layer.least);
    if (last !== undefined && hub.classes.length > 1 && spare) alive[last] = 0;
  }
  const plan = planCollection(network.analysis, alive);
  const switches = await network.readSwitches();
  for (const { hub, keep } of plan.switches)
    switches[hub] = Float32Array.from(keep, (i) => switches[hub]?.[i] ?? 0);
  const weights = replayEdits(await network.readWeights(), plan.edits);
  return Network.create(plan.graph, weights, EVERYTHING, switches);
}

/** Tails by the variables that they read and assign. */
function tailsOf({ tails }: TracedStep): unknown {
  return tails.map(({ program, arrays, numbers, assigned }) => ({
    items: program.items,
    arrays: arrays.map((array) => ('variable' in array ? array.variable.id : array.output)),
    numbers: numbers.map((number) => ('variable' in number ? number.variable.id : number)),
    assigned: assigned.map(({ id }) => id),
  }));
}

it('what is known of a step at other widths is what a trace of it finds, on random graphs', async () => {
  const claims = { whole: 0, last: 0, second: 0 };
  await fc.assert(
    fc.asyncProperty(modelSeeds, async (seed) => {
      const { model, inputShapes, outputs } = drawModel(seed);
      const graph = splitActivations(readGraph(topologyOf(model)));
      const weights = await readWeights(model);
      model.dispose();
      const plain = await Network.create(graph, weights, EVERYTHING, {});
      const drawn = drawSwitches(PROXIMAL, plain.analysis, 3);
      plain.dispose();
      let network = await Network.create(graph, weights, EVERYTHING, drawn);
      const head = headOf(graph, 'categoricalCrossentropy', outputs);
      const batchOf = (rows: number) =>
        [...inputShapes, ...outputs.map((width) => [width])].map((shape) => ({
          shape: [rows, ...shape],
          dtype: 'float32' as const,
        }));
      const tracer = new Tracer(true, true);
      let before: readonly KnownStep[] = [];
      for (let i = 0; i < 4; i += 1) {
        const optimizer = new Optimizer(
          { name: 'adam', learningRate: 0.01, settings: {} },
          network.trainedVariables(),
        );
        const controls = await makeControls(network, PROXIMAL);
        const { step, variables } = trainingStep(network, head, optimizer, { mode: PROXIMAL, controls });
        const present: KnownStep[] = [];
        SIZES.forEach((rows, at) => {
          const batch = batchOf(rows);
          const others = present.slice(0, at);
          const claimed = before[at]?.forWidths(variables, batch, STEP_SCALARS, others);
          const traced = tracer.trace(step, batch, STEP_SCALARS);
          present.push(new KnownStep(traced, variables, batch, STEP_SCALARS));
          if (claimed === undefined) return;
          claims[at === 0 ? 'whole' : 'last'] += 1;
          // Known at the second widths already: from the whole batch.
          if (i === 1) claims.second += 1;
          expect(claimed.family).toBe(traced.family);
          expect(claimed.model).toBe(traced.model);
          expect(claimed.variables.length).toBe(traced.variables.length);
          claimed.variables.forEach(({ variable, ...names }, place) => {
            const { variable: found, ...foundNames } = traced.variables[place] ?? {};
            expect(variable).toBe(found);
            expect(names).toEqual(foundNames);
          });
          expect(tailsOf(claimed)).toEqual(tailsOf(traced));
        });
        before = present;
        const smaller = await shrink(network);
        optimizer.dispose();
        disposeControls(controls);
        network.dispose();
        network = smaller;
      }
      network.dispose();
    }),
    { numRuns: 40, seed: 3 },
  );
  // The property says nothing if nothing was known.
  expect(claims.whole).toBeGreaterThan(10);
  expect(claims.last).toBeGreaterThan(10);
  expect(claims.second).toBeGreaterThan(0);
}, 240_000);
