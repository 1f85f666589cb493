import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { StartSettings } from '../../../src/client/runs';
import type { JournalEvent, ResultEvent } from '../../../src/core/events';
import { resolveOptions } from '../../../src/core/parseOptions';
import { loadParsers, makePlan, readSource } from '../../../src/language';
import { makeFolder } from '../../run/support/runs';

/** Training itself: the real backend of `npm run build`, a real model; another bundle with SHRINKNETS_BACKEND=file. */

const BACKEND =
  process.env['SHRINKNETS_BACKEND'] ?? fileURLToPath(new URL('../../../dist/backend.cjs', import.meta.url));

export const isBuilt = existsSync(BACKEND);

const MODEL = `import * as tf from '@tensorflow/tfjs';
export function createModel() {
  const model = tf.sequential();
  // @shrink
  model.add(tf.layers.dense({ inputShape: [8], units: 24, activation: 'relu' }));
  // @shrink
  model.add(tf.layers.dense({ units: 24, activation: 'relu' }));
  model.add(tf.layers.dense({ units: 3, activation: 'softmax' }));
  model.compile({ optimizer: 'adam', loss: 'categoricalCrossentropy' });
  return model;
}
`;

/** Three noisy clusters, the same every time. */
const DATA = `const rows = (count, seed) => {
  let state = seed;
  const next = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
  const x = [], y = [];
  for (let i = 0; i < count; i += 1) {
    y.push(i % 3);
    x.push(Array.from({ length: 8 }, (_v, j) => (j % 3 === i % 3 ? 1 : 0) + next() * 1.5));
  }
  return { x, y };
};
`;
const ONE_OF_EACH = `export const train = rows(1200, 1);
export const test = rows(300, 2);
`;

/** The same rows in two halves, with two things to say of each. */
const SEVERAL_MODEL = `import * as tf from '@tensorflow/tfjs';
export function createModel() {
  const inputs = ['left', 'right'].map((name) => tf.input({ shape: [4], name }));
  // @shrink
  const left = tf.layers.dense({ units: 16, activation: 'relu' }).apply(inputs[0]);
  // @shrink
  const right = tf.layers.dense({ units: 12, activation: 'tanh' }).apply(inputs[1]);
  const both = tf.layers.concatenate().apply([left, right]);
  const kind = tf.layers.dense({ units: 3, activation: 'softmax', name: 'kind' }).apply(both);
  const sum = tf.layers.dense({ units: 1, name: 'sum' }).apply(both);
  const model = tf.model({ inputs, outputs: [kind, sum] });
  model.compile({ optimizer: 'adam', loss: ['categoricalCrossentropy', 'meanSquaredError'] });
  return model;
}
`;
const SEVERAL_OF_EACH = `const halves = ({ x, y }) => ({
  x: { left: x.map((row) => row.slice(0, 4)), right: x.map((row) => row.slice(4)) },
  y: { kind: y, sum: x.map((row) => [row.reduce((a, b) => a + b, 0) / 8]) },
});
export const train = halves(rows(1200, 1));
export const test = halves(rows(300, 2));
`;

export interface TrainingSettings {
  /** Where its runs lie, instead of beside the model. */
  readonly runsFolder?: string;
  /** Code of the data module besides. */
  readonly dataCode?: string;
  readonly epochs?: number;
  /** A model of two inputs and two outputs. */
  readonly several?: boolean;
  readonly more?: Partial<StartSettings>;
}

/** The same model and data every time; a second or two of training on a quiet machine. */
export async function trainingSettings(
  engine: string,
  { runsFolder, dataCode = '', epochs = 10, several = false, more = {} }: TrainingSettings = {},
): Promise<StartSettings> {
  const folder = makeFolder();
  const file = join(folder, 'model.mjs');
  const model = several ? SEVERAL_MODEL : MODEL;
  writeFileSync(file, model);
  writeFileSync(join(folder, 'data.mjs'), DATA + (several ? SEVERAL_OF_EACH : ONE_OF_EACH) + dataCode);
  const wasm = join(
    dirname(createRequire(import.meta.url).resolve('@vscode/tree-sitter-wasm/package.json')),
    'wasm',
  );
  const parsers = await loadParsers((name) => readFile(join(wasm, name)));
  const values = {
    engine,
    data: './data.mjs',
    epochs: String(epochs),
    finish: '2',
    batchSize: '32',
    budget: '50%,25%',
  };
  return {
    runsFolder: runsFolder ?? join(folder, 'runs'),
    plan: makePlan(readSource(parsers, { file, text: model })),
    options: resolveOptions([{ name: (key) => key, values }]),
    backendScript: BACKEND,
    owner: 'attached',
    ...more,
  };
}

/** What was learned, without times and names that differ from run to run. */
export function learned(events: readonly JournalEvent[]): unknown {
  const result = events.findLast((event): event is ResultEvent & JournalEvent => event.type === 'result');
  const { layers, params, metrics, points, chosen } = result ?? {};
  const epochs = events.flatMap((event) =>
    event.type === 'epoch' ? [{ ...event, seq: 0, at: 0, stepMs: 0 }] : [],
  );
  const collections = events.flatMap((event) =>
    event.type === 'collection' ? [{ ...event, seq: 0, at: 0, ms: 0 }] : [],
  );
  const sites = layers?.map((layer) => ({ ...layer, site: null }));
  return { layers: sites, params, metrics, points, chosen, epochs, collections };
}

/** The trained weights, by file name. */
export function weightsOf(folder: string): Map<string, Buffer> {
  const inside = join(folder, 'weights');
  const names = readdirSync(inside, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.bin'),
  );
  return new Map(names.sort().map((name) => [name, readFileSync(join(inside, name))]));
}
