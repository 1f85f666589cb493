import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { resumeRun, startRun, type StartSettings } from '../../src/client/runs';
import type { RunHandle } from '../../src/client/runHandle';
import type { JournalEvent, ResultEvent } from '../../src/core/events';
import { resolveOptions } from '../../src/core/options';
import { loadParsers, makePlan, readSource } from '../../src/language';
import { collect, makeFolder, removeFolders, showFigure } from '../run/support/runs';

afterAll(removeFolders);

/**
 * Training itself, killed: the real backend of `npm run build`, a real model. More kills with e.g.
 * SHRINKNETS_KILLS=100; another bundle with SHRINKNETS_BACKEND=file.
 */
const KILLS = Number(process.env['SHRINKNETS_KILLS'] ?? 4);
const BACKEND =
  process.env['SHRINKNETS_BACKEND'] ?? fileURLToPath(new URL('../../dist/backend.cjs', import.meta.url));
/** Of the moments: long runs can be split. */
const SEED = Number(process.env['SHRINKNETS_SEED'] ?? 1);
const KILLS_PER_RUN = 8;

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
export const train = rows(1200, 1);
export const test = rows(300, 2);
`;

async function settingsFor(engine: string): Promise<StartSettings> {
  const folder = makeFolder();
  const file = join(folder, 'model.mjs');
  writeFileSync(file, MODEL);
  writeFileSync(join(folder, 'data.mjs'), DATA);
  const wasm = join(
    dirname(createRequire(import.meta.url).resolve('@vscode/tree-sitter-wasm/package.json')),
    'wasm',
  );
  const parsers = await loadParsers((name) => readFile(join(wasm, name)));
  const values = {
    engine,
    data: './data.mjs',
    epochs: '10',
    finish: '2',
    batchSize: '32',
    budget: '50%,25%',
  };
  return {
    runsFolder: join(folder, 'runs'),
    plan: makePlan(readSource(parsers, { file, text: MODEL })),
    options: resolveOptions([{ name: (key) => key, values }]),
    backendScript: BACKEND,
    owner: 'attached',
  };
}

/** What was learned, without times and names that differ from run to run. */
function learned(events: readonly JournalEvent[]): unknown {
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

function weightsOf(folder: string): Map<string, Buffer> {
  const inside = join(folder, 'weights');
  const names = readdirSync(inside, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.bin'),
  );
  return new Map(names.sort().map((name) => [name, readFileSync(join(inside, name))]));
}

function killNow(handle: RunHandle): void {
  try {
    if (handle.group !== undefined) process.kill(-handle.group, 'SIGKILL');
  } catch {
    // It was quicker.
  }
}

describe.skipIf(!existsSync(BACKEND))('training that is killed', () => {
  it.each(['cpu', 'wasm'])(
    `ends with the same weights as if it had not been, on %s, after ${KILLS} kills`,
    async (engine) => {
      const whole = await startRun(await settingsFor(engine));
      const expected = learned(await collect(whole));
      expect(await whole.closed).toMatchObject({ state: 'done' });
      const weights = weightsOf(whole.folder);
      expect(weights.size).toBeGreaterThan(0);
      const first = whole.history[0]?.at ?? 0;
      const trainingMs = (whole.history.at(-1)?.at ?? 0) - first;
      let kills = 0;
      let fromCheckpoint = 0;
      for (let seed = SEED; kills < KILLS;) {
        const settings = await settingsFor(engine);
        let handle = await startRun(settings);
        for (let killsHere = 0; ; killsHere += 1) {
          if (killsHere < KILLS_PER_RUN && kills < KILLS) {
            seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
            await new Promise((resolve) => setTimeout(resolve, (seed / 2 ** 32) * trainingMs));
            killNow(handle);
          }
          const end = await handle.closed;
          if (end.state === 'done') break;
          expect(end).toMatchObject({ state: 'interrupted', exit: { signal: 'SIGKILL' } });
          kills += 1;
          handle = await resumeRun(handle.folder, settings);
        }
        fromCheckpoint += handle.history.filter((event) => event.type === 'start' && event.seq > 0).length;
        expect(learned(await collect(handle))).toEqual(expected);
        expect(weightsOf(handle.folder)).toEqual(weights);
      }
      // A kill before the first checkpoint starts the run over; what is asked here is the others.
      if (KILLS >= 20) expect(fromCheckpoint).toBeGreaterThan(0);
      showFigure(
        `${engine}: ${kills} kills, ${fromCheckpoint} checkpoints gone on from stand in the journals`,
      );
    },
    120_000 + KILLS * 20_000,
  );
});
