import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { applyEdits, hintCompletions, hintHover, invertEdits, makePlan, planEdits } from '../../src/language';
import { ShrinkError } from '../../src/core/errors';
import { goldenFiles } from './support/golden';
import { read } from './support/parsers';

/** How many sources are made for each property of files; `SHRINKNETS_FUZZ` says another number. */
const RUNS = Number(process.env['SHRINKNETS_FUZZ'] ?? 1000);

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

/** What has numbers and names like those of layers, and is none. */
const DECORATED = `@sealed({ units: 64 })
class Ünits {
  @log('units: 64') units = 64;
  describe(): string {
    return \`units: \${this.units} 64\`;
  }
}
`;

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
  const text = `import * as tf from '@tensorflow/tfjs';\n${DECORATED}${constants.join('\n')}\n${body}\n`;
  return text.replaceAll('\n', lineBreak);
}

interface PythonLayer {
  readonly width: number;
  readonly constant: boolean;
  readonly pieces: readonly string[];
  readonly trailingComma: boolean;
  readonly named: boolean;
}

const pythonLayer: fc.Arbitrary<PythonLayer> = fc.record({
  width,
  constant: fc.boolean(),
  pieces: fc.array(fc.constantFrom('', ' ', '\t', '  # 64 ü😀 Linear(8)\n        ', '\n\n        '), {
    minLength: 4,
    maxLength: 4,
  }),
  trailingComma: fc.boolean(),
  named: fc.boolean(),
});

/** Python source in which every width literal, and what must follow it, is marked as `⟦i:width⟧`. */
function writeScript(layers: readonly PythonLayer[], style: string): string {
  const isKeras = style === 'keras';
  const mark = (index: number): string => {
    const layer = layers[index];
    return layer?.constant === true ? `W${index}` : `⟦${index}:${layer?.width ?? 0}⟧`;
  };
  const constants = layers.map((layer, index) =>
    layer.constant ? `W${index} = ⟦${index}:${layer.width}⟧  # ${layer.width}` : '',
  );
  const calls = layers.map(({ pieces: [a = '', b = '', c = '', d = ''], trailingComma, named }, index) => {
    const comma = trailingComma ? ',' : '';
    if (isKeras)
      return `layers.Dense(${a}${named ? 'units=' : ''}${mark(index)}${b}, activation=f'{"re" + "lu"}'${c}${comma})`;
    const before = index === 0 ? '9' : mark(index - 1);
    const [from, to] = named ? ['in_features=', 'out_features='] : ['', ''];
    return `nn.Linear(${a}${from}${before}${b},${c}${to}${mark(index)}${d}${comma})`;
  });
  const head = isKeras
    ? 'import keras\nfrom keras import layers'
    : 'import functools\nimport torch\nfrom torch import nn';
  const decorated = `@functools.lru_cache(maxsize=64)\ndef helper(x=64):\n    """Dense(64) 😀"""\n    return f'{x:64}'\n`;
  const list = calls.join(', ');
  const whole = isKeras ? `keras.Sequential([keras.Input((9,)), ${list}])` : `nn.Sequential(${list})`;
  const body =
    style === 'class'
      ? [
          '@torch.no_grad',
          'class Net(nn.Module):  # 64',
          '    def __init__(self):',
          '        super().__init__()',
          ...calls.map((call, index) => `        self.fc${index} = ${call}`),
          '    def forward(self, x):',
          ...calls.map((_, index) => `        x = self.fc${index}(x)`),
          '        return x',
        ].join('\n')
      : `model = ${whole}`;
  return `${head}\n${constants.join('\n')}\n\n${isKeras ? '' : decorated}\n${body}\n`;
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
          const again = read(after);
          expect(again.problems).toEqual([]);
          expect(again.models[0]?.sites.map((site) => site.width)).toEqual(entries.map((entry) => entry[1]));
          expect(planEdits(again, undefined, learned).edits).toEqual([]);
          expect(applyEdits(after, invertEdits(before, planned.edits))).toBe(before);
        },
      ),
      { numRuns: RUNS },
    );
  });

  it('do so in Python as well', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(pythonLayer, width), { minLength: 2, maxLength: 5 }),
        fc.constantFrom('\n', '\r\n'),
        fc.constantFrom('sequential', 'class', 'keras'),
        (entries, lineBreak, style) => {
          const marked = writeScript(
            entries.map((entry) => entry[0]),
            style,
          ).replaceAll('\n', lineBreak);
          const fill = (choose: (index: number, old: string) => string): string =>
            marked.replace(/⟦(\d+):(\d+)⟧/g, (_, index: string, old: string) => choose(Number(index), old));
          const before = fill((_, old) => old);
          const after = fill((index) => String(entries[index]?.[1]));
          const file = '/project/model.py';
          const reading = read(before, file);
          expect(reading.problems).toEqual([]);
          const model = reading.models.find((candidate) => candidate.partOf.length === 0);
          const sites = model?.sites.filter((site) => site.width !== undefined) ?? [];
          expect(sites).toHaveLength(entries.length);
          const learned = Object.fromEntries(sites.map((site, index) => [site.id, entries[index]?.[1] ?? 1]));
          const planned = planEdits(reading, model?.name, learned);
          expect(planned.problems).toEqual([]);
          expect(applyEdits(before, planned.edits)).toBe(after);
          const again = read(after, file);
          expect(planEdits(again, model?.name, learned).edits).toEqual([]);
          const { program } = makePlan(again, model?.name);
          const made = program.kind === 'topology' ? program.topology.config.layers : [];
          expect(made.flatMap(({ config }) => (config['units'] as number | undefined) ?? [])).toEqual(
            entries.map((entry) => entry[1]),
          );
          expect(applyEdits(after, invertEdits(before, planned.edits))).toBe(before);
        },
      ),
      { numRuns: RUNS },
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
      { numRuns: RUNS },
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
