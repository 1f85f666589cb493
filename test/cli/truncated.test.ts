import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import type { ResultEvent } from '../../src/core/events';
import { eventsOf, makeProject, runCli } from '../support/cli';

/** Transfer learning as TensorFlow.js authors write it: a model cut off inside, with a new head. */

const SOURCE = `const tf = require('@tensorflow/tfjs');

function buildBase() {
  const base = tf.sequential();
  base.add(tf.layers.dense({ inputShape: [8], units: 32, activation: 'relu' }));
  base.add(tf.layers.dense({ units: 16, activation: 'relu', name: 'cut' }));
  base.add(tf.layers.dense({ units: 3 }));
  return base;
}

// @shrink-model data=./data.mjs epochs=16 finish=2 budget=50% engine=wasm batchSize=16
function buildHead() {
  const base = buildBase();
  const truncated = tf.model({ inputs: base.inputs, outputs: base.getLayer('cut').output });
  return tf.sequential({ layers: [truncated, tf.layers.dense({ units: 2, activation: 'softmax' })] });
}
module.exports = { buildBase, buildHead };
`;

const DATA = `const row = (n) => Array.from({ length: 8 }, (_, i) => Math.sin(n * (i + 1)));
const part = (from, to) => {
  const rows = Array.from({ length: to - from }, (_, i) => row(from + i));
  return { x: rows, y: rows.map(([first]) => (first > 0 ? 1 : 0)) };
};
export const train = part(0, 400);
export const test = part(400, 500);
`;

it('sizes the layers of a truncated model where they are written, and leaves those behind the cut alone', async () => {
  const project = makeProject({ 'head.js': SOURCE, 'data.mjs': DATA });
  try {
    const done = await runCli(['train', 'head.js', '--model', 'buildHead', '--json'], project.folder);
    expect(done).toMatchObject({ code: 0, stderr: '' });
    const result = eventsOf(done).at(-1) as unknown as ResultEvent;
    expect(result.metrics.test.accuracy).toBeGreaterThan(0.9);
    expect(result.params.after).toBeLessThan(result.params.before);
    expect(await runCli(['emit', 'last', '--write'], project.folder)).toMatchObject({ code: 0 });
    const widths = [...readFileSync(path.join(project.folder, 'head.js'), 'utf8').matchAll(/units: (\d+)/g)];
    const [first, second, ...others] = widths.map(([, width]) => Number(width));
    expect(Math.min(first ?? 0, second ?? 0)).toBeGreaterThan(0);
    expect((first ?? 0) + (second ?? 0)).toBeLessThan(48);
    expect(others).toEqual([3, 2]);
    const check = await runCli(['emit', 'last'], project.folder);
    expect(check.stdout).toContain('has the learned widths already');
  } finally {
    project.remove();
  }
}, 120_000);
