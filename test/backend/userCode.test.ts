import '@tensorflow/tfjs-backend-cpu';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { evaluatePlan, loadUserModule } from '../../src/backend/userCode';
import * as tf from '../../src/engine/tf';
import { planOf } from '../language/support/parsers';

beforeAll(async () => {
  // Otherwise it prints advice about faster packages.
  tf.env().set('IS_TEST', true);
  await tf.setBackend('cpu');
});

/** The model a source makes, as `width@site` by layer, with what it is compiled for. */
async function build(text: string, options: { model?: string; file?: string } = {}): Promise<string> {
  const plan = planOf(text, options.model, options.file);
  const { model, siteOf } = await evaluatePlan(plan);
  const layers = model.layers
    .filter((layer) => layer.getClassName() !== 'InputLayer')
    .map((layer) => {
      const config = layer.getConfig();
      const width = (config['units'] ?? config['filters'] ?? layer.getClassName()) as string;
      return `${width}@${siteOf[layer.name] ?? '?'}`;
    });
  const loss = typeof model.loss === 'string' ? ` ${model.loss}` : '';
  return `${layers.join(' ')}${loss}`;
}

const HEAD = "import * as tf from '@tensorflow/tfjs';\n";

describe('slices of real files', () => {
  it('takes a model at the top level, with compile and without fit', async () => {
    const text = `#!/usr/bin/env node
'use strict';
${HEAD}import * as tfvis from '@tensorflow/tfjs-vis';
import './styles.css';
document.getElementById('status').textContent = 'loading';
export const model = tf.sequential(), chart = document.body;
model.add(tf.layers.dense({ units: 32, inputShape: [4] }));
model.add(tf.layers.dense({ units: 3 }));
const learningRate = 0.1;
model.compile({ optimizer: tf.train.adam(learningRate), loss: 'meanSquaredError' });
model.summary();
tfvis.show.modelSummary({ name: 'x' }, model);
await model.fit(window.data.xs, window.data.ys);
export default model;`;
    expect(await build(text)).toBe('32@0 3@1 meanSquaredError');
  });

  it('calls a function that is not exported with the arguments of its call', async () => {
    const text = `${HEAD}const NUM_PIXELS = 7;
function block(x: tf.SymbolicTensor, units = 3, log?: (text: string) => void) {
  log?.('hello');
  return tf.layers.dense({ units }).apply(x) as tf.SymbolicTensor;
}
function createModel(inputs: number, depth: number, status: HTMLElement): tf.LayersModel {
  const input = tf.input({ shape: [inputs] });
  let x = input;
  for (let i = 0; i < depth; i += 1) {
    if (i === 1) continue;
    status.textContent = String(i);
    x = block(x, 8, (text) => (status.textContent = text));
  }
  return tf.model({ inputs: input, outputs: tf.layers.dense({ units: 2 }).apply(x) as tf.SymbolicTensor });
}
async function main() {
  const status = document.getElementById('status')!;
  const model = createModel(NUM_PIXELS, 3, status);
  try {
    model.compile({ loss: 'meanSquaredError', optimizer: 'sgd' });
  } catch (error) {
    alert(error);
  }
  await model.fit(await load());
}
main();`;
    expect(await build(text)).toBe('8@0 8@0 2@1 meanSquaredError');
    expect(await build(text, { model: 'createModel' })).toBe('8@0 8@0 2@1 meanSquaredError');
  });

  it('cuts a model out of a click handler inside another handler', async () => {
    const text = `${HEAD}const HIDDEN = 7;
document.addEventListener('DOMContentLoaded', async () => {
  const status = document.querySelector('#status');
  const { width } = { width: 5 };
  async function run() {
    const model = tf.sequential({ layers: [tf.layers.dense({ units: HIDDEN, inputShape: [3] })] });
    model.add(tf.layers.dense({ units: width }));
    finish(model, status);
    await model.fit(status.data);
  }
  function finish(m, element) {
    element.textContent = 'ready';
    m.add(tf.layers.dense({ units: 1 }));
    m.compile({ loss: 'meanSquaredError', optimizer: 'sgd' });
  }
  status.onclick = run;
});`;
    expect(await build(text)).toBe('7@0 5@1 1@2 meanSquaredError');
  });

  it('makes a class and calls its building method', async () => {
    const text = `import { sequential, layers, type Sequential } from '@tensorflow/tfjs-layers';
export class Net {
  private readonly element = document.body;
  model: Sequential;
  constructor(private readonly width: number, element: HTMLElement) {
    this.element = element;
    element.textContent = 'x';
    this.model = sequential();
  }
  build() {
    this.stack(2);
    this.model.add(layers.dense({ units: 1 }));
    this.show();
    return this.model;
  }
  stack(count: number) {
    for (let i = 0; i < count; i++)
      this.model.add(layers.dense({ units: this.width, ...(i === 0 ? { inputShape: [3] } : {}) }));
  }
  show() {
    this.element.textContent = 'y';
  }
}
new Net(5, document.body).build();`;
    expect(await build(text)).toBe('5@1 5@1 1@0');
  });

  it('reads a method that returns the model, and a static one', async () => {
    const text = `${HEAD}class Builder {
  static make(n = 4) { return tf.sequential({ layers: [tf.layers.dense({ units: n, inputShape: [2] })] }); }
  create() { const m = tf.sequential(); m.add(tf.layers.dense({ units: 6, inputShape: [2] })); return m; }
}`;
    expect(await build(text, { model: 'Builder.make' })).toBe('4@0');
    expect(await build(text, { model: 'create' })).toBe('6@0');
  });

  it('reads CommonJS', async () => {
    const text = `const tf = require('@tensorflow/tfjs-node');
const { layers } = tf;
const fs = require('fs');
const data = fs.readFileSync('/nowhere');
const model = tf.sequential();
[16, 8].forEach((units) => { model.add(layers.dense({ units, inputShape: [16] })); });
model.compile({ loss: 'meanSquaredError', optimizer: 'adam' });
module.exports = model;`;
    expect(await build(text, { file: '/project/model.js' })).toBe('16@0 8@1 meanSquaredError');
  });

  it('reads TSX', async () => {
    const text = `import React from 'react';
${HEAD}const useModel = <T,>(x: T): T => x;
function build() {
  const m = tf.sequential();
  m.add(tf.layers.dense({ units: 5, inputShape: [2] }));
  return m;
}
export function View(): JSX.Element {
  return <div onClick={() => build()}>{useModel('x')}</div>;
}`;
    expect(await build(text, { file: '/project/view.tsx' })).toBe('5@0');
  });

  it('follows a variable that other functions fill', async () => {
    const text = `${HEAD}let model: tf.Sequential;
const widths: number[] = [];
function prepare() { widths.push(4, 5); }
prepare();
function addAll() { for (const units of widths) model.add(tf.layers.dense({ units, inputShape: [4] })); }
async function run() {
  model = tf.sequential();
  addAll();
  await model.fit(data);
}
run();`;
    expect(await build(text)).toBe('4@0 5@0');
  });

  it('tells the calls of a helper, the turns of loops and the items of lists apart', async () => {
    const text = `${HEAD}function conv(x: tf.SymbolicTensor, filters: number) {
  return tf.layers.conv2d({ filters, kernelSize: 1 }).apply(x) as tf.SymbolicTensor;
}
const pair = (x: tf.SymbolicTensor, widths: number[]) => conv(conv(x, widths[0]), widths[1]);
export function build(first = 2) {
  const input = tf.input({ shape: [3, 3, 1] });
  let x = pair(conv(conv(input, first), 3), [4, 5]);
  for (const [i, width] of [6, 7].entries()) if (i >= 0) x = conv(x, width);
  [8, 9].forEach((width) => { x = pair(x, [width, width]); });
  const sizes = [10, 11];
  for (let i = 0; i < sizes.length; i++) x = tf.layers.dense({ units: sizes[i] }).apply(x) as tf.SymbolicTensor;
  return tf.model({ inputs: input, outputs: x });
}`;
    const plan = planOf(text, 'build');
    const { model, siteOf } = await evaluatePlan(plan);
    const widths = model.layers.slice(1).map((layer) => {
      const { units, filters } = layer.getConfig() as { units?: number; filters?: number };
      return [units ?? filters, plan.sites[siteOf[layer.name] ?? -1]?.width];
    });
    expect(widths.map(([made]) => made)).toEqual([2, 3, 4, 5, 6, 7, 8, 8, 9, 9, 10, 11]);
    for (const [made, written] of widths) expect(written).toBe(made);
    expect(new Set(plan.sites.map((site) => site.widthRange?.start)).size).toBe(10);
  });

  it('keeps custom layers whole and registers them', async () => {
    const text = `${HEAD}class Twice extends tf.layers.Layer {
  static className = 'Twice';
  call(inputs: tf.Tensor[]) { return tf.mul(inputs[0], 2); }
  computeOutputShape(shape: number[]) { return shape; }
}
tf.serialization.registerClass(Twice);
const model = tf.sequential();
model.add(tf.layers.dense({ units: 3, inputShape: [2] }));
model.add(new Twice());`;
    expect(await build(text)).toBe('3@0 Twice@?');
  });

  it.each([
    ['export default tf.sequential({ layers: [tf.layers.dense({ units: 3, inputShape: [2] })] });'],
    [
      'export default function () { return tf.sequential({ layers: [tf.layers.dense({ units: 3, inputShape: [2] })] }); }',
    ],
    [
      'module.exports = () => { const m = tf.sequential(); m.add(tf.layers.dense({ units: 3, inputShape: [2] })); return m; };',
    ],
    [
      'const models = { small: () => tf.sequential({ layers: [tf.layers.dense({ units: 3, inputShape: [2] })] }) };',
    ],
    [
      'const m = tf.tidy(() => { const inner = tf.sequential(); inner.add(tf.layers.dense({ units: 3, inputShape: [2] })); return inner; });',
    ],
    [
      'export const make = async (n: number = 3) => tf.sequential({ layers: [tf.layers.dense({ units: n, inputShape: [2] })] });',
    ],
    [
      '(async () => { const m = tf.sequential({ layers: [tf.layers.dense({ units: 3, inputShape: [2] })] }); await m.fit(document.x); })();',
    ],
    [
      'const make = (deep: boolean) => { if (deep) { const a = tf.sequential(); return a; } const b = tf.sequential(); b.add(tf.layers.dense({ units: 3, inputShape: [2] })); return b; }; make(false);',
    ],
  ])('finds the model in %s', async (code) => {
    expect(await build(HEAD + code)).toBe('3@0');
  });

  it('makes a model whose compilation needs what is not known', async () => {
    const text = `${HEAD}async function run(rate) {
  const model = tf.sequential({ layers: [tf.layers.dense({ units: 3, inputShape: [2] })] });
  model.compile({ optimizer: tf.train.adam(rate), loss: 'meanSquaredError' });
}
button.onclick = () => run(Number(input.value));`;
    expect(await build(text)).toBe('3@0');
  });

  it.each([
    [
      'a global from a script tag',
      'const model = tf.sequential(); model.add(tf.layers.dense({ units: 3, inputShape: [2] }));',
    ],
    [
      'a CDN',
      "import * as tf from 'https://cdn.jsdelivr.net/npm/@tensorflow/tfjs@4.22.0/+esm';\nconst model = tf.sequential({ layers: [tf.layers.dense({ units: 3, inputShape: [2] })] });",
    ],
    [
      'a dynamic import',
      "async function run() { const { layers, sequential } = await import('@tensorflow/tfjs'); const m = sequential({ layers: [layers.dense({ units: 3, inputShape: [2] })] }); await m.fit(x); }",
    ],
    [
      'an export of CommonJS',
      "const tf = require('@tensorflow/tfjs-node-gpu');\nexports.createModel = function createModel() { const m = tf.sequential(); m.add(tf.layers.dense({ units: 3, inputShape: [2] })); return m; };",
    ],
    [
      'a page that fills an outer variable',
      'let model; function init() { model = tf.sequential(); model.add(tf.layers.dense({ units: 3, inputShape: [2] })); } window.onload = async function () { init(); await model.fit(a, b); };',
    ],
    [
      'a class that makes it in its constructor',
      'class Brain { constructor() { this.model = tf.sequential({ layers: [tf.layers.dense({ units: 3, inputShape: [2] })] }); this.canvas = document.body; } async train(x) { await this.model.fit(x); } }',
    ],
    [
      'an awaited builder',
      'async function make() { const m = tf.sequential(); m.add(tf.layers.dense({ units: 3, inputShape: [2] })); return m; } async function main() { const model = await make(); await model.fit(document.data); }',
    ],
    [
      'a builder in another builder',
      'function outer() { function inner() { const m = tf.sequential(); m.add(tf.layers.dense({ units: 3, inputShape: [2] })); return m; } const made = inner(); return made; } outer();',
    ],
  ])('finds TensorFlow.js and the model in %s', async (_, text) => {
    expect(await build(text, { file: '/project/page.js' })).toBe('3@0');
  });

  it('takes arguments from the hint', async () => {
    const text = `${HEAD}// @shrink-model args=[2, {"units": 9}]
export function create(inputs: number, { units }: { units: number }) {
  return tf.sequential({ layers: [tf.layers.dense({ units, inputShape: [inputs] })] });
}`;
    expect(await build(text)).toBe('9@0');
  });
});

describe('models that cannot be had', () => {
  it('asks for arguments that are not known', () => {
    const text = `${HEAD}export function create(inputs: number) {
  return tf.sequential({ layers: [tf.layers.dense({ units: 4, inputShape: [inputs] })] });
}`;
    expect(() => planOf(text)).toThrow(
      '/project/model.ts:2:24: the value of the parameter inputs is not known; write args=[…]',
    );
    expect(() => planOf(`${text}\ncreate(3); create(4);`)).toThrow('(its calls differ); write args=[…]');
  });

  it('tells what the code threw, and where, without a stack', async () => {
    const text = `${HEAD}function create(units = -1) {
  if (units < 0)

    throw new Error('units must not be negative');
  return tf.sequential({ layers: [tf.layers.dense({ units, inputShape: [3] })] });
}`;
    await expect(build(text)).rejects.toMatchObject({
      kind: 'bad-input',
      code: 'model-throws',
      message: '/project/model.ts:5: making create fails: units must not be negative.',
    });
    await expect(
      build(`${HEAD}const m = tf.sequential();\nm.add(tf.layers.dense({ units: 3 }));`),
    ).rejects.toMatchObject({
      code: 'model-throws',
      message: expect.stringContaining('/project/model.ts:3') as string,
    });
  });

  it('refuses what is no model', async () => {
    const text = `${HEAD}class Holder { model; make() { this.model = tf.sequential(); this.model.add(tf.layers.dense({ units: 1 })); this.model = 3; } }`;
    await expect(build(text)).rejects.toMatchObject({ code: 'model-throws' });
  });

  it.each([
    ['const x = 3;', '/project/model.ts: no model found; make one'],
    ["export { create } from './net/model';", 'no model found; it imports from ./net/model: name the file'],
    ['const model = tf.sequential(\nconst y = 3;', '/project/model.ts:3:7: syntax error at "y"; mend it.'],
    [
      'const a = tf.sequential(); const b = tf.sequential();',
      '/project/model.ts has several models: a, b; name one with --model.',
    ],
  ])('says so for %s', (code, message) => {
    expect(() => planOf(HEAD + code)).toThrow(message);
  });
});

describe('modules of the user', () => {
  it('get the TensorFlow.js of the backend', async () => {
    const file = join(await mkdtemp(join(tmpdir(), 'shrinknets ü ')), 'data.mts');
    await writeFile(file, `${HEAD}export const xs: tf.Tensor = tf.tensor1d([1, 2]);`);
    const loaded = await loadUserModule(file);
    expect(loaded['xs']).toBeInstanceOf(tf.Tensor);
    await writeFile(file, 'throw new Error("no data here");');
    await expect(loadUserModule(file)).rejects.toMatchObject({ kind: 'bad-input', code: 'module-throws' });
  });
});
