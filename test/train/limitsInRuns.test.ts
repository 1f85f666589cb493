import { beforeAll, describe, expect, it } from 'vitest';
import type { RunEvent } from '../../src/core/events';
import type { RunContext } from '../../src/core/job';
import { resolveOptions } from '../../src/core/parseOptions';
import type { LayerHint, Plan } from '../../src/core/plan';
import { normalSamples, seededRandom } from '../../src/core/random';
import type { Rows } from '../../src/data/dataset';
import type { Engine } from '../../src/engine/engine';
import { findEngine } from '../../src/engine/registry';
import { withSeeds } from '../../src/engine/random';
import * as tf from '../../src/engine/tf';
import { readWeights, topologyOf } from '../../src/train/model';
import { prepareTraining } from '../../src/train/prepare';
import { runSession } from '../../src/train/session';
import { PROXIMAL, subgradientMode } from '../../src/train/switchModes';

/** Whole runs of 8 → a → b → 2 under hints. */

const INPUTS = 8;
const LAYERS = ['a', 'b'] as const;

let engine: Engine;

beforeAll(async () => {
  engine = await findEngine('wasm').load();
});

function rows(count: number, seed: number): Rows {
  const x = normalSamples(count * INPUTS, seededRandom(seed));
  const ids = Int32Array.from({ length: count }, (_, i) => ((x[i * INPUTS] ?? 0) > 0 ? 1 : 0));
  return { count, x: { shape: [INPUTS], data: x, scale: 1 }, y: { kind: 'classes', ids, classes: 2 } };
}

function build(width: number): tf.LayersModel {
  const model = tf.sequential();
  model.add(tf.layers.dense({ inputShape: [INPUTS], units: width, activation: 'relu', name: 'a' }));
  model.add(tf.layers.dense({ units: width, activation: 'relu', name: 'b' }));
  model.add(tf.layers.dense({ units: 2, activation: 'softmax', name: 'out' }));
  return model;
}

const planOf = (hints: Readonly<Record<string, LayerHint>>): Plan => ({
  version: 1,
  file: '',
  fileHash: '',
  language: 'typescript',
  model: 'm',
  program: { kind: 'slice', code: '' },
  sites: LAYERS.map((layer, id) => ({
    id,
    file: '',
    layerType: 'dense',
    range: { start: 0, end: 0 },
    line: 1,
    column: 1,
    ...(hints[layer] === undefined ? {} : { hint: hints[layer] }),
  })),
  modelHint: {},
  onlyHinted: false,
});

/** @returns the run's events and files */
async function run(
  width: number,
  hints: Readonly<Record<string, LayerHint>>,
  values: Record<string, string>,
) {
  const options = resolveOptions([
    { name: (key) => key, values: { epochs: '12', finish: '1', batchSize: '16', ...values } },
  ]);
  const events: RunEvent[] = [];
  const files = new Map<string, Uint8Array | string>();
  const plan = planOf(hints);
  const context: RunContext = {
    run: 'limits',
    plan,
    options,
    stop: new AbortController().signal,
    emit: (event) => events.push(event),
    progress: () => undefined,
    saveCheckpoint: () => Promise.resolve(),
    writeFile: (path, content) => {
      files.set(path, typeof content === 'string' ? content : content.slice());
      return Promise.resolve();
    },
  };
  const model = withSeeds(seededRandom(1), () => build(width));
  const authored = {
    topology: topologyOf(model),
    weights: await readWeights(model),
    siteOf: { a: 0, b: 1 },
  };
  model.dispose();
  const data = { train: rows(320, 1), validation: rows(64, 2), test: rows(64, 3), notes: [] };
  const mode =
    options.mode === 'original'
      ? subgradientMode('relu', { strategy: 'relu', gamma: 0.9, threshold: 0.5 })
      : PROXIMAL;
  const optimizer = { name: 'adam', learningRate: 0.01, settings: {} } as const;
  const prepared = prepareTraining(plan, authored, data, undefined);
  await runSession(context, { engine, authored, prepared, optimizer, mode });
  return { events, files };
}

type Files = Awaited<ReturnType<typeof run>>['files'];

/** Columns that are 0 throughout, by kernel of the emitted weights. */
function emptyColumnsOf(files: Files): Record<string, number> {
  const bytes = files.get('weights/weights.bin');
  const spec = JSON.parse(String(files.get('weights/model.json'))) as {
    weightsManifest: { weights: { name: string; shape: number[] }[] }[];
  };
  if (typeof bytes !== 'object') throw new Error('the run wrote no weights');
  const values = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
  const empty: Record<string, number> = {};
  let offset = 0;
  for (const { name, shape } of spec.weightsManifest.flatMap(({ weights }) => weights)) {
    const size = shape.reduce((product, length) => product * length, 1);
    const kernel = values.subarray(offset, offset + size);
    offset += size;
    const [, columns] = shape;
    if (columns === undefined) continue;
    empty[name] = Array.from({ length: columns }, (_, j) => j).filter((j) =>
      kernel.every((value, i) => i % columns !== j || value === 0),
    ).length;
  }
  return empty;
}

const warnings = (events: readonly RunEvent[]) =>
  events.filter((event) => event.type === 'warning').map(({ code, message }) => ({ code, message }));
const lastWidths = (events: readonly RunEvent[]) => {
  const snapshot = events.findLast((event) => event.type === 'snapshot');
  return snapshot?.type === 'snapshot' ? { a: snapshot.widths['a'], b: snapshot.widths['b'] } : {};
};

describe('what limits keep', { timeout: 120_000 }, () => {
  it('is no empty column in mode lambda, where whole groups go', async () => {
    const hint = { multiple: 16 };
    const { events, files } = await run(32, { a: hint, b: hint }, { mode: 'lambda', lambda: '0.05' });
    expect(lastWidths(events)).toEqual({ a: 16, b: 16 });
    expect(emptyColumnsOf(files)).toEqual({ 'a/kernel': 0, 'b/kernel': 0, 'out/kernel': 0 });
  });

  it('is not a constant network under a λ that kills every channel, and the journal says so', async () => {
    const { events, files } = await run(8, {}, { mode: 'lambda', lambda: '100', lambda2: '0.00001' });
    expect(lastWidths(events)).toEqual({ a: 1, b: 1 });
    expect(emptyColumnsOf(files)).toEqual({ 'a/kernel': 0, 'b/kernel': 0, 'out/kernel': 0 });
    expect(warnings(events)).toEqual(
      LAYERS.map((layer) => ({
        code: `kept-${layer}`,
        message: `All channels of ${layer} wanted to die; the strongest (1 of them) were kept.`,
      })),
    );
  });

  it('is no empty column in mode budget, where min binds', async () => {
    const values = { budget: '60%,30%,24%', epochs: '30', batchSize: '8', seed: '1', baseline: 'off' };
    const { events, files } = await run(32, { a: { min: 24 } }, { ...values, finish: '0' });
    expect(lastWidths(events)['a']).toBe(24);
    expect(warnings(events)).toEqual([]);
    expect(emptyColumnsOf(files)).toEqual({ 'a/kernel': 0, 'b/kernel': 0, 'out/kernel': 0 });
  });

  it('is not said to have wanted to die where a multiple rounds up', async () => {
    const hint = { multiple: 8 };
    const values = { mode: 'original', form: 'relu', strategy: 'relu', lambda: '0.01', lambda2: '0.00001' };
    const { events } = await run(32, { a: hint, b: hint }, values);
    expect(lastWidths(events)['a']).toBeLessThan(32);
    expect(warnings(events)).toEqual([]);
  });
});

describe('sizes', { timeout: 120_000 }, () => {
  it('are reached in whole groups where hints allow them', async () => {
    const hint = { min: 16, multiple: 8 };
    const { events } = await run(64, { a: hint, b: hint }, { finish: '0' });
    expect(warnings(events).map(({ message }) => message)).toEqual([
      'The size came down to 450 params; 291, 145 cannot be reached, because every layer keeps its width or has come down to what its hint allows.',
    ]);
    expect(lastWidths(events)).toEqual({ a: 16, b: 16 });
  });

  it('that a run is too short for say how many steps it had', async () => {
    const { events } = await run(16, {}, { epochs: '1', batchSize: '32', budget: '50%,33.3%', finish: '0' });
    expect(warnings(events).map(({ message }) => message)).toEqual([
      'The size came down to 450 params in 10 training steps, which are too few to reach 225, 149; give more epochs or a smaller batchSize.',
    ]);
  });
});

describe('a hint that does nothing', { timeout: 120_000 }, () => {
  it('is named: lambda in mode budget', async () => {
    const short = { epochs: '3', budget: '50%', finish: '0' };
    const { events } = await run(8, { b: { lambda: 0.1 } }, short);
    expect(warnings(events)).toEqual([
      {
        code: 'lambda-unused',
        message:
          'The lambda of the hint at b has no effect in mode budget, where sizes decide; take it out, or set mode to lambda.',
      },
    ]);
    const used = await run(8, { b: { lambda: 0.1 } }, { ...short, mode: 'lambda', lambda2: '0.00001' });
    expect(warnings(used.events).map(({ code }) => code)).not.toContain('lambda-unused');
  });
});

describe('the starting size', { timeout: 120_000 }, () => {
  it.each([
    { mode: 'lambda', lambda: '0.5' },
    { mode: 'original', form: 'relu', strategy: 'relu', lambda: '0.1', distill: '0.5' },
  ])('is kept before the first channel dies, although the hold is not over: %j', async (values) => {
    const { events } = await run(8, {}, { ...values, lambda2: '0.00001', epochs: '60' });
    const snapshots = events.filter((event) => event.type === 'snapshot');
    const collection = events.find((event) => event.type === 'collection');
    expect(snapshots[0]).toMatchObject({ widths: { a: 8, b: 8 }, budget: 8 * 8 + 8 + 8 * 8 + 8 + 8 * 2 + 2 });
    // A fifth of the trunk: what is tested here comes before it.
    expect(collection?.step).toBeLessThan((60 * 320) / 16 / 5);
    const points = events.filter((event) => event.type === 'point');
    expect(points.map(({ params }) => params)[0]).toBe(162);
    expect(points).toHaveLength(2);
    expect(warnings(events).map(({ code }) => code)).not.toContain('distill-unused');
  });
});
