import { describe, expect, it } from 'vitest';
import { applyEdits, followSource, makePlan } from '../../src/language';
import { parsers, read } from './support/parsers';

/** A model with `⟦hint⟧` above its first layer. */
function withHint(hint: string): string {
  return `import * as tf from '@tensorflow/tfjs';
const model = tf.sequential();
${hint}
model.add(tf.layers.dense({ units: 64, inputShape: [3] }));
model.add(tf.layers.dense({ units: 10 }));
`;
}

function hintOf(comment: string): unknown {
  const reading = read(withHint(comment));
  expect(reading.problems).toEqual([]);
  return reading.models[0]?.sites[0]?.hint;
}

/** The problems of a text as `code: offending words`. */
function problemsOf(text: string, file?: string): string[] {
  return read(text, file).problems.map(
    (problem) => `${problem.code}: ${text.slice(problem.range.start, problem.range.end)}`,
  );
}

/** A text after the quick fixes of its problems. */
function fixed(text: string): string {
  const fixes = read(text).problems.flatMap((problem) => problem.fix?.edits ?? []);
  return applyEdits(text, fixes);
}

describe('hints above a layer', () => {
  it.each([
    ['// @shrink', {}],
    ['//@shrink', {}],
    ['/* @shrink */', {}],
    ['/**\n * @shrink min=4\n */', { min: 4 }],
    ['// @shrink lambda=1e-4 min=8 multiple=8', { lambda: 1e-4, min: 8, multiple: 8 }],
    ['// @shrink max="32"', { max: 32 }],
    ['// @shrink off -- logits: one per class', { off: true }],
    ['// @shrink -- min=3 is text here', {}],
    ['// @shrink-learned 37 was=512 run=20261122-1\n// @shrink min=2', { min: 2 }],
  ])('reads %s', (comment, hint) => {
    expect(hintOf(comment)).toEqual(hint);
  });

  it.each(['// @shrinking', '// see @shrink', '// @shrink: no', '// "@shrink"'])(
    'is not in %s',
    (comment) => {
      expect(read(withHint(comment)).hints).toEqual([]);
      expect(problemsOf(withHint(comment))).toEqual([]);
    },
  );

  it.each([
    ['// @shrink lamda=1', 'unknown-key: lamda'],
    ['// @shrink of', 'unknown-word: of'],
    ['// @shrink lambda=-1', 'bad-value: -1'],
    ['// @shrink min=0', 'bad-value: 0'],
    ['// @shrink min=2.5', 'bad-value: 2.5'],
    ['// @shrink min=', 'bad-value: '],
    ['// @shrink min=65', 'min-over-width: min=65'],
    ['// @shrink multiple=65', 'multiple-over-width: multiple=65'],
    ['// @shrink min=9 max=8', 'min-over-max: min=9'],
    ['// @shrink min=5 max=7 multiple=8', 'no-multiple: multiple=8'],
    ['// @shrink min=40 multiple=33', 'no-multiple: multiple=33'],
    ['// @shrink min=1 min=2', 'duplicate-key: min=2'],
    ['// @shrink max="3', 'unclosed-value: max="3'],
    ['// @shrink-modle budget=1%', 'unknown-tag: @shrink-modle'],
    ['// @shrink\n// @shrink min=3', 'duplicate-hint: @shrink min=3'],
    ['// @shrink-model budgt=1%', 'unknown-key: budgt'],
    ['// @shrink-learned 37 wax=3', 'unknown-key: wax'],
  ])('says what is wrong with %s', (comment, problem) => {
    expect(problemsOf(withHint(comment))).toContain(problem);
  });

  it('proposes the key that was meant', () => {
    expect(fixed(withHint('// @shrink lamda=1'))).toBe(withHint('// @shrink lambda=1'));
    expect(fixed(withHint('// @shrink of'))).toBe(withHint('// @shrink off'));
    expect(read(withHint('// @shrink lamda=1')).problems[0]?.message).toContain('did you mean lambda?');
  });

  it('is refused without a layer under it, and can be removed', () => {
    const text =
      "import * as tf from '@tensorflow/tfjs';\nconst m = tf.sequential();\n// @shrink min=3\nconst x = 3;\n";
    expect(problemsOf(text)).toEqual(['hint-without-layer: @shrink min=3']);
    expect(fixed(text)).toBe(text.replace('// @shrink min=3\n', ''));
    expect(problemsOf(withHint('') + '// @shrink')).toEqual(['hint-without-layer: @shrink']);
  });

  it('is refused above a layer without a width, unless it is off', () => {
    const text = withHint('').replace('tf.layers.dense({ units: 64,', 'tf.layers.flatten({');
    expect(problemsOf(text.replace('\n\n', '\n// @shrink\n'))).toEqual(['layer-without-width: @shrink']);
    expect(problemsOf(text.replace('\n\n', '\n// @shrink off\n'))).toEqual([]);
  });

  it('may trail, and a quick fix moves it up', () => {
    const text = withHint('').replace('[3] }));', '[3] })); // @shrink min=2');
    expect(problemsOf(text)).toEqual(['trailing-hint: @shrink min=2']);
    expect(read(text).models[0]?.sites.map((site) => site.hint)).toEqual([{ min: 2 }, undefined]);
    expect(fixed(text)).toBe(withHint('\n// @shrink min=2'));
  });

  it('belongs to the layer it stands above, in lists, across lines and in loops', () => {
    const reading = read(`import { layers, sequential } from '@tensorflow/tfjs';
export const model = sequential({
  layers: [
    // @shrink min=1
    layers.conv2d({
      filters: 8, kernelSize: 3, inputShape: [9, 9, 1] }),
    layers.flatten(), // @shrink off
    // @shrink min=2
    // another comment

    layers.dense({ units: 7 }),
  ],
});
// @shrink min=3
for (const units of [5, 6]) {
  model.add(layers.dense({ units }));
}
model.add(
  // @shrink min=4
  layers.dense({ units: 9 }),
);`);
    expect(reading.models[0]?.sites.map((site) => site.hint)).toEqual([
      { min: 1 },
      { off: true },
      { min: 2 },
      // A site for each width that the loop gives.
      { min: 3 },
      { min: 3 },
      { min: 4 },
    ]);
  });

  it('asks for one line a layer when several stand under it', () => {
    const text = `import * as tf from '@tensorflow/tfjs';
// @shrink
const model = tf.sequential({ layers: [tf.layers.dense({ units: 3 }), tf.layers.dense({ units: 4 })] });`;
    expect(problemsOf(text)).toEqual(['ambiguous-hint: @shrink']);
  });

  it('sizes only hinted layers once a bare hint stands in the model', () => {
    expect(read(withHint('// @shrink')).models[0]?.onlyHinted).toBe(true);
    expect(read(withHint('// @shrink -- why')).models[0]?.onlyHinted).toBe(true);
    expect(read(withHint('// @shrink off')).models[0]?.onlyHinted).toBe(false);
    expect(read(withHint('// @shrink max=9')).models[0]?.onlyHinted).toBe(false);
  });
});

describe('hints above a model', () => {
  const FUNCTION = `import * as tf from '@tensorflow/tfjs';
// @shrink-model data=./mnist.mjs budget=10%,5% args=[784, {"a": "x y"}] maxDrop=1 -- why
export function createModel(inputs, options) {
  const model = tf.sequential();
  model.add(tf.layers.dense({ units: 8, inputShape: [inputs] }));
  return model;
}`;

  it('gives options as text, arguments as JSON', () => {
    const reading = read(FUNCTION);
    expect(reading.problems).toEqual([]);
    expect(reading.models[0]?.modelHint).toEqual({
      data: './mnist.mjs',
      budget: '10%,5%',
      args: '[784, {"a": "x y"}]',
      maxDrop: '1',
    });
  });

  it.each([
    ['maxDrop=1', 'maxDrop=200', 'bad-value: 200'],
    ['budget=10%,5%', 'budget=much', 'bad-value: much'],
    ['args=[784, {"a": "x y"}]', 'args=[784,]', 'bad-value: [784,]'],
    ['args=[784, {"a": "x y"}]', 'mode', 'missing-value: mode'],
  ])('says what is wrong when %s is %s', (good, bad, problem) => {
    expect(problemsOf(FUNCTION.replace(good, bad))).toEqual([problem]);
  });

  it('is refused where no model follows', () => {
    expect(problemsOf(`// @shrink-model budget=3%\nconst x = 1;\n${FUNCTION}`)).toEqual([
      'hint-without-model: @shrink-model budget=3%',
    ]);
  });

  it('stops a plan with the place of the word', () => {
    expect(() => makePlan(read(FUNCTION.replace('maxDrop', 'maxdrop')))).toThrow(
      '/project/model.ts:2:74: @shrink-model has no key "maxdrop"; did you mean maxDrop?',
    );
  });
});

describe('a file that is being edited', () => {
  it('is read again when it changed, and keeps its models while it is broken', () => {
    const source = followSource(parsers, '/project/model.ts');
    const text = withHint('// @shrink min=2');
    source.read(text);
    const broken = source.read(`${text}\nmodel.add(tf.layers.dense({ units: `);
    expect(broken.models[0]?.sites.slice(0, 2).map((site) => [site.width, site.hint])).toEqual([
      [64, { min: 2 }],
      [10, undefined],
    ]);
    expect(() => makePlan(broken)).toThrow(/syntax error/);
    source.close();
  });
});
