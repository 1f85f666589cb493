import { expect } from 'vitest';
import { applyEdits, chooseModel, invertEdits, planEdits, type LearnedWidths } from '../../../src/language';
import { read } from './parsers';

/**
 * Golden edits in one string: `⟦512→37⟧` marks a literal that becomes another. What stands between marks must stay as
 * it is, byte for byte. Widths are learned for every site whose width literal is marked.
 */
export function checkEdit(marked: string, file?: string): void {
  const before = marked.replaceAll(MARK, (_, old: string) => old);
  const after = marked.replaceAll(MARK, (_, _old: string, changed: string) => changed);
  const wanted = new Map(findMarks(marked).map((mark) => [mark.start, mark.width]));
  const reading = read(before, file);
  const model = chooseModel(reading);
  const learned: Record<number, number> = {};
  for (const site of model.sites) {
    const width = site.widthRange === undefined ? undefined : wanted.get(site.widthRange.start);
    if (width !== undefined) learned[site.id] = width;
  }
  const planned = planEdits(reading, undefined, learned);
  expect(planned.problems).toEqual([]);
  const edited = applyEdits(before, planned.edits);
  expect(edited).toBe(after);
  expect(planEdits(read(edited, file), undefined, learned)).toEqual({
    edits: [],
    elsewhere: [],
    problems: [],
  });
  expect(applyEdits(edited, invertEdits(before, planned.edits))).toBe(before);
}

/** Checks that the edit is refused with a problem of this code at the text in `⟦…⟧`. */
export function checkRefused(marked: string, code: string, learned: LearnedWidths, file?: string): void {
  const text = marked.replace(/⟦|⟧/g, '');
  const start = marked.indexOf('⟦');
  const end = marked.indexOf('⟧') - 1;
  const planned = planEdits(read(text, file), undefined, learned);
  expect(planned.edits).toEqual([]);
  expect(
    planned.problems.map((problem) => [problem.code, text.slice(problem.range.start, problem.range.end)]),
  ).toEqual([[code, text.slice(start, end)]]);
}

const MARK = /⟦(\w+)→(\w+)⟧/g;

function findMarks(marked: string): { start: number; width: number }[] {
  const marks: { start: number; width: number }[] = [];
  let removed = 0;
  for (const match of marked.matchAll(MARK)) {
    marks.push({ start: match.index - removed, width: Number(match[2]) });
    removed += match[0].length - (match[1] ?? '').length;
  }
  return marks;
}
