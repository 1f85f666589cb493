import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeProject, mnistModule, runCli } from '../support/cli';

/** Bad input: one clear line that says what, where and what to do; exit code 2; nothing written. */

const model = (body: string, hint = 'data=./data.mjs epochs=1 finish=0'): string => `
import * as tf from '@tensorflow/tfjs';
// @shrink-model ${hint}
export function build() {
  const model = tf.sequential();
  ${body}
  return model;
}
`;
const DENSE = `model.add(tf.layers.dense({ inputShape: [784], units: 16, activation: 'relu' }));
  model.add(tf.layers.dense({ units: 10, activation: 'softmax' }));`;

const FILES = {
  'data.mjs': mnistModule(300, 100),
  'good.ts': model(DENSE),
  'broken.ts': model(DENSE.replace('units: 16,', 'units: 16 activation')),
  'none.ts': `export const answer = 42;\n`,
  'several.ts': `${model(DENSE)}
export function other() {
  const model = tf.sequential();
  ${DENSE}
  return model;
}
`,
  'throws.ts': model(`if (Number('1') === 1) throw new Error('the shop is closed');\n  ${DENSE}`),
  'noData.ts': model(DENSE, 'epochs=1'),
  'missingData.ts': model(DENSE, 'data=./nowhere.mjs'),
  'shape.ts': model(DENSE.replace('[784]', '[100]')),
  'nan.mjs': `export const train = { x: [[1, 2], [3, NaN], [5, 6]], y: [0, 1, 0] };\n`,
  'nan.ts': model(DENSE.replace('[784]', '[2]').replace('units: 10', 'units: 2'), 'data=./nan.mjs'),
  'fewer.ts': model(DENSE.replace('units: 10', 'units: 12')),
  'more.ts': model(DENSE.replace('units: 10', 'units: 4')),
  'unknownKey.ts': model(DENSE.replace('model.add', '// @shrink lamda=1e-3\n  model.add')),
  'badLambda.ts': model(DENSE, 'data=./data.mjs mode=lambda lambda=-1'),
  'notANumber.ts': model(DENSE, 'data=./data.mjs mode=lambda lambda=strong'),
  'lambdaLayer.ts': `
import * as tf from '@tensorflow/tfjs';
class Twice extends tf.layers.Layer {
  static get className() { return 'Twice'; }
  call(x: tf.Tensor[]) { return tf.mul(x[0]!, 2); }
}
// @shrink-model data=./data.mjs
export function build() {
  const model = tf.sequential();
  model.add(tf.layers.dense({ inputShape: [784], units: 16 }));
  model.add(new Twice());
  model.add(tf.layers.dense({ units: 10, activation: 'softmax' }));
  return model;
}
`,
} as const;

let project: { folder: string; remove: () => void };

beforeAll(() => {
  project = makeProject(FILES);
});
afterAll(() => project.remove());

const CASES: readonly [what: string, args: readonly string[], says: readonly RegExp[]][] = [
  ['no such file', ['nowhere.ts'], [/nowhere\.ts/, /does not exist/]],
  ['a syntax error', ['broken.ts'], [/broken\.ts:\d+:\d+/]],
  ['no model', ['none.ts'], [/none\.ts/, /no model/]],
  ['several models and none named', ['several.ts'], [/build, other/, /--model/]],
  ['a model that is not there', ['several.ts', '--model', 'third'], [/third/, /build, other/]],
  ['a model that throws', ['throws.ts'], [/throws\.ts/, /the shop is closed/]],
  ['no data named', ['noData.ts'], [/noData\.ts/, /@shrink-model data=/, /option or setting data/]],
  ['data that is missing', ['missingData.ts'], [/nowhere\.mjs/, /does not exist/]],
  ['data of another shape', ['shape.ts'], [/\[784\]/, /\[100\]/, /inputShape/]],
  ['data with NaN', ['nan.ts'], [/nan\.mjs/, /NaN/, /row 1/]],
  ['fewer labels than outputs', ['fewer.ts'], [/10 classes/, /12 outputs/]],
  ['more labels than outputs', ['more.ts'], [/4 outputs/, /widen/]],
  ['a hint with an unknown key', ['unknownKey.ts'], [/unknownKey\.ts:\d+:\d+/, /lamda/, /lambda/]],
  ['a negative λ in a hint', ['badLambda.ts'], [/lambda/, /-1/]],
  ['a λ that is no number', ['notANumber.ts'], [/lambda/, /strong/]],
  ['a negative λ as a flag', ['good.ts', '--lambda', '-1'], [/--lambda/, /at least 0/]],
  ['a flag that is no number', ['good.ts', '--epochs', 'many'], [/--epochs/, /whole number/]],
  ['a layer that cannot be followed', ['lambdaLayer.ts'], [/Twice/, /static shrinkRule/]],
  ['an engine that there is not', ['good.ts', '--engine', 'abacus'], [/abacus/, /wasm/]],
  ['a place that cannot be written', ['good.ts', '--out', '/proc/here'], [/\/proc\/here/]],
  ['an unknown flag', ['good.ts', '--speed', '9'], [/--speed/]],
];

describe('train refuses, in a line, and writes nothing', () => {
  it.each(CASES)('%s', async (_what, args, says) => {
    const before = snapshot(project.folder);
    const { code, stdout, stderr } = await runCli(['train', ...args], project.folder);
    expect(code).toBe(2);
    for (const pattern of says) expect(stderr).toMatch(pattern);
    expect(stderr).not.toMatch(/\n\s+at /);
    const lines = stderr
      .trim()
      .split('\n')
      .filter((line) => !line.startsWith('('));
    expect(lines).toHaveLength(1);
    expect(stdout).not.toContain('epoch');
    expect(snapshot(project.folder)).toEqual(before);
  });
});

/** Every file of a project with its content; runs that were left behind would show. */
function snapshot(folder: string): Record<string, string> {
  const entries = readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && !entry.parentPath.includes('node_modules'))
    .map((entry) => path.join(entry.parentPath, entry.name))
    // The folder for runs may stay; runs may not.
    .filter((file) => !file.endsWith('.gitignore'));
  return Object.fromEntries(
    entries.map((file) => [file, existsSync(file) ? readFileSync(file, 'utf8') : '']),
  );
}
