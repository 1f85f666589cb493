import '@tensorflow/tfjs-backend-cpu';
import { beforeAll, describe, expect, it } from 'vitest';
import * as tf from '../../src/engine/tf';
import { checkMade } from './support/checkMade';
import { read } from './support/parsers';

/** Models of members that are no plain methods: arrows in fields, static and private ones. */

beforeAll(async () => {
  tf.env().set('IS_TEST', true);
  await tf.setBackend('cpu');
});

const HEAD = "import * as tf from '@tensorflow/tfjs';\n";
const LAYERS = 'layers: [tf.layers.dense({ units: ⟦15→2⟧, inputShape: [4] }), tf.layers.dense({ units: 3 })]';

describe('a model', () => {
  it.each([
    [
      'that an arrow in a field returns',
      `class Net {
  createModel = () => {
    const model = tf.sequential();
    model.add(tf.layers.dense({ units: ⟦15→2⟧, inputShape: [4] }));
    model.add(tf.layers.dense({ units: 3 }));
    return model;
  };
}`,
    ],
    [
      'that an arrow in a field keeps',
      `class Net {
  element = document.body;
  init = async () => { this.model = tf.sequential({ ${LAYERS} }); this.show(); };
  show = () => { this.element.append('model'); };
}`,
    ],
    [
      'with layers of arrows in fields',
      `class Net {
  width = ⟦15→2⟧;
  first = (units) => tf.layers.dense({ units, inputShape: [4] });
  make = (units = this.width) => tf.sequential({ layers: [this.first(units), tf.layers.dense({ units: 3 })] });
}`,
    ],
    [
      'in a private field, from a private method',
      `export class Net {
  #model;
  #width = ⟦15→2⟧;
  constructor() { this.#build(); }
  #build() {
    this.#model = tf.sequential();
    this.#model.add(tf.layers.dense({ units: this.#width, inputShape: [4] }));
    this.#add(3);
  }
  #add(units) { this.#model.add(tf.layers.dense({ units })); }
  async train(x) { await this.#model.fit(x); }
}`,
    ],
    [
      'in a private field of a class without a name',
      `export default class { #model = null; #build(n = ⟦15→2⟧) { this.#model = tf.sequential({ ${LAYERS.replace('⟦15→2⟧', 'n')} }) } }`,
    ],
    [
      'of a private static method',
      `export class Net { static #build() { return tf.sequential({ ${LAYERS} }); } }`,
    ],
    [
      'of a method whose name is a text',
      `class Net { 'make it'() { return tf.sequential({ ${LAYERS} }); } }`,
    ],
    ['of a method whose name is computed', `class Net { ['make'] = () => tf.sequential({ ${LAYERS} }); }`],
    ['in a static field', `export class Net { static model = tf.sequential({ ${LAYERS} }); }`],
  ])('%s', async (_, code) => {
    await checkMade(HEAD + code, '15 3');
  });

  it('of an arrow in a field is named like one of a method', () => {
    const { models } = read(`${HEAD}class Net { make = () => tf.sequential({ layers: [] }); }`);
    expect(models.map((model) => model.name)).toEqual(['Net.make']);
  });
});
