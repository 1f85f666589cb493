import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ShrinkError } from '../../src/core/errors';
import { makePlan } from '../../src/language';
import { read } from '../language/support/parsers';

/** Hint lines per language; `SHRINKNETS_FUZZ=1000000` reads more. */
const LINES = Number(process.env['SHRINKNETS_FUZZ'] ?? 3000);
/** Layers in one source, each under a line of its own. */
const LINES_PER_FILE = 50;

const WORDS = [
  '@shrink',
  '@shrink-model',
  '@shrink-learned',
  '@shrink-',
  '@shrinking',
  'off',
  'min=3',
  'max=24',
  'multiple=8',
  'lambda=0.5',
  'lambda=-1',
  'lambda=1e999',
  'min=0x10',
  'min=9007199254740993',
  'max=1.5',
  'min=',
  '=3',
  'min==3',
  'budget=50%,25%',
  'data="a b.csv"',
  'data="',
  'epochs=-1',
  'was=64',
  'run=last',
  '-- a reason',
  '--',
  '__proto__=1',
  'constructor=1',
  'toString',
  '\u202e',
  '😀',
  '\u0000',
  '*/',
  '"',
  '\t',
];
const words = fc.array(fc.oneof(fc.constantFrom(...WORDS), fc.string({ maxLength: 12 })), { maxLength: 6 });
const good = fc.constantFrom('@shrink min=4 max=24 multiple=4 lambda=0.5 -- why', '@shrink off', '@shrink');

/** Good hints with characters cut out, put in and doubled, and words in any order. */
const line = fc.oneof(
  fc.tuple(good, fc.nat(60), fc.nat(8), fc.string({ maxLength: 4 })).map(([text, at, length, more]) => {
    return text.slice(0, at) + more + text.slice(at + length);
  }),
  fc.tuple(fc.constantFrom('@shrink', '@shrink-model'), words).map(([tag, rest]) => [tag, ...rest].join(' ')),
  words.map((parts) => parts.join(' ')),
);
/** What would end the comment, and the line, belongs to another test. */
const oneLine = line.map((text) => text.replaceAll(/[\n\r\u2028\u2029]|\*\//g, ' '));

const LANGUAGES = [
  {
    file: '/project/model.ts',
    head: "import * as tf from '@tensorflow/tfjs';\nconst model = tf.sequential();\n",
    layer: (hint: string, index: number) =>
      `${index % 3 === 0 ? `/* ${hint} */` : `// ${hint}`}\nmodel.add(tf.layers.dense({ units: ${index + 8}, inputShape: [8] }));\n`,
  },
  {
    file: '/project/model.py',
    head: 'from tensorflow import keras\nfrom tensorflow.keras import layers\nmodel = keras.Sequential()\nmodel.add(keras.Input(shape=(8,)))\n',
    layer: (hint: string, index: number) => `# ${hint}\nmodel.add(layers.Dense(${index + 8}))\n`,
  },
];

describe.each(LANGUAGES)('fuzzed hints in $file', { timeout: 60_000 + LINES }, ({ file, head, layer }) => {
  it(`are read as limits that hold together, or named as problems: ${LINES} lines`, () => {
    let sites = 0;
    fc.assert(
      fc.property(fc.array(oneLine, { minLength: LINES_PER_FILE, maxLength: LINES_PER_FILE }), (hints) => {
        const text = head + hints.map(layer).join('');
        const reading = read(text, file);
        expect(reading.text).toBe(text);
        for (const problem of reading.problems) {
          expect(problem.code).not.toBe('cannot-read');
          expect(problem.message.length).toBeGreaterThan(0);
          expect(problem.range.start).toBeLessThanOrEqual(problem.range.end);
          expect(problem.range.end).toBeLessThanOrEqual(text.length);
        }
        for (const site of reading.models.flatMap((model) => model.sites)) {
          sites += 1;
          const { lambda = 0, min = 1, max = Infinity, multiple = 1 } = site.hint ?? {};
          expect(lambda >= 0 && Number.isFinite(lambda)).toBe(true);
          for (const count of [min, multiple]) expect(Number.isInteger(count) && count >= 1).toBe(true);
          if (max < min)
            expect(reading.problems.some((problem) => problem.code === 'min-over-max')).toBe(true);
        }
        try {
          for (const model of reading.models) makePlan(reading, model.name);
        } catch (error) {
          expect(error).toBeInstanceOf(ShrinkError);
        }
      }),
      { numRuns: Math.ceil(LINES / LINES_PER_FILE) },
    );
    // The layers themselves are read, whatever stands above them.
    expect(sites).toBeGreaterThan(LINES / 2);
  });
});
