import '@tensorflow/tfjs-backend-cpu';
import { beforeAll, describe, expect, it } from 'vitest';
import * as tf from '../../src/engine/tf';
import { checkMade, widthsOf } from './support/checkMade';
import { read } from './support/parsers';

/** Models that are kept elsewhere than in a variable or a field, and those that are not read. */

beforeAll(async () => {
  tf.env().set('IS_TEST', true);
  await tf.setBackend('cpu');
});

const HEAD = "import * as tf from '@tensorflow/tfjs';\n";
const LAYERS = 'layers: [tf.layers.dense({ units: ⟦15→2⟧, inputShape: [4] }), tf.layers.dense({ units: 3 })]';
const MODEL = `tf.sequential({ ${LAYERS} })`;

/** Statements that make the model and give it to a target. */
const make = (target: string): string => `${target} = tf.sequential();
  ${target}.add(tf.layers.dense({ units: ⟦15→2⟧, inputShape: [4] }));
  ${target}.add(tf.layers.dense({ units: 3 }));`;

describe('a model is read', () => {
  it.each([
    [
      'in a ref of React',
      `function View() { const net = useRef(null); useEffect(() => { ${make('net.current')} }, []); return net; }`,
      'net',
    ],
    ['in a ref of Vue', `const net = ref();\nconst build = () => { ${make('net.value')} };`, 'net'],
    [
      'in an object that holds other things',
      `const state = { model: null };\nstate.chart = document.body;\nfunction init() { ${make('state.model')} }`,
      'state.model',
    ],
    [
      'where nothing was yet',
      `let cached;\nfunction get() { cached ??= ${MODEL}; return cached; }`,
      'cached',
    ],
    ['returned where nothing was yet', `let cached;\nconst get = () => (cached ??= ${MODEL});`, 'cached'],
    ['after ||', `let cached;\nfunction get() { cached = cached || ${MODEL}; return cached; }`, 'cached'],
    [
      'that a promise gives',
      `const get = () => new Promise((resolve) => { const rate = 0.1; resolve(${MODEL}); });`,
      'model',
    ],
    ['as an argument', `train(${MODEL});`, 'model'],
    ['under a key', `export function both() { return { small: ${MODEL}, more: document.body }; }`, 'small'],
    [
      'that is a class',
      `export class Net extends tf.Sequential { constructor() { super({ ${LAYERS} }); } show() { document.body.append('net'); } }`,
      'Net',
    ],
  ])('%s', async (_, code, name) => {
    const before = (HEAD + code).replaceAll('⟦15→2⟧', '15');
    expect(read(before, '/project/net.js').models.map((model) => model.name)).toEqual([name]);
    await checkMade(HEAD + code, '15 3', '/project/net.js');
  });

  it('for each key of a field', async () => {
    const text = `${HEAD}class Nets {
  models = {};
  build() {
    this.models.price = tf.sequential({ layers: [tf.layers.dense({ units: 5, inputShape: [4] })] });
    this.models.size = tf.sequential({ layers: [tf.layers.dense({ units: 7, inputShape: [4] })] });
  }
}`;
    const { models } = read(text);
    expect(models.map((model) => [model.name, model.sites.map((site) => site.width)])).toEqual([
      ['Nets.models.price', [5]],
      ['Nets.models.size', [7]],
    ]);
    expect(await widthsOf(text, 'Nets.models.size')).toBe('7');
  });

  it('only as a part where it is a layer of another', () => {
    const text = `${HEAD}const model = tf.sequential();\nmodel.add(${MODEL.replace('⟦15→2⟧', '15')});`;
    const { models, problems } = read(text);
    expect(models.map(({ name, sites }) => [name, sites.length])).toEqual([['model', 2]]);
    expect(problems).toEqual([]);
  });
});

describe('a model that is not read says so where it stands', () => {
  it.each([
    [
      'function Net() { this.model = ⟦tf.sequential⟧(); this.model.add(tf.layers.dense({ units: 5 })); }',
      'this.model belongs to no class here; write a class, or return the model from a function.',
    ],
    ['window.model = ⟦tf.sequential⟧();', 'window.model is not declared here; put it into a variable'],
    ['setup(⟦tf.sequential⟧());', 'nothing here keeps it or returns it; put it into a variable'],
    [
      'class Net { make() { return ⟦this.tf.sequential⟧(); } }',
      'where this.tf comes from is not followed; import it in this file',
    ],
    [
      'function fill(state) { state.model = ⟦tf.model⟧({ inputs, outputs }); }',
      'state.model is not declared here; put it into a variable',
    ],
  ])('%s', (marked, message) => {
    const code = HEAD + marked.replace(/[⟦⟧]/g, '');
    const { problems, models } = read(code, '/project/net.js');
    expect(models).toEqual([]);
    expect(problems).toMatchObject([
      { severity: 'warning', code: 'unread-model', message: expect.stringContaining(message) as string },
    ]);
    const [problem] = problems;
    expect(code.slice(problem?.range.start, problem?.range.end)).toBe(/⟦(.*)⟧/.exec(marked)?.[1]);
  });
});
