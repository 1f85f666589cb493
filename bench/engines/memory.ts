/**
 * Whether an engine grows: 2,000 steps of a convolutional network with 30 collections among them (channels die, the
 * network is rebuilt, the step compiled again), each engine in a process of its own, which has to end by itself. Tensors
 * are counted before the first and after the last step; resident memory is fitted by a line over the second half of these
 * steps, and by another over as many steps after them, in which nothing is collected: what rises there rises for ever.
 *
 *     npm run engines:memory [-- --engines wasm,onnxruntime --steps 2000]
 */
import { spawn } from 'node:child_process';
import { parseArgs } from 'node:util';
import type { Controller } from '../../src/core/controller';
import { readGraph } from '../../src/core/graph';
import { normalSamples, seededRandom } from '../../src/core/random';
import { splitActivations } from '../../src/core/split';
import type { Rows } from '../../src/data/dataset';
import { findEngine, providers } from '../../src/engine/registry';
import * as tf from '../../src/engine/tf';
import { ALLOCATOR } from '../../src/protocol/process';
import { Batches } from '../../src/train/batches';
import { chooseHead } from '../../src/train/head';
import { readWeights, topologyOf } from '../../src/train/model';
import { Network } from '../../src/train/network';
import { drawSwitches, PROXIMAL } from '../../src/train/switchModes';
import { Trunk } from '../../src/train/trunk';

const COLLECTIONS = 30;
const SIDE = 10;
const NOTHING = { off: new Set<string>() };

const { values: options } = parseArgs({
  options: {
    engines: { type: 'string' },
    steps: { type: 'string', default: '2000' },
    only: { type: 'string' },
  },
});

/** Least squares. @returns rise for each step */
function slopeOf(points: readonly (readonly [number, number])[]): number {
  const mean = (of: 0 | 1): number => points.reduce((sum, point) => sum + point[of], 0) / points.length;
  const [x, y] = [mean(0), mean(1)];
  const square = points.reduce((sum, [at]) => sum + (at - x) ** 2, 0);
  return points.reduce((sum, [at, value]) => sum + (at - x) * (value - y), 0) / square;
}

/** One channel of every layer. */
const oneOfEach: Controller = {
  everySteps: 1,
  tau: 0,
  decide: (_step, analysis, _model, alive) => ({
    dead: analysis.hubs.flatMap((hub) => (hub.classes.length > 1 ? [...hub.classes].slice(-1) : [])),
    fading: [],
    revived: [],
    kept: {},
    threshold: new Float64Array(alive.length),
    lambda: 0,
  }),
};

async function measure(name: string, steps: number): Promise<void> {
  const engine = await findEngine(name).load();
  const random = seededRandom(1);
  const rows: Rows = {
    count: 40,
    x: { shape: [SIDE, SIDE, 1], data: normalSamples(40 * SIDE * SIDE, random), scale: 1 },
    y: { kind: 'classes', ids: Int32Array.from({ length: 40 }, (_, i) => i % 4), classes: 4 },
  };
  const model = tf.sequential();
  const filters = COLLECTIONS + 4;
  model.add(tf.layers.conv2d({ inputShape: [SIDE, SIDE, 1], filters, kernelSize: 3, activation: 'relu' }));
  model.add(tf.layers.batchNormalization());
  model.add(tf.layers.maxPooling2d({ poolSize: 2 }));
  model.add(tf.layers.flatten());
  model.add(tf.layers.dropout({ rate: 0.2 }));
  model.add(tf.layers.dense({ units: filters, activation: 'relu' }));
  model.add(tf.layers.dense({ units: 4 }));
  const graph = splitActivations(readGraph(topologyOf(model)));
  const weights = await readWeights(model);
  model.dispose();
  const head = chooseHead(graph, [[4]], [rows.y], ['categoricalCrossentropy']);
  const plain = await Network.create(head.graph, weights, NOTHING, {});
  const switches = drawSwitches(PROXIMAL, plain.analysis, 1);
  plain.dispose();
  const trunk = await Trunk.create(
    {
      engine,
      head,
      sizing: NOTHING,
      optimizer: { name: 'adam', learningRate: 1e-3, settings: {} },
      mode: PROXIMAL,
      cost: 'params',
      lambda2: 0,
      decayPower: 2,
      seed: 1,
      // The last batch of an epoch is smaller.
      batches: new Batches(rows, 12, [[4]], 1),
      sample: [{ x: normalSamples(8 * SIDE * SIDE, seededRandom(2)), shape: [8, SIDE, SIDE, 1] }],
    },
    await Network.create(head.graph, weights, NOTHING, switches),
  );
  const resident: [number, number][] = [];
  let tensors = 0;
  const every = Math.floor(steps / (COLLECTIONS + 1));
  let collections = 0;
  const half = steps >> 1;
  for (let step = 0; step < steps + half; step += 1) {
    await trunk.step(step, 1e-3, 1);
    if (step === 20) {
      await trunk.settle();
      tensors = tf.memory().numTensors;
    }
    if (step % every === every - 1 && collections < COLLECTIONS) {
      await trunk.remove(step, oneOfEach);
      if ((await trunk.collect()) !== undefined) collections += 1;
    }
    if (step % 20 === 0) resident.push([step, process.memoryUsage().rss]);
  }
  await trunk.settle();
  const more = tf.memory().numTensors - tensors;
  const slopeFrom = (first: number): string =>
    (slopeOf(resident.filter(([step]) => step >= first && step < first + half)) / 1e3)
      .toFixed(1)
      .padStart(12);
  const last = resident.at(-1)?.[1] ?? NaN;
  trunk.dispose();
  process.stdout.write(
    `${name.padEnd(14)} ${String(steps).padStart(6)} ${String(collections).padStart(12)} ${String(more).padStart(13)} ${(last / 1e6).toFixed(0).padStart(8)} ${slopeFrom(steps - half)} ${slopeFrom(steps)}`,
  );
}

/** Runs this file for one engine. @returns whether it ended by itself, and how long after its last word */
function apart(name: string): Promise<void> {
  const file = ['--import', import.meta.resolve('jiti/register'), import.meta.filename];
  const child = spawn(process.execPath, [...file, '--only', name, '--steps', options.steps], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...ALLOCATOR },
  });
  let said = performance.now();
  let killed = false;
  let waiting: NodeJS.Timeout | undefined;
  child.stdout.on('data', (text: Buffer) => {
    process.stdout.write(text);
    said = performance.now();
    waiting ??= setTimeout(() => (killed = child.kill('SIGKILL')), 20_000);
  });
  return new Promise((resolve) => {
    child.on('close', (code, signal) => {
      clearTimeout(waiting);
      const after = `${((performance.now() - said) / 1000).toFixed(1)} s`;
      console.log(killed ? '   does not end' : `   ${code === 0 ? after : `code ${code} ${signal ?? ''}`}`);
      resolve();
    });
  });
}

if (options.only !== undefined) await measure(options.only, Number(options.steps));
else {
  console.log(
    'engine          steps  collections  more tensors   RSS, MB  kB more/step   after them   ends after',
  );
  const names = options.engines?.split(',') ?? providers.map((provider) => provider.name);
  for (const name of names) {
    const status = await findEngine(name).probe();
    if (status.available) await apart(name);
    else console.log(`${name.padEnd(14)} not here: ${status.missing}`);
  }
  // Probing may have left a GPU open in this process; the engines ran in others.
  process.exit(0);
}
