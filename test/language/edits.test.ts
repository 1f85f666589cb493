import { describe, expect, it } from 'vitest';
import { planEdits } from '../../src/language';
import { checkEdit, checkRefused } from './support/checkEdit';
import { read } from './support/parsers';

const HEAD = "import * as tf from '@tensorflow/tfjs';\n";

describe('edits of TensorFlow.js sources', () => {
  it('changes the literals of a sequential model', () => {
    checkEdit(`${HEAD}const model = tf.sequential();
model.add(tf.layers.dense({ units: ⟦512→37⟧, inputShape: [512] })); // 512 stays
model.add(tf.layers.dense({ activation: 'relu', units: ⟦512→41⟧ }));
model.add(tf.layers.dense({ units: 10 }));`);
  });

  it('keeps CRLF, tabs, trailing commas, comments in the middle and non-ASCII text', () => {
    checkEdit(
      `${HEAD}/* größe 😀 */ const model = tf.sequential({\n\tlayers: [\n\t\ttf.layers.conv2d({ filters: /* was 64 */ ⟦64→7⟧, kernelSize: 3, inputShape: [28, 28, 1], }),\n\t\ttf.layers.flatten(),\n\t\ttf.layers.dense({units:⟦1_024→9⟧,}),\n\t],\n});\n`.replaceAll(
        '\n',
        '\r\n',
      ),
    );
  });

  it('edits a constant at its declaration', () => {
    checkEdit(`${HEAD}const HIDDEN = ⟦512→30⟧;
const config = { dense: { units: 3 }, wide: ⟦256→20⟧ as number };
const model = tf.sequential({ layers: [
  tf.layers.dense({ units: HIDDEN, inputShape: [4] }),
  tf.layers.dense({ units: config.wide }),
] });`);
  });

  it('edits a constant that two layers share when both learned the same', () => {
    const text = `${HEAD}const HIDDEN = 512;
const model = tf.sequential();
model.add(tf.layers.dense({ units: HIDDEN, inputShape: [4] }));
model.add(tf.layers.dense({ units: HIDDEN }));`;
    expect(planEdits(read(text), undefined, { 0: 30, 1: 30 }).edits).toEqual([
      { range: { start: text.indexOf('512'), end: text.indexOf('512') + 3 }, text: '30' },
    ]);
    checkRefused(text.replace('512', '⟦512⟧'), 'shared-literal', { 0: 30, 1: 31 });
    checkRefused(text.replace('512', '⟦512⟧'), 'shared-literal', { 0: 30 });
  });

  it('refuses a constant that something else reads too', () => {
    checkRefused(
      `${HEAD}const SIZE = ⟦512⟧;
const model = tf.sequential();
model.add(tf.layers.dense({ units: SIZE, inputShape: [SIZE] }));`,
      'shared-literal',
      { 0: 30 },
    );
  });

  it('edits what is spread into several layers, whatever overrides it elsewhere', () => {
    const text = `${HEAD}const conv = { filters: 8, kernelSize: 1 };
const model = tf.sequential({ layers: [
  tf.layers.conv2d({ ...conv, inputShape: [4, 4, 1] }),
  tf.layers.conv2d({ ...conv }),
  tf.layers.conv2d({ ...conv, filters: 16 }),
  tf.layers.conv2d({ filters: 3, ...conv }),
] });`;
    expect(read(text).models[0]?.sites.map(({ width }) => width)).toEqual([8, 8, 16, 8]);
    const planned = planEdits(read(text), undefined, { 0: 5, 1: 5, 2: 9, 3: 5 });
    expect(planned.problems).toEqual([]);
    expect(planned.edits.map((edit) => [text.slice(edit.range.start, edit.range.end), edit.text])).toEqual([
      ['8', '5'],
      ['16', '9'],
    ]);
  });

  it('sees of an object of functions only the layers of the one that is called', () => {
    const { models } = read(`${HEAD}const S = 5;
const nets = {
  part: () => tf.layers.dense({ units: 7 }),
  small: () => tf.sequential({ layers: [tf.layers.dense({ units: S, inputShape: [4] }), nets.part()] }),
  big() { const m = tf.sequential(); m.add(tf.layers.dense({ units: 9, inputShape: [4] })); return m; },
};`);
    expect(models.map(({ name, sites }) => [name, sites.map(({ width }) => width)])).toEqual([
      ['nets.small', [7, 5]],
      ['nets.big', [9]],
    ]);
  });

  it('refuses computed widths, with the range of what computes them', () => {
    checkRefused(
      `${HEAD}const base = 8;
const model = tf.sequential();
model.add(tf.layers.dense({ units: ⟦base * 2⟧, inputShape: [3] }));`,
      'computed-width',
      { 0: 5 },
    );
  });

  it('edits what helpers, loops and lists give, one width each', () => {
    checkEdit(`${HEAD}function conv(x: tf.SymbolicTensor, filters: number, { kernel = 3, act = 'relu' } = {}) {
  return tf.layers.conv2d({ filters, kernelSize: kernel, activation: act }).apply(x) as tf.SymbolicTensor;
}
const block = (x: tf.SymbolicTensor, widths: number[]) => conv(conv(x, widths[0]), widths[1], { act: 'tanh' });
const LAYERS = [{ units: ⟦64→9⟧ }, { units: ⟦32→8⟧, rate: 32 }];
export function build(first = ⟦16→2⟧) {
  const input = tf.input({ shape: [28, 28, 1] });
  let x = conv(conv(input, first), ⟦16→3⟧ /* 16 */, {});
  x = block(x, [⟦16→4⟧, ⟦24→5⟧]);
  x = tf.layers.flatten().apply(x) as tf.SymbolicTensor;
  for (const { units } of LAYERS) x = tf.layers.dense({ units }).apply(x) as tf.SymbolicTensor;
  [⟦12→6⟧, ⟦12→7⟧].forEach((units) => { x = tf.layers.dense({ units }).apply(x) as tf.SymbolicTensor; });
  const sizes = [⟦10→11⟧, ⟦10→12⟧] as const;
  for (let i = 0; i < sizes.length; i++) x = tf.layers.dense({ ...{ units: sizes[i] } }).apply(x) as tf.SymbolicTensor;
  return tf.model({ inputs: input, outputs: x });
}`);
  });

  it('edits what a class gives its helper method', () => {
    checkEdit(`${HEAD}export class Net {
  private readonly last = ⟦5→4⟧;
  private dense(units: number) { return tf.layers.dense({ units, inputShape: [4] }); }
  build() { return tf.sequential({ layers: [this.dense(⟦9→3⟧), this.dense(⟦9→2⟧), this.dense(this.last)] }); }
}`);
  });

  it.each([
    ['a helper that is handed around', 'const all = [dense];', 'comes from the parameter units'],
    ['a list that is changed', 'widths.push(3);', 'comes from the parameter units'],
  ])('refuses the width from %s', (_, more, reason) => {
    const text = `${HEAD}const dense = (units: number) => tf.layers.dense({ units, inputShape: [4] });
const widths = [5, 6];
${more}
const model = tf.sequential();
for (const width of widths) model.add(dense(width));`;
    const planned = planEdits(read(text), undefined, { 0: 3 });
    expect(planned.problems.map(({ message }) => message).join()).toContain(reason);
  });

  it('refuses one call whose layers learned different widths', () => {
    checkRefused(
      `${HEAD}const model = tf.sequential();
for (let i = 0; i < 3; i++) model.add(⟦tf.layers.dense({ units: 16, inputShape: [3] })⟧);`,
      'width-conflict',
      { 0: { conflict: [3, 5] } },
    );
  });

  it('refuses a site that is not there', () => {
    const planned = planEdits(read(`${HEAD}const model = tf.sequential();`), undefined, { 4: 3 });
    expect(planned.problems.map((problem) => problem.code)).toEqual(['unknown-site']);
    expect(planned.edits).toEqual([]);
  });
});
