import '@tensorflow/tfjs-backend-cpu';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { evaluatePlan } from '../../src/backend/userCode';
import * as tf from '../../src/engine/tf';
import { makePlan, readSource, type SourceFiles } from '../../src/language';
import { parsers, read } from './support/parsers';

/** Models that classes make, however the class is written. */

beforeAll(async () => {
  tf.env().set('IS_TEST', true);
  await tf.setBackend('cpu');
});

const HEAD = "import * as tf from '@tensorflow/tfjs';\n";

/** A class whose model reads `this`, with a member that cannot run outside of a page. */
function bodyOf(leaves: 'field' | 'return'): string {
  const [declared, end] = leaves === 'field' ? ['this.model', ''] : ['const model', 'return model;'];
  const model = leaves === 'field' ? 'this.model' : 'model';
  return `{
  element = document.body;
  constructor(inputs = 4) { this.inputs = inputs; }
  show() { this.element.append('model'); }
  build(units = 16) {
    ${declared} = tf.sequential();
    ${model}.add(tf.layers.dense({ units, inputShape: [this.inputs] }));
    ${model}.add(tf.layers.dense({ units: 3 }));
    ${end}
  }
}`;
}

const CALLED = '\nconst net = new Net(5);\nnet.build(17);\n';

/** What stands around the body, and the widths that its model then has. */
const forms: readonly (readonly [string, (body: string) => string, string])[] = [
  ['a declaration', (body) => `class Net ${body}${CALLED}`, 'Net 5 17 3'],
  ['a default export', (body) => `export default class Net ${body}${CALLED}`, 'Net 5 17 3'],
  ['a default export without a name', (body) => `export default class ${body}\n`, 'default 4 16 3'],
  ['a variable', (body) => `const Net = class ${body}${CALLED}`, 'Net 5 17 3'],
  [
    'a variable, with another name inside',
    (body) => `const Net = class Inner ${body}${CALLED}`,
    'Net 5 17 3',
  ],
  ['module.exports', (body) => `module.exports = class ${body};\n`, 'default 4 16 3'],
  ['module.exports with a name', (body) => `module.exports = class Net ${body};\n`, 'Net 4 16 3'],
  ['one of several exports', (body) => `exports.Net = class ${body};\n`, 'Net 4 16 3'],
  ['an object', (body) => `module.exports = { Net: class ${body} };\n`, 'Net 4 16 3'],
  ['an argument', (body) => `register(class Net ${body});\n`, 'Net 4 16 3'],
  ['what an arrow gives', (body) => `const mixin = () => class ${body};\n`, 'default 4 16 3'],
  [
    'an argument in what an arrow gives',
    (body) => `const put = () => register(class ${body});\n`,
    'default 4 16 3',
  ],
  ['a function', (body) => `function mixin() { return class ${body}; }\n`, 'default 4 16 3'],
  [
    'a class on top of one that is an expression',
    (body) =>
      `const Base = class ${body};\nclass Net extends Base {}\nconst net = new Base(6);\nnet.build(9);\n`,
    'Base 6 9 3',
  ],
];

async function widthsOf(text: string, files?: SourceFiles): Promise<string> {
  const reading = readSource(parsers, { file: path.join('/project', 'net.js'), text }, files);
  expect(reading.problems).toEqual([]);
  const [found, ...more] = reading.models;
  expect(more).toEqual([]);
  const { model, siteOf } = await evaluatePlan(makePlan(reading, found?.name));
  const widths = model.layers.map((layer) => (layer.getConfig() as { units?: number }).units);
  expect(Object.values(siteOf)).toEqual([0, 1]);
  return [found?.name.split('.')[0], model.inputs[0]?.shape[1], ...widths]
    .filter((part) => part !== undefined)
    .join(' ');
}

describe('a class', () => {
  for (const [name, form, expected] of forms)
    for (const leaves of ['field', 'return'] as const)
      it(`as ${name} has the model it ${leaves === 'field' ? 'keeps' : 'returns'}`, async () => {
        expect(await widthsOf(HEAD + form(bodyOf(leaves)))).toBe(expected);
      });

  it.each([
    'export default class',
    'export default class Inner',
    'module.exports = class',
    'module.exports = class Inner',
  ])('of another file is reached: %s', async (start) => {
    const at = (name: string): string => path.join('/project', name);
    const texts = new Map([[at('other.js'), `${HEAD}${start} ${bodyOf('field')}\n`]]);
    const files: SourceFiles = {
      resolve: (from, specifier) => path.join(path.dirname(from), `${specifier}.js`),
      read: (file) => texts.get(file),
    };
    const load = start.startsWith('module')
      ? "const Net = require('./other');"
      : "import Net from './other';";
    expect(await widthsOf(`${load}${CALLED}`, files)).toBe('Net 5 17 3');
  });

  it('that extends a class nobody names is refused when it is made, and the rest of the file is read', () => {
    const text = `${HEAD}const mixin = (Base) => class extends Base ${bodyOf('field')};
const other = tf.sequential({ layers: [tf.layers.dense({ units: 8, inputShape: [2] })] });
`;
    const reading = read(text);
    expect(reading.problems).toEqual([]);
    expect(reading.models.map((model) => model.name)).toEqual(['default.model', 'other']);
    expect(() => makePlan(reading, 'default.model')).toThrow(
      /model\.ts:2:16: the value of the parameter Base is not known/,
    );
    expect(makePlan(reading, 'other').sites).toHaveLength(1);
  });
});
