/**
 * What a collection costs, and what it brings: a network of ten layers with weights loses channels in several
 * collections; between them its steps are timed. An epoch is the sample's: 50,000 rows of 784, batches of 256. A
 * collection is timed with everything it causes, the next compilations of the step (for whole batches and the last one)
 * among it. All in one run, as time that is waited for and, behind it, processor time: that of the threads that compile
 * JavaScript and collect its garbage meanwhile is in the second only.
 *
 *     npm run bench:collect [-- --engine onnxruntime|wasm --steps 60]
 */
import { parseArgs } from 'node:util';
import type { Controller } from '../../src/core/controller';
import { readGraph } from '../../src/core/graph';
import { normalSamples, seededRandom } from '../../src/core/random';
import { splitActivations } from '../../src/core/split';
import type { Engine } from '../../src/engine/engine';
import { loadOnnxRuntime } from '../../src/engine/engines/onnxruntime';
import { findEngine } from '../../src/engine/registry';
import * as tf from '../../src/engine/tf';
import { Batches, batchesPerEpoch } from '../../src/train/batches';
import { chooseHead } from '../../src/train/head';
import { readWeights, topologyOf } from '../../src/train/model';
import { Network } from '../../src/train/network';
import { drawSwitches, PROXIMAL } from '../../src/train/switchModes';
import { Trunk } from '../../src/train/trunk';
import { asBackend } from '../asBackend';

await asBackend(import.meta.filename);

const { values: options } = parseArgs({
  options: {
    engine: { type: 'string', default: 'onnxruntime' },
    steps: { type: 'string', default: '60' },
  },
});

const ROWS = 50_000;
const BATCH = 256;
const PIXELS = 784;
const WIDTHS = [512, 512, 256, 256, 256, 256, 256, 256, 256];
const NOTHING = { off: new Set<string>() };
/** Share of its channels that every layer keeps in a collection: about half of the operations. */
const KEEP = 0.7;
const COLLECTIONS = 5;

async function makeTrunk(engine: Engine): Promise<Trunk> {
  const model = tf.sequential();
  WIDTHS.forEach((units, i) => {
    const shape = i === 0 ? { inputShape: [PIXELS] } : {};
    model.add(tf.layers.dense({ units, activation: 'relu', ...shape }));
  });
  model.add(tf.layers.dense({ units: 10 }));
  const data = Uint8Array.from({ length: ROWS * PIXELS }, (_, i) => (Math.imul(i, 2654435761) >>> 24) & 255);
  const rows = {
    count: ROWS,
    x: { shape: [PIXELS], data, scale: 1 / 255 },
    y: { kind: 'classes', ids: Int32Array.from({ length: ROWS }, (_, i) => i % 10), classes: 10 },
  } as const;
  const graph = splitActivations(readGraph(topologyOf(model)));
  const weights = await readWeights(model);
  model.dispose();
  const head = chooseHead(graph, [[10]], [rows.y]);
  const plain = await Network.create(head.graph, weights, NOTHING, {});
  const switches = drawSwitches(PROXIMAL, plain.analysis, 1);
  plain.dispose();
  return Trunk.create(
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
      batches: new Batches(rows, BATCH, [[10]], 1),
      sample: [{ x: normalSamples(8 * PIXELS, seededRandom(1)), shape: [8, PIXELS] }],
    },
    await Network.create(head.graph, weights, NOTHING, switches),
  );
}

/** Kills the same share of every layer. */
const shareOfEach: Controller = {
  everySteps: 1,
  tau: 0,
  decide: (_step, analysis, _model, alive) => ({
    dead: analysis.hubs.flatMap((hub) => [...hub.classes].slice(Math.ceil(hub.classes.length * KEEP))),
    fading: [],
    revived: [],
    kept: {},
    threshold: new Float64Array(alive.length),
    lambda: 0,
  }),
};

interface Spent {
  /** Time that is waited for. */
  readonly ms: number;
  /** Processor time of all threads of this process. */
  readonly cpuMs: number;
}

async function timed(work: () => Promise<unknown>): Promise<Spent> {
  const [before, started] = [process.cpuUsage(), performance.now()];
  await work();
  const ms = performance.now() - started;
  const { user, system } = process.cpuUsage(before);
  return { ms, cpuMs: (user + system) / 1000 };
}

const engine =
  options.engine === 'onnxruntime'
    ? await loadOnnxRuntime({ threads: 1 })
    : await findEngine(options.engine).load();
const trunk = await makeTrunk(engine);
const perEpoch = batchesPerEpoch(ROWS, BATCH);
let step = 0;
/** A step on a whole batch. */
const oneStep = () => timed(() => trunk.step(step++ % (perEpoch - 1), 1e-3, 1));
/** The step on the last, smaller batch of an epoch, which is compiled by itself. */
const lastStep = () => timed(() => trunk.step(perEpoch - 1, 1e-3, 1));
const { threads } = engine.describe();
console.log(
  `${WIDTHS.length + 1} layers, ${PIXELS}-${WIDTHS.join('-')}-10, ${engine.name} (${threads} thread)`,
);
console.log(
  '    MACs   of first   ms/step   epoch, s   of first   remove  collect  compile  all, ms   of epoch   processor',
);
let first: { macs: number; epochMs: number } | undefined;
let collection = '';
for (let i = 0; i <= COLLECTIONS; i += 1) {
  for (let warm = 0; warm < 5; warm += 1) await oneStep();
  await lastStep();
  const count = Number(options.steps);
  const all = await timed(async () => {
    for (let n = 0; n < count; n += 1) await oneStep();
  });
  const stepMs = all.ms / count;
  const epochMs = stepMs * perEpoch;
  const epochCpuMs = (all.cpuMs / count) * perEpoch;
  const { macs } = trunk.network.size();
  first ??= { macs, epochMs };
  const cells = [
    String(macs).padStart(8),
    `${((100 * macs) / first.macs).toFixed(1)} %`.padStart(10),
    stepMs.toFixed(2).padStart(9),
    (epochMs / 1000).toFixed(2).padStart(10),
    `${((100 * epochMs) / first.epochMs).toFixed(1)} %`.padStart(10),
  ];
  console.log(`${cells.join(' ')}${collection}`);
  if (i === COLLECTIONS) break;
  const removal = await timed(() => trunk.remove(step, shareOfEach));
  const collected = await timed(() => trunk.collect());
  // The first steps afterwards compile; what they take longer than the next ones belongs to the collection.
  const compiled = { ms: 0, cpuMs: 0 };
  for (const take of [oneStep, lastStep]) {
    const [once, again] = [await take(), await take()];
    compiled.ms += Math.max(0, once.ms - again.ms);
    compiled.cpuMs += Math.max(0, once.cpuMs - again.cpuMs);
  }
  const parts = [removal, collected, compiled];
  const ms = parts.reduce((sum, part) => sum + part.ms, 0);
  const cpuMs = parts.reduce((sum, part) => sum + part.cpuMs, 0);
  const share = (of: number): string => `${(100 * of).toFixed(2)} %`;
  collection = [
    ...[...parts.map((part) => part.ms), ms].map((part) => part.toFixed(0).padStart(8)),
    share(ms / epochMs).padStart(10),
    share(cpuMs / epochCpuMs).padStart(11),
  ].join(' ');
}
trunk.dispose();
process.exit(0);
