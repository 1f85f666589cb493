/**
 * Does training grow the process? The sample (`examples/mnist`, its own options) is trained again and again in one
 * process, each run with its trunk, collections, checkpoints, finishes and result, for as long as asked. One run after
 * the other, the resident memory (RSS) is printed; at the end the slope of a line through the runs after the warm-up,
 * with its standard error, and what that makes in two hours.
 *
 * Time is the processor time of this process: it stands still while the process is stopped or waits for the processor,
 * so that the measurement may run beside other work. On one thread it is the time that training takes.
 *
 *     npm run bench:memory [-- --engine onnxruntime|wasm --minutes 45 --warm-up 8]
 *
 * It runs with the allocator settings of a backend (`src/protocol/process`).
 *
 * Ctrl-C ends it early, with the slope so far.
 */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { parseArgs } from 'node:util';
import { loadData } from '../../src/backend/loadData';
import { evaluatePlan } from '../../src/backend/userCode';
import type { RunContext } from '../../src/core/job';
import { resolveOptions } from '../../src/core/parseOptions';
import { loadOnnxRuntime } from '../../src/engine/engines/onnxruntime';
import { wasm } from '../../src/engine/engines/wasm';
import * as tf from '../../src/engine/tf';
import { loadParsers, makePlan, readSource } from '../../src/language';
import { readWeights, topologyOf } from '../../src/train/model';
import { prepareTraining } from '../../src/train/prepare';
import { runSession } from '../../src/train/session';
import { PROXIMAL } from '../../src/train/switchModes';
import { asBackend } from '../asBackend';
import { fitLine } from './fitLine';

await asBackend(import.meta.filename);

const { values: options } = parseArgs({
  options: {
    engine: { type: 'string', default: 'onnxruntime' },
    minutes: { type: 'string', default: '45' },
    'warm-up': { type: 'string', default: '8' },
  },
});

const BAR = 5;
const MEGABYTE = 1e6;
const HOUR_S = 3600;

const root = path.resolve(import.meta.dirname, '../..');
const file = path.join(root, 'examples/mnist/model.ts');
const grammars = [
  path.join(root, 'node_modules/@vscode/tree-sitter-wasm/wasm'),
  path.join(root, 'dist/wasm'),
];
const folder = grammars.find((candidate) => existsSync(candidate)) ?? '';

/** Garbage that V8 has not looked for yet is no leak, but would be resident memory. */
setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const cpuSeconds = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};

const engine = options.engine === 'wasm' ? await wasm.load() : await loadOnnxRuntime({ threads: 1 });
const parsers = await loadParsers((name) => readFile(path.join(folder, name)));
const plan = makePlan(readSource(parsers, { file, text: await readFile(file, 'utf8') }), undefined);
const { model, siteOf } = await evaluatePlan(plan);
const authored = {
  topology: topologyOf(model),
  weights: await readWeights(model),
  siteOf,
  loss: 'categoricalCrossentropy',
};
model.dispose();

/** Resident memory at every epoch of a run, without garbage, in bytes. */
async function trainOnce(seed: number): Promise<{ resident: number[]; collections: number }> {
  const resident: number[] = [];
  let collections = 0;
  const context: RunContext = {
    run: 'memory',
    plan,
    options: resolveOptions([{ name: (key) => key, values: { ...plan.modelHint, seed: String(seed) } }]),
    stop: new AbortController().signal,
    emit: (event) => {
      if (event.type === 'collection') collections += 1;
      if (event.type !== 'epoch') return;
      collectGarbage();
      resident.push(process.memoryUsage().rss);
    },
    progress: () => undefined,
    saveCheckpoint: () => Promise.resolve(),
    writeFile: () => Promise.resolve(),
  };
  const prepared = prepareTraining(plan, authored, await loadData(context), authored.loss);
  const optimizer = { name: 'adam', learningRate: 1e-3, settings: {} } as const;
  await runSession(context, { engine, authored, prepared, optimizer, mode: PROXIMAL });
  return { resident, collections };
}

const { name, threads } = engine.describe();
console.log(
  `examples/mnist on ${name} (${threads} thread), for ${options.minutes} minutes of processor time`,
);
console.log('  run   cpu, s     epochs  collections   RSS, MB: mean     peak   heap, MB  tensors');
const means: number[] = [];
const times: number[] = [];
const done = { epochs: 0, collections: 0 };

/** The slope of what was measured so far. */
function summarise(): void {
  const from = times.findIndex((time) => time >= 60 * Number(options['warm-up']));
  if (from < 0 || times.length - from < 3)
    return console.log('fewer than 3 runs after the warm-up: no slope');
  const line = fitLine(times.slice(from), means.slice(from));
  const { slope, error } = line;
  const level = line.at(times[from] ?? 0);
  const hourly = (rate: number): string => ((rate * HOUR_S) / MEGABYTE).toFixed(2);
  const share = (rate: number): string => ((100 * rate * 2 * HOUR_S) / level).toFixed(2);
  console.log(
    `\n${times.length - from} runs after the warm-up of ${options['warm-up']} minutes: ` +
      `${hourly(slope)} ± ${hourly(error)} MB an hour at ${(level / MEGABYTE).toFixed(0)} MB; ` +
      `in 2 hours ${share(slope)} ± ${share(error)} % (bar: ${BAR})`,
  );
}

process.on('SIGINT', () => {
  summarise();
  process.exit(0);
});

const started = cpuSeconds();
for (let run = 1; cpuSeconds() - started < 60 * Number(options.minutes); run += 1) {
  // Lets a signal through.
  await new Promise(setImmediate);
  const { resident, collections } = await trainOnce(run);
  done.epochs += resident.length;
  done.collections += collections;
  const mean = resident.reduce((sum, value) => sum + value, 0) / resident.length;
  means.push(mean);
  times.push(cpuSeconds() - started);
  const cells = [
    String(run).padStart(5),
    (times.at(-1) ?? 0).toFixed(0).padStart(8),
    String(done.epochs).padStart(10),
    String(done.collections).padStart(12),
    (mean / MEGABYTE).toFixed(1).padStart(15),
    (Math.max(...resident) / MEGABYTE).toFixed(1).padStart(8),
    (process.memoryUsage().heapUsed / MEGABYTE).toFixed(1).padStart(10),
    String(tf.memory().numTensors).padStart(8),
  ];
  console.log(cells.join(' '));
}

summarise();
process.exit(0);
