/**
 * Times a training step (Adam, softmax cross entropy) of several networks on every engine that is here, and on PyTorch
 * where `python3` has it. Medians, on one core: all processes are held to it, since libraries that are told
 * to take one thread may take more (OpenBLAS under PyTorch, TensorFlow). All in one run, so that a busy machine is busy for all.
 *
 * Ours have the allocator settings of a backend. PyTorch is timed twice: with the allocator as it is, and with one that
 * never gives memory back, since on a virtual machine mapping it anew in every step can cost more than the step.
 * What is compared with is the faster.
 *
 *     npm run bench:engines [-- --engines wasm,onnxruntime --models mlp --threads 1]
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import * as tf from '../../src/engine/tf';
import { messageOf } from '../../src/core/errors';
import { sizeOf } from '../../src/core/tensor';
import type { Engine } from '../../src/engine/engine';
import { loadOnnxRuntime } from '../../src/engine/engines/onnxruntime';
import { findEngine, providers } from '../../src/engine/registry';
import { ALLOCATOR } from '../../src/protocol/process';
import { variableOf } from '../../src/train/model';
import { Optimizer } from '../../src/train/optimizer';
import { asBackend } from '../asBackend';
import { benchModels, type BenchModel } from './models';

const { values: options } = parseArgs({
  options: {
    engines: { type: 'string' },
    models: { type: 'string' },
    threads: { type: 'string', default: '1' },
    seconds: { type: 'string', default: '4' },
  },
});

await asBackend(import.meta.filename, Number(options.threads));

const RATE = 1e-3;
/** Settings with which glibc keeps what was let go of. */
const KEEPING = { MALLOC_MMAP_THRESHOLD_: String(1 << 30), MALLOC_TRIM_THRESHOLD_: String(2 ** 40) };

interface Timing {
  readonly medianMs: number;
  readonly compileMs: number;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN;
}

async function timeSteps(engine: Engine, spec: BenchModel): Promise<Timing> {
  const model = spec.build();
  const weights = model.trainableWeights.map(variableOf);
  const optimizer = new Optimizer({ name: 'adam', learningRate: RATE, settings: {} }, weights);
  const rows = Float32Array.from({ length: spec.batch * sizeOf(spec.input) }, (_, i) =>
    Math.sin(i * 12.9898),
  );
  const labels = new Float32Array(spec.batch * 10);
  for (let row = 0; row < spec.batch; row += 1) labels[row * 10 + ((row * 7) % 10)] = 1;
  let started = performance.now();
  const step = await engine.compile(
    ([x, y]) => {
      if (x === undefined || y === undefined) throw new TypeError('no batch');
      const { value, grads } = tf.variableGrads(
        () => tf.losses.softmaxCrossEntropy(y, model.apply(x, { training: true }) as tf.Tensor),
        weights,
      );
      optimizer.apply(
        weights.map((weight) => grads[weight.name] ?? tf.zerosLike(weight)),
        RATE,
      );
      return [value];
    },
    [...model.weights.map(variableOf), ...optimizer.stateVariables()],
    [
      { shape: [spec.batch, ...spec.input], dtype: 'float32' },
      { shape: [spec.batch, 10], dtype: 'float32' },
    ],
    [],
  );
  const compileMs = performance.now() - started;
  for (let warm = 0; warm < 3; warm += 1) await step.run([rows, labels], {});
  const times: number[] = [];
  const end = performance.now() + Number(options.seconds) * 1000;
  while (times.length < 5 || performance.now() < end) {
    started = performance.now();
    await step.run([rows, labels], {});
    times.push(performance.now() - started);
  }
  step.dispose();
  model.dispose();
  optimizer.dispose();
  return { medianMs: median(times), compileMs };
}

/** Milliseconds a step; `undefined` where no Python has PyTorch. */
function timeTorch(model: string, allocator: Readonly<Record<string, string>>): number | undefined {
  const script = join(process.cwd(), 'bench/engines/pytorchSteps.py');
  const plain = Object.fromEntries(Object.entries(process.env).filter(([name]) => !(name in ALLOCATOR)));
  // A Python of one's own often hides the system's, for which Linux distributions have PyTorch.
  for (const python of ['python3', '/usr/bin/python3']) {
    const run = spawnSync(python, [script, options.threads, options.seconds, model], {
      encoding: 'utf8',
      env: { ...plain, ...allocator },
    });
    if (run.status === 0) return Number(run.stdout.trim().split(' ')[1]);
  }
  return undefined;
}

const threads = Number(options.threads);
const models = benchModels.filter((model) => options.models?.split(',').includes(model.name) ?? true);
const engines =
  options.engines?.split(',') ?? providers.map((provider) => provider.name).filter((name) => name !== 'cpu');
console.log(
  `model     engine         ms/step   compile ms   x PyTorch   (${threads} core${threads > 1 ? 's' : ''})`,
);
const print = (model: string, engine: string, ms: number, compileMs?: number, torchMs?: number) => {
  const cells = [
    model.padEnd(9),
    engine.padEnd(13),
    ms.toFixed(2).padStart(8),
    compileMs === undefined ? '' : compileMs.toFixed(0).padStart(12),
    torchMs === undefined ? '' : (ms / torchMs).toFixed(2).padStart(11),
  ];
  console.log(cells.join(' ').trimEnd());
};
const loadEngine = (name: string): Promise<Engine> =>
  name === 'onnxruntime' ? loadOnnxRuntime({ threads }) : findEngine(name).load();
// Model by model, so that what is compared ran within the same half minute.
for (const model of models) {
  const plainMs = timeTorch(model.name, {});
  const keepingMs = timeTorch(model.name, KEEPING);
  if (plainMs !== undefined) print(model.name, 'pytorch', plainMs);
  if (keepingMs !== undefined) print(model.name, '  keeping', keepingMs);
  const torchMs = plainMs === undefined || keepingMs === undefined ? undefined : Math.min(plainMs, keepingMs);
  for (const name of engines) {
    try {
      const { medianMs, compileMs } = await timeSteps(await loadEngine(name), model);
      print(model.name, name, medianMs, compileMs, torchMs);
    } catch (thrown) {
      console.log(`${model.name.padEnd(9)} ${name.padEnd(13)} ${messageOf(thrown)}`);
    }
  }
}
// A GPU's process does not end by itself.
process.exit(0);
