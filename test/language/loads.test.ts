import '@tensorflow/tfjs-backend-cpu';
import { beforeAll, describe, expect, it } from 'vitest';
import * as tf from '../../src/engine/tf';
import { checkMade, widthsOf } from './support/checkMade';
import { read } from './support/parsers';

/** Models that are loaded if they were saved before, and made if not. */

beforeAll(async () => {
  tf.env().set('IS_TEST', true);
  await tf.setBackend('cpu');
});

const HEAD = "import * as tf from '@tensorflow/tfjs';\n";
const LOAD = "await tf.loadLayersModel('indexeddb://net')";

/** Statements that make the model and give it to a target. */
const make = (target: string): string => `${target} = tf.sequential();
  ${target}.add(tf.layers.dense({ units: ⟦15→2⟧, inputShape: [4] }));
  ${target}.add(tf.layers.dense({ units: 3 }));`;

describe('a model that is loaded or else made is read as it is made', () => {
  it.each([
    [
      'a field, after try',
      `class Net { async init() { try { this.model = ${LOAD}; } catch { ${make('this.model')} } } }`,
    ],
    [
      'a variable of a function, after try',
      `async function run() {
  let model;
  try { model = ${LOAD}; model.summary(); } catch (error) { console.log(error); ${make('model')} }
  model.compile({ loss: 'meanSquaredError', optimizer: 'sgd' });
  await model.fit(document.data);
}`,
    ],
    ['if saved', `let model;\nif (localStorage.saved) { model = ${LOAD}; } else { ${make('model')} }`],
    ['if not saved', `let model;\nif (!localStorage.saved) { ${make('model')} } else model = ${LOAD};`],
    [
      'an early return',
      `async function get() { if (exists('net')) return ${LOAD}; ${make('const model').replaceAll('const model.', 'model.')} return model; }`,
    ],
    [
      'a return of try',
      `async function get() { try { return ${LOAD}; } catch { ${make('const model').replaceAll('const model.', 'model.')} return model; } }`,
    ],
    [
      'methods of its own for both',
      `class Net {
  async load() { this.model = ${LOAD}; }
  build() { ${make('this.model')} }
  async init() { try { await this.load(); } catch { this.build(); } }
}`,
    ],
    [
      'functions of its own for both',
      `const load = async () => tf.loadLayersModel('indexeddb://net');
function build() { ${make('const model').replaceAll('const model.', 'model.')} return model; }
async function main() { let model; try { model = await load(); } catch { model = build(); } await model.fit(data); }`,
    ],
    ['null where loading fails', `let model = ${LOAD}.catch(() => null);\nif (!model) { ${make('model')} }`],
    [
      'a choice',
      `const model = localStorage.saved ? ${LOAD} : tf.sequential({ layers: [tf.layers.dense({ units: ⟦15→2⟧, inputShape: [4] }), tf.layers.dense({ units: 3 })] });`,
    ],
  ])('%s', async (_, code) => {
    await checkMade(HEAD + code, '15 3', '/project/net.js');
  });

  it('keeps what is loaded to build on', async () => {
    const text = `${HEAD}let base;
try { base = ${LOAD}; } catch (error) { alert(error); }
const model = tf.model({ inputs: base.inputs, outputs: tf.layers.dense({ units: 3 }).apply(base.output) });`;
    expect(read(text).models.map(({ name, sites }) => [name, sites.length])).toEqual([['model', 1]]);
    await expect(widthsOf(text)).rejects.toMatchObject({ code: 'model-throws' });
  });
});
