import { findEngine } from '../engine/registry';
import { selectEngine, type Selection } from '../engine/select';
import { Batches } from './batches';
import { makeControls, disposeControls, trainingStep } from './trunkStep';
import { initialSwitches } from './initialSwitches';
import { Network } from './network';
import { Optimizer, type OptimizerSpec } from './optimizer';
import type { Prepared } from './prepare';

/**
 * The engine that trains a model: the one that was asked for, or for `auto` the one that takes a step of this very
 * model fastest.
 *
 * @param name of an engine, or `auto`
 * @throws ShrinkError `unknown-engine`, `engine-unavailable`, `no-engine`
 */
export async function chooseEngine(
  name: string,
  prepared: Prepared,
  optimizerSpec: OptimizerSpec,
  batchSize: number,
  seed: number,
): Promise<Selection> {
  if (name !== 'auto') return { engine: await findEngine(name).load(), why: 'asked for', trials: [] };
  const network = await Network.create(
    prepared.graph,
    prepared.weights,
    prepared.sizing,
    initialSwitches(prepared.analysis, seed),
  );
  const optimizer = new Optimizer(optimizerSpec, network.trainedVariables());
  const controls = network.bank.entries().map(([, beta]) => makeControls(beta));
  const batches = new Batches(prepared.dataset.train, batchSize, prepared.labelShape, seed);
  try {
    const { step, variables } = trainingStep(network, prepared.head, optimizer, controls, false);
    return await selectEngine({
      step,
      variables,
      batch: batches.specs(),
      data: batches.at(0),
      scalars: { learningRate: optimizerSpec.learningRate, randomSeed: seed, weightDecay: 0 },
    });
  } finally {
    controls.forEach(disposeControls);
    optimizer.dispose();
    network.dispose();
  }
}
