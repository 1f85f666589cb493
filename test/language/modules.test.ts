import '@tensorflow/tfjs-backend-cpu';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { evaluatePlan } from '../../src/backend/userCode';
import * as tf from '../../src/engine/tf';
import {
  applyEdits,
  chooseModel,
  makePlan,
  planEdits,
  readSource,
  type SourceReading,
} from '../../src/language';
import type { SourceFiles } from '../../src/language';
import { parsers } from './support/parsers';

/** Models whose builder lies in several files. */

beforeAll(async () => {
  tf.env().set('IS_TEST', true);
  await tf.setBackend('cpu');
});

type Texts = Readonly<Record<string, string>>;

/** Files in memory, each import written with its ending or without. */
function filesOf(texts: Texts): SourceFiles {
  const at = (name: string): string => path.join('/project', name);
  const known = new Map(Object.entries(texts).map(([name, text]) => [at(name), text]));
  return {
    resolve: (from, specifier) => {
      const base = path.join(path.dirname(from), specifier);
      const endings = ['', '.ts', '.js', '/index.ts'];
      return endings.map((ending) => base + ending).find((file) => known.has(file));
    },
    read: (file) => known.get(file),
  };
}

function readAll(texts: Texts, main: string): SourceReading {
  return readSource(parsers, { file: path.join('/project', main), text: texts[main] ?? '' }, filesOf(texts));
}

/** Layers as `width@site`, by running the slice. */
async function build(reading: SourceReading, model?: string): Promise<string> {
  const { model: made, siteOf } = await evaluatePlan(makePlan(reading, model));
  return made.layers
    .filter((layer) => layer.getClassName() !== 'InputLayer')
    .map((layer) => {
      const { units, filters } = layer.getConfig() as { units?: number; filters?: number };
      return `${units ?? filters ?? layer.getClassName()}@${siteOf[layer.name] ?? '?'}`;
    })
    .join(' ');
}

/**
 * Checks that `⟦512→37⟧` in any of the files is edited, nothing else is, and that the edited files make a model with
 * the learned widths.
 */
async function checkEdits(marked: Texts, main: string, model?: string): Promise<string> {
  const pick = (index: 1 | 2): Texts =>
    Object.fromEntries(
      Object.entries(marked).map(([name, text]) => [name, text.replaceAll(/⟦(\d+)→(\d+)⟧/g, `$${index}`)]),
    );
  const [before, after] = [pick(1), pick(2)];
  const reading = readAll(before, main);
  const wanted = readAll(after, main);
  const learned: Record<number, number> = {};
  for (const site of chooseModel(wanted, model).sites)
    if (site.width !== undefined) learned[site.id] = site.width;
  const planned = planEdits(reading, model, learned);
  expect(planned.problems).toEqual([]);
  const edited: Record<string, string> = { ...before };
  edited[main] = applyEdits(before[main] ?? '', planned.edits);
  for (const { file, text, edits } of planned.elsewhere)
    edited[path.basename(file)] = applyEdits(text, edits);
  expect(edited).toEqual(after);
  expect(planEdits(wanted, model, learned)).toEqual({ edits: [], elsewhere: [], problems: [] });
  return build(readAll(edited, main), model);
}

const HEAD = "import * as tf from '@tensorflow/tfjs';\n";

describe('models in several files', () => {
  it('follow constants, helpers and lists of layers, and edit them where they stand', async () => {
    const made = await checkEdits(
      {
        'main.ts': `import './styles.css';
${HEAD}import { HIDDEN, sizes as SIZES } from './config';
import addBlock, { classifier } from './blocks.js';
document.title = 'never run';
export function createModel() {
  const model = tf.sequential();
  model.add(tf.layers.dense({ units: HIDDEN, inputShape: [4] }));
  model.add(tf.layers.dense({ units: SIZES.second }));
  addBlock(model, ⟦24→5⟧);
  for (const layer of classifier()) model.add(layer);
  return model;
}
`,
        'config.ts': `export const HIDDEN = ⟦512→31⟧; // was 512
export const sizes = { second: ⟦64→7⟧, third: 9 };
window.shown = sizes.third;
`,
        'blocks.js': `${HEAD}import { sizes } from './config';
alert('never run');
export default function addBlock(model, units) {
  model.add(tf.layers.dense({ units, activation: 'relu' }));
}
export const classifier = () => [tf.layers.dense({ units: ⟦16→3⟧ }), tf.layers.dense({ units: sizes.third })];
`,
      },
      'main.ts',
    );
    expect(made).toBe('31@0 7@1 5@2 3@3 9@4');
  });

  it('may be made elsewhere: imported, re-exported, as a default, under another name', async () => {
    const model = `${HEAD}import { W } from './widths';
export function build(units: number, deep = W) {
  return tf.sequential({ layers: [tf.layers.dense({ units, inputShape: [3] }), tf.layers.dense({ units: deep })] });
}
export default tf.sequential({ layers: [tf.layers.dense({ units: ⟦8→2⟧, inputShape: [3] })] });
`;
    const base = { 'model.ts': model, 'widths.ts': 'export const W = ⟦32→6⟧;\n' };
    const plain = { ...base, 'model.ts': model.replace('⟦8→2⟧', '8') };
    const main = `import { build as make } from './model';\nconst model = make(⟦20→4⟧);\nmodel.compile({ loss: 'meanSquaredError', optimizer: 'sgd' });\n`;
    expect(await checkEdits({ ...plain, 'main.ts': main }, 'main.ts')).toBe('4@0 6@1');
    const barrel = {
      'index.ts': "export * from './model';\n",
      'main.ts': main.replace('./model', './index'),
    };
    expect(await checkEdits({ ...plain, ...barrel }, 'main.ts')).toBe('4@0 6@1');
    const named = { 'index.ts': "export { build as b2 } from './model';\n" };
    const through = {
      'main.ts': "import * as models from './index';\nexport const net = models.b2(⟦20→4⟧);\n",
    };
    expect(await checkEdits({ ...plain, ...named, ...through }, 'main.ts')).toBe('4@0 6@1');
    const whole = { 'main.ts': "export { default } from './model';\n" };
    expect(await checkEdits({ ...base, ...whole, 'widths.ts': 'export const W = 32;\n' }, 'main.ts')).toBe(
      '2@0',
    );
  });

  it('follow CommonJS', async () => {
    const made = await checkEdits(
      {
        'main.js': `const { createModel } = require('./model');
const fs = require('fs');
const data = fs.readFileSync('/nowhere');
const model = createModel();
model.fit(data);
`,
        'model.js': `const tf = require('@tensorflow/tfjs-node');
const config = require('./config'), helpers = require('./helpers.js');
const block = require('./block').dense;
function createModel() {
  const model = tf.sequential();
  model.add(block(config.first));
  model.add(helpers(⟦12→3⟧));
  return model;
}
module.exports = { createModel, other: () => 3 };
`,
        'config.js': 'module.exports = { first: ⟦40→8⟧, second: 3 };\n',
        'helpers.js': `const tf = require('@tensorflow/tfjs-node');
module.exports = (units) => tf.layers.dense({ units });
`,
        'block.js': `const { layers } = require('@tensorflow/tfjs-node');
exports.dense = (units) => layers.dense({ units, inputShape: [5] });
`,
      },
      'main.js',
    );
    expect(made).toBe('8@1 3@0');
  });

  it('follow classes and TensorFlow.js handed on by a file of the project', async () => {
    const made = await checkEdits(
      {
        'main.ts': `import { Net } from './net';\nconst net = new Net(⟦9→2⟧);\nnet.build();\n`,
        'net.ts': `import { tf } from './tf';
export class Net {
  model?: tf.Sequential;
  constructor(private readonly units: number) {}
  build() {
    this.model = tf.sequential();
    this.model.add(tf.layers.dense({ units: 6, inputShape: [2] }));
    this.model.add(tf.layers.dense({ units: this.units }));
  }
}
`,
        'tf.ts': "import * as tf from '@tensorflow/tfjs';\nexport { tf };\n",
      },
      'main.ts',
    );
    expect(made).toBe('6@0 2@1');
  });

  it('refuse a constant that another file uses for something else, with its place', () => {
    const texts = {
      'main.ts': `${HEAD}import { SIZE } from './config';
import { data } from './data';
export const model = tf.sequential({ layers: [tf.layers.dense({ units: SIZE, inputShape: [data] })] });`,
      'config.ts': 'export const SIZE = 64;\n',
      'data.ts': "import { SIZE } from './config';\nexport const data = SIZE;\n",
    };
    const { problems, edits, elsewhere } = planEdits(readAll(texts, 'main.ts'), undefined, { 0: 5 });
    expect([edits, elsewhere]).toEqual([[], []]);
    expect(problems.map(({ code, file, range }) => [code, file, range])).toEqual([
      ['shared-literal', '/project/config.ts', { start: 20, end: 22 }],
    ]);
    expect(problems[0]?.message).toContain('/project/data.ts:2:21');
  });

  it('read hints in the files that they reach into, and say what is wrong with them', () => {
    const texts = {
      'main.ts': `${HEAD}import { dense } from './layers';\nexport const model = tf.sequential({ layers: [
  // @shrink max=20
  dense(30),
] });`,
      'layers.ts': `${HEAD}export const dense = (units: number) =>\n  // @shrink min=4\n  tf.layers.dense({ units, inputShape: [3] });\n`,
    };
    const sites = readAll(texts, 'main.ts').models[0]?.sites;
    expect(sites?.map((site) => [site.file, site.hint])).toEqual([['/project/layers.ts', { max: 20 }]]);
    const plain = { ...texts, 'main.ts': texts['main.ts'].replace('// @shrink max=20', '') };
    expect(readAll(plain, 'main.ts').models[0]?.sites[0]?.hint).toEqual({ min: 4 });
    const broken = { ...plain, 'layers.ts': texts['layers.ts'].replace('min=4', 'min=x') };
    expect(() => makePlan(readAll(broken, 'main.ts'))).toThrow(/^\/project\/layers\.ts:3:\d+: /);
  });

  it('that import each other in a circle are refused with what to do', () => {
    const texts = {
      'main.ts': `${HEAD}import { one } from './a';\nexport const model = tf.sequential({ layers: [tf.layers.dense({ units: one(), inputShape: [3] })] });`,
      'a.ts': "import { two } from './b';\nexport const one = () => two() + base;\nexport const base = 3;\n",
      'b.ts': "import { base } from './a';\nexport const two = () => base;\n",
    };
    const reading = readAll(texts, 'main.ts');
    expect(() => makePlan(reading)).toThrow(/need each other in a circle/);
  });
});

describe('training options in TensorFlow.js', () => {
  it('say the batch size of the first fit, where it is a number', () => {
    const text = (size: string): string => `${HEAD}const SIZE = 48;
const model = tf.sequential({ layers: [tf.layers.dense({ units: 3, inputShape: [2] })] });
model.compile({ loss: 'meanSquaredError', optimizer: 'sgd' });
await model.fit(xs, ys, { epochs: 3, batchSize: ${size} });`;
    const options = (size: string): unknown =>
      makePlan(readAll({ 'a.ts': text(size) }, 'a.ts')).sourceOptions;
    expect(options('32')).toEqual({ batchSize: '32' });
    expect(options('SIZE')).toEqual({ batchSize: '48' });
    expect(options('read()')).toEqual({});
  });
});
