import '@tensorflow/tfjs-backend-cpu';
import { beforeAll, describe, expect, it } from 'vitest';
import * as tf from '../../src/engine/tf';
import { makePlan } from '../../src/language';
import { checkMade, widthsOf } from './support/checkMade';
import { planOf, read } from './support/parsers';

/** Ways in which a file has TensorFlow.js, and values that only a hint can give. */

beforeAll(async () => {
  tf.env().set('IS_TEST', true);
  await tf.setBackend('cpu');
});

const LAYERS = 'layers: [tf.layers.dense({ units: ⟦15→2⟧, inputShape: [4] }), tf.layers.dense({ units: 3 })]';
const MODEL = `const model = tf.sequential({ ${LAYERS} });`;

describe('TensorFlow.js is found', () => {
  it.each([
    [
      'where the first of two packages may be missing',
      `let tf = null;\ntry { tf = require('@tensorflow/tfjs-node'); } catch { tf = require('@tensorflow/tfjs'); }\n${MODEL}`,
    ],
    [
      'by a choice',
      `const tf = process.env.GPU ? require('@tensorflow/tfjs-node-gpu') : require('@tensorflow/tfjs'), other = 1;\n${MODEL}`,
    ],
    ['in the window', `const tf = window.tf;\n${MODEL}`],
    ['at the window', MODEL.replaceAll('tf.', 'window.tf.')],
    [
      'in a variable with another name that is filled later',
      `let lib;\nasync function load() { lib = await import('@tensorflow/tfjs'); }\n${MODEL.replaceAll('tf.', 'lib.')}`,
    ],
    [
      'in a variable that a method fills',
      `let tf;\nclass Net { async init() { tf = await import('@tensorflow/tfjs'); } build() { ${MODEL} return model; } }`,
    ],
    ['in a parameter', `export function createModel(tf, unused) { ${MODEL} return model; }`],
    [
      'in a parameter of one function and as a global of another',
      `function other(tf) { return tf.zeros([1]); }\n${MODEL}`,
    ],
  ])('%s', async (_, code) => {
    await checkMade(code, '15 3', '/project/net.js');
  });
});

describe('args=', () => {
  const create = (parameters: string, used: string): string =>
    `export function create(${parameters}) { return tf.sequential({ layers: [tf.layers.dense({ units: 3, ${used} })] }); }`;

  it('leaves out the library', async () => {
    const text = `// @shrink-model args=[4, 5]\n${create('inputs, tf, units', 'inputShape: [inputs] }), tf.layers.dense({ units')}`;
    expect(await widthsOf(text)).toBe('3 5');
  });

  it('gives the constructor its values first, then the method', async () => {
    const text = `import * as tf from '@tensorflow/tfjs';
class Net {
  constructor(inputs) { this.inputs = inputs; }
  build(units, activation = 'relu') {
    return tf.sequential({ layers: [tf.layers.dense({ units, activation, inputShape: [this.inputs] })] });
  }
}`;
    expect(() => planOf(text)).toThrow('args=[784, 64] (inputs of the constructor, then units of build).');
    expect(await widthsOf(text.replace('class', '// @shrink-model args=[4, 9]\nclass'))).toBe('9');
  });

  it('gives all to the method where the source has the values of the constructor', async () => {
    const text = `import * as tf from '@tensorflow/tfjs';
// @shrink-model args=[9]
class Net {
  constructor(inputs) { this.inputs = inputs; }
  build(units) { return tf.sequential({ layers: [tf.layers.dense({ units, inputShape: [this.inputs] })] }); }
}
new Net(4);`;
    expect(await widthsOf(text)).toBe('9');
  });

  it.each([
    ['inputs: number', 'inputShape: [inputs]', '784'],
    ['units: number', 'units', '64'],
    ['numClasses', 'units: numClasses', '10'],
    ['shape: number[]', 'inputShape: shape', '[28, 28, 1]'],
    ['activation: string', 'activation', '"relu"'],
    ['useBias: boolean', 'useBias', 'true'],
    ['{ units, rate }: Options', 'units, r: rate', '{"units": 64, "rate": 0.1}'],
    [
      'config: Config',
      'units: config.hidden, activation: config.activation',
      '{"hidden": 64, "activation": "relu"}',
    ],
    ['inputs, depth = 2, units', 'inputShape: [inputs], units, depth', '784, 2, 64'],
  ])('is asked for with an example for (%s)', (parameters, used, values) => {
    const text = `import * as tf from '@tensorflow/tfjs';\n${create(parameters, used)}`;
    expect(() => makePlan(read(text))).toThrow(`e.g. // @shrink-model args=[${values}].`);
  });
});
