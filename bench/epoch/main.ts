/**
 * What an epoch costs over its bare steps, for the sample (examples/mnist, real MNIST): feeding rows, Filters, penalties,
 * and the reading of statistics at removals. Bare is the step of the author's own model (loss, gradients, Adam) over one
 * batch that lies ready. Both in turns of as many steps as lie between two removals, so that what else the machine does
 * is the same for both. Reading and unpacking MNIST is timed as well. Nothing dies here: the path holds its size first.
 *
 *     npm run bench:epoch [-- --engine onnxruntime|wasm --epochs 1 --threads 1]
 */
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { BudgetController } from '../../src/core/controller';
import { readModuleParts } from '../../src/data/moduleData';
import { completeDataset } from '../../src/data/splitData';
import type { Engine } from '../../src/engine/engine';
import { loadOnnxRuntime } from '../../src/engine/engines/onnxruntime';
import { findEngine } from '../../src/engine/registry';
import * as tf from '../../src/engine/tf';
import { Batches } from '../../src/train/batches';
import { readWeights, topologyOf } from '../../src/train/model';
import { Network, sizeOfNetwork } from '../../src/train/network';
import { Optimizer, type OptimizerSpec } from '../../src/train/optimizer';
import { sampleOf } from '../../src/train/evaluate';
import { prepareTraining } from '../../src/train/prepare';
import { drawSwitches, PROXIMAL } from '../../src/train/switchModes';
import { Trunk } from '../../src/train/trunk';
import { compileTraining, NO_SWITCHES } from '../../src/train/trunkStep';
import { asBackend } from '../asBackend';

await asBackend(import.meta.filename);

const { values: options } = parseArgs({
  options: {
    engine: { type: 'string', default: 'onnxruntime' },
    epochs: { type: 'string', default: '1' },
    threads: { type: 'string', default: '1' },
  },
});

const BATCH = 256;
const ADAM: OptimizerSpec = { name: 'adam', learningRate: 1e-3, settings: {} };

const file = path.join(process.cwd(), 'examples/mnist/data.mjs');
const started = performance.now();
const parts = await readModuleParts((await import(pathToFileURL(file).href)) as unknown, file);
const data = completeDataset(parts, 0.1, 1);
console.log(`MNIST, ${data.train.count} rows to train: ${(performance.now() - started).toFixed(0)} ms`);

const engine: Engine =
  options.engine === 'onnxruntime'
    ? await loadOnnxRuntime({ threads: Number(options.threads) })
    : await findEngine(options.engine).load();

const model = tf.sequential();
model.add(tf.layers.dense({ inputShape: [784], units: 512, activation: 'relu' }));
model.add(tf.layers.dense({ units: 512, activation: 'relu' }));
model.add(tf.layers.dense({ units: 10, activation: 'softmax' }));
const authored = {
  topology: topologyOf(model),
  weights: await readWeights(model),
  siteOf: {},
  loss: 'categoricalCrossentropy',
};
model.dispose();
const prepared = prepareTraining({ sites: [], onlyHinted: false }, authored, data, undefined);
const { graph, weights, head, sizing, labelShapes } = prepared;
const { train } = prepared.dataset;

const plain = await Network.create(graph, weights, sizing, {});
const plainOptimizer = new Optimizer(ADAM, plain.trainedVariables());
const batches = new Batches(train, BATCH, labelShapes, 1);
const bare = await compileTraining(engine, plain, head, plainOptimizer, NO_SWITCHES, batches.specs());
const ready = new Batches(train, BATCH, labelShapes, 2).at(0);

const network = await Network.create(
  graph,
  weights,
  sizing,
  drawSwitches(PROXIMAL, plain.analysis, 1),
  PROXIMAL.form,
);
const trunk = await Trunk.create(
  {
    engine,
    head,
    sizing,
    optimizer: ADAM,
    mode: PROXIMAL,
    cost: 'params',
    lambda2: 0,
    decayPower: 2,
    seed: 1,
    batches,
    sample: sampleOf(train, 32),
  },
  network,
);
const start = sizeOfNetwork(network.analysis).params;
// A path so long that all of this lies where it holds its size.
const controller = new BudgetController(1e9, start, start / 10, () => ({
  min: 1,
  max: Infinity,
  multiple: 1,
}));

const scalars = { learningRate: 1e-3, randomSeed: 1, weightDecay: 0, lambda: 1 };
let step = 0;
async function oneEpochStep(): Promise<void> {
  await trunk.step(step++, 1e-3, 1);
  if (step % controller.everySteps === 0) await trunk.remove(step, controller);
}
// The first steps, and the first of the smaller batch, compile.
for (let i = 0; i < 5; i += 1) {
  await bare.run(ready, scalars);
  await oneEpochStep();
}
await trunk.step(batches.perEpoch - 1, 1e-3, 1);

const total = Number(options.epochs) * batches.perEpoch;
const ratios: number[] = [];
let bareMs = 0;
let epochMs = 0;
for (let done = 0; done < total; done += controller.everySteps) {
  const count = Math.min(controller.everySteps, total - done);
  const before = performance.now();
  for (let i = 0; i < count; i += 1) await bare.run(ready, scalars);
  const between = performance.now();
  for (let i = 0; i < count; i += 1) await oneEpochStep();
  const after = performance.now();
  bareMs += between - before;
  epochMs += after - between;
  ratios.push((after - between) / (between - before));
}
const over = (ratio: number): string => `${(100 * (ratio - 1)).toFixed(1)} % more`;
const middle = ratios.toSorted((a, b) => a - b)[ratios.length >> 1] ?? NaN;
console.log(
  `${engine.name}, ${total} steps of ${BATCH}: bare ${(bareMs / 1000).toFixed(2)} s, epoch ${(epochMs / 1000).toFixed(2)} s, ${over(epochMs / bareMs)} (median turn ${over(middle)})`,
);
// A GPU's process does not end by itself.
process.exit(0);
