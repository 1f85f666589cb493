import { openMemory } from '../engine/memory';
import { findEngine, providersHere } from '../engine/registry';
import { selectEngine, type Selection } from '../engine/select';
import { Batches } from './batches';
import { disposeControls, makeControls } from './switchControls';
import { drawSwitches, type SwitchMode } from './switchModes';
import { trainingStep } from './trunkStep';
import { Network } from './network';
import { Optimizer, type OptimizerSpec } from './optimizer';
import type { Prepared } from './prepare';

/**
 * The engine that trains a model: the one that was asked for, or for `auto` the one that takes a step of this very
 * model fastest.
 *
 * @param name of an engine, or `auto`
 * @param avoid engines that died under this run
 * @throws ShrinkError `unknown-engine`, `engine-unavailable`, `no-engine`
 */
export async function chooseEngine(
  name: string,
  prepared: Prepared,
  optimizerSpec: OptimizerSpec,
  mode: SwitchMode,
  batchSize: number,
  seed: number,
  avoid: readonly string[] = [],
): Promise<Selection> {
  if (name !== 'auto') return { engine: await findEngine(name).load(), why: 'asked for', trials: [] };
  const network = await Network.create(
    prepared.graph,
    prepared.weights,
    prepared.sizing,
    drawSwitches(mode, prepared.analysis, seed),
    mode.form,
  );
  const optimizer = new Optimizer(optimizerSpec, network.optimizedVariables(mode.optimized));
  const controls = await makeControls(network, mode);
  const batches = new Batches(prepared.dataset.train, batchSize, prepared.labelShapes, seed);
  try {
    const { step, variables } = trainingStep(network, prepared.head, optimizer, { mode, controls });
    const candidates = providersHere().filter(({ name: other }) => other !== 'cpu' && !avoid.includes(other));
    return await selectEngine(
      {
        step,
        variables,
        batch: batches.specs(),
        data: batches.at(0),
        scalars: { learningRate: optimizerSpec.learningRate, randomSeed: seed, weightDecay: 0, lambda: 0 },
        identity: [
          prepared.graph,
          prepared.head.outputs.map(({ loss }) => loss),
          batches.specs(),
          optimizerSpec,
          mode.form,
          mode.optimized,
          controls.map(({ state }) => Object.keys(state)),
        ],
      },
      { candidates, memory: openMemory() },
    );
  } finally {
    disposeControls(controls);
    optimizer.dispose();
    network.dispose();
  }
}
