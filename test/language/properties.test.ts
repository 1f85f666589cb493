import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { applyEdits, hintCompletions, hintHover, invertEdits, makePlan, planEdits } from '../../src/language';
import { ShrinkError } from '../../src/core/errors';
import { goldenFiles } from './support/golden';
import { read } from './support/parsers';

/** Odd text that may stand between two tokens. */
const space = fc.constantFrom(
  ' ',
  '',
  '\t',
  '\n',
  '/* 64 ü😀 */',
  ' // units: 512\n',
  '\n\n  ',
  '/* @shrinking */',
);
const width = fc.integer({ min: 1, max: 4096 });

interface GeneratedLayer {
  readonly width: number;
  readonly constant: boolean;
  readonly pieces: readonly string[];
  readonly trailingComma: boolean;
  readonly activation: string;
}

const layer: fc.Arbitrary<GeneratedLayer> = fc.record({
  width,
  constant: fc.boolean(),
  pieces: fc.array(space, { minLength: 5, maxLength: 5 }),
  trailingComma: fc.boolean(),
  activation: fc.constantFrom("'relu'", '`re${"lu"}`', '"relu"', '`linear`'),
});

/** Source text in which every width literal is marked as `⟦i:width⟧`. */
function write(layers: readonly GeneratedLayer[], lineBreak: string, listStyle: boolean): string {
  const constants = layers.map((item, index) =>
    item.constant ? `const W${index}${item.pieces[0] ?? ''}= ⟦${index}:${item.width}⟧; // ${item.width}` : '',
  );
  const calls = layers.map((item, index) => {
    const [a, b, c, d, e] = item.pieces;
    const value = item.constant ? `W${index}` : `⟦${index}:${item.width}⟧`;
    const units = index % 2 === 0 ? `units${a}:${b}${value}${c}` : `"units":${b}${value}${c}`;
    const comma = item.trailingComma ? ',' : '';
    return `tf.layers.dense(${d}{${units},activation: ${item.activation}${comma}${e}}${comma})`;
  });
  const body = listStyle
    ? `const model = tf.sequential({layers:[\n${calls.join(',\n')}\n]});`
    : ['const model = tf.sequential();', ...calls.map((call) => `model.add(${call});`)].join('\n');
  const text = `import * as tf from '@tensorflow/tfjs';\n${constants.join('\n')}\n${body}\n`;
  return text.replaceAll('\n', lineBreak);
}

describe('edits, as properties', () => {
  it('change the width literals and nothing else, once, and can be undone', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(layer, width), { minLength: 1, maxLength: 5 }),
        fc.constantFrom('\n', '\r\n'),
        fc.boolean(),
        (entries, lineBreak, listStyle) => {
          const marked = write(
            entries.map((entry) => entry[0]),
            lineBreak,
            listStyle,
          );
          const fill = (choose: (index: number, old: string) => string): string =>
            marked.replace(/⟦(\d+):(\d+)⟧/g, (_, index: string, old: string) => choose(Number(index), old));
          const before = fill((_, old) => old);
          const after = fill((index) => String(entries[index]?.[1]));
          const learned = Object.fromEntries(entries.map((entry, index) => [index, entry[1]]));
          const planned = planEdits(read(before), undefined, learned);
          expect(planned.problems).toEqual([]);
          expect(applyEdits(before, planned.edits)).toBe(after);
          expect(planEdits(read(after), undefined, learned).edits).toEqual([]);
          expect(applyEdits(after, invertEdits(before, planned.edits))).toBe(before);
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe('reading, as properties', () => {
  const word = fc.constantFrom(
    ...[
      '@shrink',
      '@shrink-model',
      '@shrink-learned',
      'off',
      'min=',
      'min=3',
      'lambda=x',
      '--',
      '"',
      '[',
      ']',
      '//',
    ],
    ...[
      '/*',
      '*/',
      '#',
      '\n',
      'tf.layers.dense({',
      'units',
      '})',
      'model',
      '=',
      '(',
      '${',
      '`',
      'class',
      'é',
      '\0',
    ],
  );

  /** A golden file with pieces cut out, doubled, or replaced by other text. */
  const mutated = fc
    .tuple(
      fc.constantFrom(...goldenFiles()),
      fc.array(
        fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(40), fc.array(word, { maxLength: 4 })),
        {
          minLength: 1,
          maxLength: 6,
        },
      ),
    )
    .map(([golden, changes]) => {
      let text = golden.text;
      for (const [place, length, words] of changes) {
        const at = Math.floor(place * text.length);
        text = text.slice(0, at) + words.join(' ') + text.slice(at + length);
      }
      return { file: golden.file, text };
    });

  it('never throws on a damaged file, and every range lies in the text', () => {
    fc.assert(
      fc.property(mutated, fc.nat(), ({ file, text }, at) => {
        const reading = read(text, file);
        expect(reading.problems.filter((problem) => problem.code === 'cannot-read')).toEqual([]);
        const ranges = [
          ...reading.problems.map((problem) => problem.range),
          ...reading.problems.flatMap((problem) => problem.fix?.edits.map((edit) => edit.range) ?? []),
          ...reading.models.flatMap((model) => [model.range, ...model.sites.map((site) => site.range)]),
        ];
        for (const range of ranges) {
          expect(range.start).toBeGreaterThanOrEqual(0);
          expect(range.end).toBeGreaterThanOrEqual(range.start);
          expect(range.end).toBeLessThanOrEqual(text.length);
        }
        hintCompletions(reading, at % (text.length + 1));
        hintHover(reading, at % (text.length + 1));
        for (const model of reading.models) planOrRefuse(() => makePlan(reading, model.name));
      }),
      { numRuns: 400 },
    );
  });

  it('never throws on any text at all', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary' }),
        fc.constantFrom('.ts', '.js', '.tsx', '.py', '.txt'),
        (text, extension) => {
          expect(read(text, `/project/x${extension}`).text).toBe(text);
        },
      ),
      { numRuns: 300 },
    );
  });
});

function planOrRefuse(make: () => unknown): void {
  try {
    make();
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(ShrinkError);
  }
}
