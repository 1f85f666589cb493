import type { Problem, Range } from '../../core/errors';
import type { Hint, HintTag, HintWord } from '../reading';
import { piecewise, type Syntax } from '../syntax';
import { findNearest } from './hintKeys';

const comments = piecewise((nodes) => nodes.filter((node) => node.type === 'comment'));

const TAGS: readonly HintTag[] = ['@shrink', '@shrink-model', '@shrink-learned'];

/** Finds and reads every `@shrink…` comment of a tree. */
export function parseHints(root: Syntax, text: string): { hints: Hint[]; problems: Problem[] } {
  const hints: Hint[] = [];
  const problems: Problem[] = [];
  for (const node of comments(root)) {
    for (const line of commentLines(node, text)) {
      const content = text.slice(line.start, line.end);
      const tagText = /^@shrink(?:-[A-Za-z]+)*(?=\s|$)/.exec(content)?.[0];
      if (tagText === undefined) continue;
      const tagRange = { start: line.start, end: line.start + tagText.length };
      const tag = TAGS.find((known) => known === tagText);
      if (tag === undefined) {
        problems.push(unknownTag(tagText, tagRange));
        continue;
      }
      const read = readWords(text, tagRange.end, line.end);
      problems.push(...read.problems);
      hints.push({
        tag,
        range: { start: tagRange.start, end: read.end },
        tagRange,
        commentRange: node.range,
        words: read.words,
        ...(read.reason === undefined ? {} : { reason: read.reason }),
        trailing: isTrailing(text, node.start),
      });
    }
  }
  return { hints, problems };
}

function unknownTag(tagText: string, range: Range): Problem {
  const meant = findNearest(tagText, TAGS) ?? '@shrink';
  return {
    severity: 'error',
    code: 'unknown-tag',
    message: `${tagText} is no ShrinkNets hint; did you mean ${meant}?`,
    range,
    fix: { title: `Change to ${meant}`, edits: [{ range, text: meant }] },
  };
}

/** The lines of a comment without its marks and the space around them. */
export function commentLines(node: Syntax, text: string): Range[] {
  const lines: Range[] = [];
  let start = node.start;
  while (start <= node.end) {
    const lineBreak = text.indexOf('\n', start);
    const end = lineBreak === -1 || lineBreak > node.end ? node.end : lineBreak;
    const line = text.slice(start, end);
    const marks = /^\s*(?:\/\/+|\/\*+|#+|\*+(?!\/))?\s*/.exec(line)?.[0].length ?? 0;
    const closing = /\s*(?:\*+\/)?\s*$/.exec(line.slice(marks))?.[0].length ?? 0;
    lines.push({ start: start + marks, end: Math.max(start + marks, end - closing) });
    if (end === node.end) break;
    start = end + 1;
  }
  return lines;
}

function isTrailing(text: string, start: number): boolean {
  const lineStart = text.lastIndexOf('\n', start - 1) + 1;
  return text.slice(lineStart, start).trim() !== '';
}

interface ReadWords {
  readonly words: HintWord[];
  readonly reason: string | undefined;
  readonly end: number;
  readonly problems: Problem[];
}

function readWords(text: string, from: number, limit: number): ReadWords {
  const words: HintWord[] = [];
  const problems: Problem[] = [];
  let position = from;
  let end = from;
  for (;;) {
    while (position < limit && /\s/.test(text.charAt(position))) position += 1;
    if (position >= limit) return { words, reason: undefined, end, problems };
    if (/^--(?:\s|$)/.test(text.slice(position, Math.min(limit, position + 3)))) {
      return { words, reason: text.slice(position + 2, limit).trim(), end: limit, problems };
    }
    const word = readWord(text, position, limit);
    if (word.unclosed !== undefined)
      problems.push({
        severity: 'error',
        code: 'unclosed-value',
        message: `The value of ${word.word.key} has no closing ${word.unclosed}; add it.`,
        range: word.word.range,
      });
    words.push(word.word);
    position = word.word.range.end;
    end = position;
  }
}

function readWord(text: string, start: number, limit: number): { word: HintWord; unclosed?: string } {
  let keyEnd = start;
  while (keyEnd < limit && !/[\s=]/.test(text.charAt(keyEnd))) keyEnd += 1;
  const keyRange = { start, end: keyEnd };
  const key = text.slice(start, keyEnd);
  if (keyEnd >= limit || text.charAt(keyEnd) !== '=') return { word: { range: keyRange, key, keyRange } };
  const valueStart = keyEnd + 1;
  const first = text.charAt(valueStart);
  const scanned =
    valueStart < limit && (first === '"' || first === "'")
      ? readQuoted(text, valueStart, limit)
      : first === '[' && valueStart < limit
        ? readBracketed(text, valueStart, limit)
        : readPlain(text, valueStart, limit);
  const word: HintWord = {
    range: { start, end: scanned.end },
    key,
    keyRange,
    value: scanned.value,
    valueRange: { start: valueStart, end: scanned.end },
  };
  return scanned.unclosed === undefined ? { word } : { word, unclosed: scanned.unclosed };
}

interface Scanned {
  readonly value: string;
  readonly end: number;
  readonly unclosed?: string;
}

function readPlain(text: string, start: number, limit: number): Scanned {
  let end = start;
  while (end < limit && !/\s/.test(text.charAt(end))) end += 1;
  return { value: text.slice(start, end), end };
}

function readQuoted(text: string, start: number, limit: number): Scanned {
  const quote = text.charAt(start);
  let value = '';
  for (let position = start + 1; position < limit; position += 1) {
    const character = text.charAt(position);
    if (character === quote) return { value, end: position + 1 };
    const escaped = character === '\\' && position + 1 < limit && /["'\\]/.test(text.charAt(position + 1));
    if (escaped) position += 1;
    value += text.charAt(position);
  }
  return { value, end: limit, unclosed: quote };
}

/** A JSON array: up to the bracket that closes the first one, strings in it respected. */
function readBracketed(text: string, start: number, limit: number): Scanned {
  let depth = 0;
  for (let position = start; position < limit; position += 1) {
    const character = text.charAt(position);
    if (character === '"') {
      position = readQuoted(text, position, limit).end - 1;
    } else if (character === '[' || character === '{') {
      depth += 1;
    } else if (character === ']' || character === '}') {
      depth -= 1;
      if (depth === 0) return { value: text.slice(start, position + 1), end: position + 1 };
    }
  }
  return { value: text.slice(start, limit), end: limit, unclosed: ']' };
}
