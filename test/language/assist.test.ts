import { describe, expect, it } from 'vitest';
import { hintCompletions, hintHover } from '../../src/language';
import { read } from './support/parsers';

/** Labels proposed at `|`, and the text that choosing the first one gives. */
function completeAt(marked: string, file?: string): { labels: string[]; chosen: string | undefined } {
  const offset = marked.indexOf('|');
  const text = marked.replace('|', '');
  const items = hintCompletions(read(text, file), offset);
  const first = items[0];
  return {
    labels: items.map((item) => item.label),
    chosen:
      first === undefined
        ? undefined
        : text.slice(0, first.range.start) + first.text + text.slice(first.range.end),
  };
}

describe('completion in hints', () => {
  it('proposes tags in a comment that is empty or begins one', () => {
    expect(completeAt('// |')).toEqual({ labels: ['@shrink', '@shrink-model'], chosen: '// @shrink' });
    expect(completeAt('// @sh|').chosen).toBe('// @shrink');
    expect(completeAt('# @shrink|-mod\nx = 1', '/p/m.py').chosen).toBe('# @shrink\nx = 1');
  });

  it('proposes the keys that are not there yet', () => {
    expect(completeAt('// @shrink |').labels).toEqual(['off', 'lambda', 'min', 'max', 'multiple']);
    expect(completeAt('// @shrink min=3 |').labels).toEqual(['off', 'lambda', 'max', 'multiple']);
    expect(completeAt('// @shrink-model epochs=3 bud|').labels).not.toContain('epochs');
    expect(completeAt('/* @shrink o| */').chosen).toBe('/* @shrink off */');
  });

  it('proposes values', () => {
    expect(completeAt('// @shrink-model mode=|').labels).toEqual(['budget', 'lambda', 'original']);
    expect(completeAt('// @shrink-model cost=p|arams epochs=2').chosen).toBe(
      '// @shrink-model cost=params epochs=2',
    );
    expect(completeAt('// @shrink-model maxDrop=|').labels).toEqual(['0.5']);
  });

  it('is silent in code, in prose and after the reason begins', () => {
    for (const text of ['const x = |3;', '// some words |', '// @shrink -- because |', '"// @shrink |"'])
      expect(completeAt(text).labels).toEqual([]);
  });
});

describe('hover over hints', () => {
  const hover = (marked: string): readonly string[] | undefined =>
    hintHover(read(marked.replace('|', '')), marked.indexOf('|'))?.lines;

  it('says what tags, words and keys do, their default and unit', () => {
    expect(hover('// @shr|ink')?.[0]).toContain('is to be learned');
    expect(hover('// @shrink o|ff')?.[0]).toContain('alone');
    expect(hover('// @shrink mi|n=3')).toEqual([
      'Fewest channels that the layer keeps.',
      '`min` is a whole number at least 1 (channels). Default: 1.',
    ]);
    expect(hover('// @shrink-model maxDrop=|3')?.[1]).toBe(
      '`maxDrop` is a number at least 0 and at most 100 (percentage points). Default: 0.5.',
    );
  });

  it('has nothing to say elsewhere', () => {
    expect(hover('const x| = 3; // @shrink')).toBeUndefined();
    expect(hover('// @shrink nonsense|=3')).toBeUndefined();
  });
});
