/**
 * Times a training step (Adam, softmax cross entropy) of several networks on every engine that is here, and on PyTorch
 * where `python3` has it. Medians, one thread; all in one run, so that a busy machine is busy for all.
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
import { variableOf } from '../../src/train/model';
import { Optimizer } from '../../src/train/optimizer';
import { benchModels, type BenchModel } from './models';

const { values: options } = parseArgs({
  options: {
    engines: { type: 'string' },
    models: { type: 'string' },
    threads: { type: 'string', default: '1' },
    seconds: { type: 'string', default: '4' },
  },
});

const RATE = 1e-3;

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

/** Milliseconds by model; empty where no Python has PyTorch. */
function timeTorch(models: readonly string[]): Map<string, number> {
  const script = join(process.cwd(), 'bench/engines/pytorchSteps.py');
  // A Python of one's own often hides the system's, for which Linux distributions have PyTorch.
  for (const python of ['python3', '/usr/bin/python3']) {
    const run = spawnSync(python, [script, options.threads, options.seconds, ...models], {
      encoding: 'utf8',
    });
    if (run.status !== 0) continue;
    const lines = run.stdout.trim().split('\n');
    return new Map(lines.map((line) => [line.split(' ')[0] ?? '', Number(line.split(' ')[1])]));
  }
  return new Map();
}

const threads = Number(options.threads);
const models = benchModels.filter((model) => options.models?.split(',').includes(model.name) ?? true);
const engines =
  options.engines?.split(',') ?? providers.map((provider) => provider.name).filter((name) => name !== 'cpu');
console.log(
  `model     engine         ms/step   compile ms   x PyTorch   (${threads} thread${threads > 1 ? 's' : ''})`,
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
  const torchMs = timeTorch([model.name]).get(model.name);
  if (torchMs !== undefined) print(model.name, 'pytorch', torchMs);
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
