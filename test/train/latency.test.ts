import { beforeAll, describe, expect, it } from 'vitest';
import type { RunEvent } from '../../src/core/events';
import type { Checkpoint, RunContext } from '../../src/core/job';
import { resolveOptions } from '../../src/core/parseOptions';
import { normalSamples, seededRandom } from '../../src/core/random';
import type { Dataset, Rows } from '../../src/data/dataset';
import type { Engine } from '../../src/engine/engine';
import { findEngine } from '../../src/engine/registry';
import * as tf from '../../src/engine/tf';
import { measureLatency } from '../../src/train/latency';
import { readWeights, topologyOf } from '../../src/train/model';
import { prepareTraining, type AuthoredModel } from '../../src/train/prepare';
import { runSession } from '../../src/train/session';
import { PROXIMAL } from '../../src/train/switchModes';
import { drawModel } from '../support/randomModels';
import { readGraph } from '../../src/core/graph';
import { analyse } from '../../src/core/analysis';
import { splitActivations } from '../../src/core/split';

const ADAM = { name: 'adam', learningRate: 0.01, settings: {} } as const;
const INPUTS = 12;

let engine: Engine;
let authored: AuthoredModel;
let data: Dataset;

function rows(count: number, seed: number): Rows {
  const x = normalSamples(count * INPUTS, seededRandom(seed));
  const ids = Int32Array.from({ length: count }, (_, i) => ((x[i * INPUTS] ?? 0) > 0 ? 1 : 0));
  return {
    count,
    x: { shape: [INPUTS], data: x, scale: 1 },
    y: { kind: 'classes', ids, classes: 2 },
  };
}

beforeAll(async () => {
  engine = await findEngine('wasm').load();
  const model = tf.sequential();
  model.add(tf.layers.dense({ inputShape: [INPUTS], units: 24, activation: 'relu', name: 'a' }));
  model.add(tf.layers.dense({ units: 24, activation: 'relu', name: 'b' }));
  model.add(tf.layers.dense({ units: 24, activation: 'relu', name: 'c' }));
  model.add(tf.layers.dense({ units: 2, activation: 'softmax', name: 'out' }));
  authored = { topology: topologyOf(model), weights: await readWeights(model), siteOf: {} };
  model.dispose();
  data = { train: rows(320, 1), validation: rows(64, 2), test: rows(64, 3), notes: [] };
});

describe('measuring', () => {
  it('times every layer that learned widths matter to, alike ones once', async () => {
    const graph = splitActivations(readGraph(authored.topology));
    const analysis = analyse(graph);
    const before = tf.memory().numTensors;
    const table = await measureLatency(engine, analysis, ADAM, 16);
    expect(tf.memory().numTensors).toBe(before);
    const byLayer = new Map(table.map((grid) => [grid.layer, grid]));
    expect([...byLayer.keys()]).toEqual([
      'a',
      'a/activation',
      'b',
      'b/activation',
      'c',
      'c/activation',
      'out',
    ]);
    expect(byLayer.get('a')?.widths).toEqual([[INPUTS], [3, 8, 24]]);
    expect(byLayer.get('b')?.widths).toEqual([
      [3, 8, 24],
      [3, 8, 24],
    ]);
    expect(byLayer.get('out')?.widths).toEqual([[3, 8, 24], [2]]);
    expect(byLayer.get('c')?.ms).toEqual(byLayer.get('b')?.ms);
    for (const { ms } of table) for (const time of ms) expect(time).toBeGreaterThan(0);
  });

  it('works on random models of every family', { timeout: 120_000 }, async () => {
    for (let seed = 1; seed <= 12; seed += 1) {
      const { model } = drawModel(seed * 104_729);
      const analysis = analyse(splitActivations(readGraph(topologyOf(model))));
      model.dispose();
      const table = await measureLatency(engine, analysis, ADAM, 2);
      const learned = analysis.hubs.some((hub) => hub.classes.length > 0);
      if (learned) expect(table.length).toBeGreaterThan(0);
      for (const { widths, ms } of table)
        expect(ms).toHaveLength(widths.reduce((product, each) => product * each.length, 1));
    }
  });
});

interface Kept {
  readonly events: RunEvent[];
  readonly checkpoints: Checkpoint[];
  readonly weights: Uint8Array | undefined;
}

async function run(values: Record<string, string>, resumeFrom?: Checkpoint): Promise<Kept> {
  const options = resolveOptions([
    { name: (key) => key, values: { epochs: '5', finish: '1', batchSize: '32', budget: '30%', ...values } },
  ]);
  const events: RunEvent[] = [];
  const checkpoints: Checkpoint[] = [];
  const files = new Map<string, Uint8Array>();
  const context: RunContext = {
    run: 'latency',
    plan: {
      version: 1,
      file: '',
      fileHash: '',
      language: 'typescript',
      model: 'm',
      program: { kind: 'slice', code: '' },
      sites: [],
      modelHint: {},
      onlyHinted: false,
    },
    options,
    ...(resumeFrom === undefined ? {} : { resumeFrom: structuredClone(resumeFrom) }),
    stop: new AbortController().signal,
    emit: (event) => events.push(event),
    progress: () => undefined,
    saveCheckpoint: (checkpoint) => {
      checkpoints.push(structuredClone(checkpoint));
      return Promise.resolve();
    },
    writeFile: (path, content) => {
      if (typeof content !== 'string') files.set(path, content.slice());
      return Promise.resolve();
    },
  };
  const prepared = prepareTraining({ sites: [], onlyHinted: false }, authored, data, undefined);
  await runSession(context, { engine, authored, prepared, optimizer: ADAM, mode: PROXIMAL });
  return { events, checkpoints, weights: files.get('weights/weights.bin') };
}

const latencies = (events: readonly RunEvent[]): RunEvent[] =>
  events.filter((event) => event.type === 'latency');
const widthsOf = (kept: Kept): readonly number[] => {
  const result = kept.events.findLast((event) => event.type === 'result');
  return result?.type === 'result' ? Object.values(result.points[0]?.widths ?? {}) : [];
};

describe('a run that weighs channels by latency', { timeout: 120_000 }, () => {
  it.each([{ cost: 'latency' }, { mode: 'lambda', costWeight: 'latency', lambda: '0.05' }])(
    'measures once, keeps the table, and ends bit for bit the same from any checkpoint: %j',
    async (values) => {
      const whole = await run(values);
      expect(latencies(whole.events)).toHaveLength(1);
      expect(whole.weights?.length).toBeGreaterThan(0);
      expect(whole.checkpoints[0]?.step).toBe(0);
      for (const checkpoint of whole.checkpoints.slice(0, 4)) {
        const resumed = await run(values, checkpoint);
        expect(latencies(resumed.events)).toEqual([]);
        expect(Buffer.compare(resumed.weights ?? Buffer.of(), whole.weights ?? Buffer.of())).toBe(0);
      }
    },
  );

  it('takes channels where the table says that they are slow', async () => {
    const { checkpoints } = await run({ cost: 'latency' });
    const [first] = checkpoints;
    if (first === undefined) throw new RangeError('a checkpoint at step 0');
    /** The same run as if one layer took a thousand times as long. */
    const slowed = (layer: string): Promise<Kept> => {
      const checkpoint = structuredClone(first);
      const { session } = checkpoint.state as { session: { latency: { layer: string; ms: number[] }[] } };
      for (const grid of session.latency) if (grid.layer === layer) grid.ms = grid.ms.map((ms) => 1000 * ms);
      return run({ cost: 'latency' }, checkpoint);
    };
    const [a, , c] = widthsOf(await slowed('a'));
    const [a2, , c2] = widthsOf(await slowed('out'));
    expect(a).toBeLessThan(a2 ?? 0);
    expect(c2).toBeLessThan(c ?? 0);
  });

  it('counts sizes in parameters', async () => {
    const { events } = await run({ cost: 'latency', budget: '300' });
    const point = events.find((event) => event.type === 'point' && event.budget === 300);
    expect(point?.type === 'point' ? point.params : 0).toBeLessThanOrEqual(300);
  });

  it('measures nothing otherwise', async () => {
    const { events } = await run({ epochs: '2' });
    expect(latencies(events)).toEqual([]);
  });
});
