import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Controller } from '../../src/core/controller';
import { readGraph } from '../../src/core/graph';
import { mixSeed, normalSamples, seededRandom } from '../../src/core/random';
import { splitActivations } from '../../src/core/split';
import type { Engine } from '../../src/engine/engine';
import { findEngine } from '../../src/engine/registry';
import * as tf from '../../src/engine/tf';
import { Batches } from '../../src/train/batches';
import { chooseHead } from '../../src/train/head';
import { readWeights, topologyOf } from '../../src/train/model';
import { Network } from '../../src/train/network';
import { drawSwitches, PROXIMAL } from '../../src/train/switchModes';
import { Trunk } from '../../src/train/trunk';

const COLLECTIONS = 50;
const NOTHING = { off: new Set<string>() };

/** Kills the first living channel of every hub, as long as it has another. */
const oneOfEach: Controller = {
  everySteps: 1,
  tau: 0,
  decide: (_step, analysis, _model, alive) => ({
    dead: analysis.hubs.flatMap((hub) => {
      const living = [...hub.classes].filter((c) => alive[c] === 1);
      return living.length > 1 ? living.slice(0, 1) : [];
    }),
    fading: [],
    revived: [],
    kept: {},
    threshold: new Float64Array(alive.length),
    lambda: 0,
  }),
};

/** A convolution with batch normalisation and two dense layers, all wide enough to lose a channel 60 times. */
function build(width: number): tf.LayersModel {
  const { layers } = tf;
  const model = tf.sequential();
  model.add(layers.conv2d({ inputShape: [6, 6, 1], filters: width, kernelSize: 3, activation: 'relu' }));
  model.add(layers.batchNormalization());
  model.add(layers.flatten());
  model.add(layers.dense({ units: width, activation: 'tanh' }));
  model.add(layers.dense({ units: width, activation: 'relu' }));
  model.add(layers.dense({ units: 3 }));
  return model;
}

async function makeTrunk(engine: Engine, width: number): Promise<Trunk> {
  const model = build(width);
  const graph = splitActivations(readGraph(topologyOf(model)));
  const weights = await readWeights(model);
  model.dispose();
  const count = 64;
  const rows = {
    count,
    x: { shape: [6, 6, 1], data: normalSamples(count * 36, seededRandom(1)), scale: 1 },
    y: { kind: 'classes', ids: Int32Array.from({ length: count }, (_, i) => i % 3), classes: 3 },
  } as const;
  const head = chooseHead(graph, [[3]], [rows.y]);
  const started = await Network.create(head.graph, weights, NOTHING, {});
  const switches = drawSwitches(PROXIMAL, started.analysis, mixSeed(1));
  started.dispose();
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
      batches: new Batches(rows, 16, [[3]], 1),
      sample: [{ x: rows.x.data.slice(0, 8 * 36), shape: [8, 6, 6, 1] }],
    },
    await Network.create(head.graph, weights, NOTHING, switches),
  );
}

/** A step, a removal and a collection, as often as said. */
async function collectOften(trunk: Trunk, times: number, after: (done: number) => void): Promise<void> {
  for (let i = 0; i < times; i += 1) {
    await trunk.step(i, 1e-3, 1);
    await trunk.remove(i, oneOfEach);
    expect(await trunk.collect()).toBeDefined();
    after(i + 1);
  }
}

function variables(): tf.Variable[] {
  return Object.values(tf.engine().state.registeredVariables);
}

const elements = (): number => variables().reduce((sum, variable) => sum + variable.size, 0);

/** Garbage that V8 has not looked for yet is no leak, but would be resident memory. */
setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Slope of a line through points at 0, 1, 2, … by least squares. */
function slope(values: readonly number[]): number {
  const middle = (values.length - 1) / 2;
  let above = 0;
  let below = 0;
  values.forEach((value, i) => {
    above += (i - middle) * value;
    below += (i - middle) ** 2;
  });
  return above / below;
}

describe.each(['wasm', 'onnxruntime'])('memory over collections on %s', { timeout: 180_000 }, (name) => {
  let engine: Engine | undefined;
  beforeAll(async () => {
    const provider = findEngine(name);
    if ((await provider.probe()).available) engine = await provider.load();
  });

  it('keeps as many tensors and variables, of other names, less only what was removed', async (test) => {
    if (engine === undefined) return test.skip();
    const none = { tensors: tf.memory().numTensors, variables: variables().length };
    const trunk = await makeTrunk(engine, COLLECTIONS + 4);
    await trunk.step(0, 1e-3, 1);
    const before = { tensors: tf.memory().numTensors, variables: variables().length, elements: elements() };
    await collectOften(trunk, COLLECTIONS, () => {
      const registered = variables();
      expect(registered.length).toBe(before.variables);
      expect(new Set(registered.map((variable) => variable.id)).size).toBe(registered.length);
      for (const [key, variable] of Object.entries(tf.engine().state.registeredVariables))
        expect(variable.name).toBe(key);
    });
    expect(Object.values(trunk.widths())).toEqual([4, 4, 4, 3]);
    await trunk.step(COLLECTIONS, 1e-3, 1);
    expect(tf.memory().numTensors).toBe(before.tensors);
    expect(elements()).toBeLessThan(before.elements / 4);
    trunk.dispose();
    expect({ tensors: tf.memory().numTensors, variables: variables().length }).toEqual(none);
  });

  it('does not grow the process by a network at each collection', async (test) => {
    if (engine === undefined) return test.skip();
    const trunk = await makeTrunk(engine, 128);
    // Weights and both moments of Adam: what a collection that forgets the old network leaves behind.
    const networkBytes = 3 * 4 * trunk.network.size().params;
    await collectOften(trunk, 10, () => undefined);
    const resident: number[] = [];
    await collectOften(trunk, 25, () => {
      collectGarbage();
      resident.push(process.memoryUsage().rss);
    });
    trunk.dispose();
    expect(networkBytes).toBeGreaterThan(2e6);
    // The networks left behind would have shrunk to half by the end.
    expect(slope(resident)).toBeLessThan(networkBytes / 4);
  });
});
