/**
 * Tries a device of ONNX Runtime before it is trusted: the self-test's gradients as traced graphs, run in a process of
 * its own, which a driver may take down without harm.
 */
import * as tf from '@tensorflow/tfjs-core';
import { probeInChild } from '../childProbe';
import { describeFault, gradientsOf, probeStep, selfTests } from '../selfTest';
import { cpu } from '../engines/cpu';
import { briefly, sessionOptions, type SessionSetup } from './runtime';
import { Tracer } from './trace';
import type { TracedStep } from './traced';

/** Runs graphs and prints what they gave. */
const SCRIPT = `const ort = require(process.argv[1]);
const asked = JSON.parse(require('node:fs').readFileSync(0, 'utf8'));
const tell = (answer) => process.stdout.write(JSON.stringify(answer) + '\\n', () => process.exit(0));
(async () => {
  const listed = ort.listSupportedBackends().map((backend) => backend.name);
  if (!listed.includes(asked.provider)) throw new Error('this build of ONNX Runtime has only ' + listed.join(', '));
  const results = [];
  for (const { model, options, feeds, outputs } of asked.graphs) {
    const session = await ort.InferenceSession.create(Buffer.from(model, 'base64'), options);
    const given = Object.fromEntries(feeds.map(({ name, shape, values }) => [name, new ort.Tensor('float32', Float32Array.from(values), shape)]));
    const found = await session.run(given);
    results.push(outputs.map((name) => Array.from(found[name].data)));
  }
  tell({ results });
})().catch((error) => tell({ problem: error.message }));`;

/**
 * Why the package cannot be loaded, in a sentence; null if it can. A library that was cut off would take this process down.
 *
 * @param entry absolute path of the package's entry file
 */
export async function tryLoading(entry: string): Promise<string | null> {
  const answer = await probeInChild(
    "if (require(process.argv[1]).InferenceSession === undefined) throw new Error('it is not ONNX Runtime'); console.log('{}');",
    [entry],
  );
  return answer.works ? null : answer.problem;
}

interface Graph {
  readonly traced: TracedStep;
  readonly feeds: readonly { name: string; shape: readonly number[]; values: readonly number[] }[];
  readonly expected: readonly Float32Array[];
}

let graphs: Promise<readonly Graph[]> | null = null;

/** The self-test as graphs, with what they must give. Leaves the active backend as it was. */
async function makeGraphs(): Promise<Graph[]> {
  const before = tf.engine().backendName;
  const reference = await cpu.load();
  try {
    const made: Graph[] = [];
    for (const test of selfTests) {
      const { step, weights, data, dispose } = probeStep(test);
      const traced = new Tracer(false).trace(step, test.batch, []);
      const feeds = traced.variables.map(({ input, variable }) => ({
        name: input,
        shape: variable.shape,
        values: Array.from(weights.get(variable) ?? []),
      }));
      traced.batch.forEach((name, i) => {
        if (name !== null)
          feeds.push({ name, shape: [...(test.batch[i]?.shape ?? [])], values: Array.from(data[i] ?? []) });
      });
      dispose();
      made.push({ traced, feeds, expected: await gradientsOf(reference, test) });
    }
    return made;
  } finally {
    // Undefined, whatever its type says, until the first backend is set.
    if (before) await tf.setBackend(before);
  }
}

/**
 * What is wrong with a device here, in a sentence; null if its gradients are right.
 *
 * @param entry absolute path of the package's entry file
 */
export async function probeDevice(entry: string, setup: SessionSetup): Promise<string | null> {
  graphs ??= makeGraphs();
  const made = await graphs;
  const asked = {
    provider: setup.device.provider,
    graphs: made.map(({ traced, feeds }) => ({
      model: Buffer.from(traced.model).toString('base64'),
      options: sessionOptions(setup, traced),
      feeds,
      outputs: traced.outputs.map((output) => output.name),
    })),
  };
  const answer = await probeInChild(SCRIPT, [entry], JSON.stringify(asked));
  if (!answer.works) return answer.problem;
  if (typeof answer.facts['problem'] === 'string') return briefly(answer.facts['problem']);
  const results = answer.facts['results'] as number[][][];
  for (const [i, { expected }] of made.entries()) {
    const test = selfTests[i];
    if (test === undefined) continue;
    const found = (results[i] ?? []).map((values) => Float32Array.from(values));
    const fault = describeFault(test, found, expected);
    if (fault !== null) return fault;
  }
  return null;
}
