import type { Range } from '../../core/errors';
import { MODEL_OPTIONS } from '../../core/optionTable';
import { describeType } from '../../core/parseOptions';
import type { Hint, HintTag, SourceReading } from '../reading';
import type { Syntax } from '../syntax';
import { describeLayerKey, LAYER_KEYS } from './hintKeys';
import { commentLines } from './parseHints';

/** One thing that can be written into a hint. */
export interface HintCompletion {
  readonly label: string;
  readonly kind: 'tag' | 'word' | 'key' | 'value';
  /** What to put in place of `range`. */
  readonly text: string;
  /** Replaced by `text`. */
  readonly range: Range;
  /** One sentence. */
  readonly about: string;
}

export interface HintHover {
  readonly range: Range;
  /** Plain sentences, one a line; `code` in backticks. */
  readonly lines: readonly string[];
}

const TAGS: Readonly<Record<HintTag, string>> = {
  '@shrink': "This layer's width is to be learned. Settings of its own may follow; off leaves it alone.",
  '@shrink-model': 'How the model below is trained: data, sizes to reach, epochs.',
  '@shrink-learned': 'Written beside a learned width: what it was and which run it is from. Safe to delete.',
};

const OFF = 'Leave this layer alone; say why after --.';

/** What can be written at an offset inside a comment. */
export function hintCompletions(reading: SourceReading, offset: number): HintCompletion[] {
  const line = commentLineAt(reading, offset);
  if (line === undefined) return [];
  const before = reading.text.slice(line.start, offset);
  if (/^@?[A-Za-z-]*$/.test(before))
    return completeTags({ start: line.start, end: endOfWord(reading, offset) });
  const tag = /^(@shrink(?:-model)?)\s/.exec(before)?.[1];
  if (tag === undefined || /\s--(?:\s|$)/.test(before)) return [];
  const word = /\S*$/.exec(before)?.[0] ?? '';
  const used = before.split(/\s+/).map((part) => part.split('=')[0] ?? '');
  const equals = word.indexOf('=');
  const end = endOfWord(reading, offset);
  if (equals === -1) {
    const range = { start: offset - word.length, end };
    return tag === '@shrink' ? completeLayerKeys(range, used) : completeModelKeys(range, used);
  }
  const range = { start: offset - (word.length - equals - 1), end };
  return tag === '@shrink-model' ? completeValues(word.slice(0, equals), range) : [];
}

/** What the word of a hint at an offset means. */
export function hintHover(reading: SourceReading, offset: number): HintHover | undefined {
  const hint = reading.hints.find((candidate) => within(candidate.range, offset));
  if (hint === undefined) return undefined;
  if (within(hint.tagRange, offset)) return { range: hint.tagRange, lines: [TAGS[hint.tag]] };
  const word = hint.words.find((candidate) => within(candidate.range, offset));
  const lines = word === undefined ? undefined : describeWord(hint, word.key);
  return word === undefined || lines === undefined ? undefined : { range: word.range, lines };
}

function describeWord(hint: Hint, key: string): string[] | undefined {
  if (hint.tag === '@shrink') {
    if (key === 'off') return [OFF];
    const known = LAYER_KEYS.find((candidate) => candidate.key === key);
    return known === undefined
      ? undefined
      : [known.about, `\`${key}\` is ${describeLayerKey(known)} (${known.unit}). Default: ${known.default}.`];
  }
  const spec = MODEL_OPTIONS.find((candidate) => candidate.key === key);
  if (spec === undefined || hint.tag !== '@shrink-model') return undefined;
  const unit = spec.unit === undefined ? '' : ` (${spec.unit})`;
  const byDefault = spec.default === undefined ? '' : ` Default: ${spec.default}.`;
  return [spec.about, `\`${key}\` is ${describeType(spec.type)}${unit}.${byDefault}`];
}

function completeTags(range: Range): HintCompletion[] {
  return (['@shrink', '@shrink-model'] as const).map((tag) => ({
    label: tag,
    kind: 'tag',
    text: tag,
    range,
    about: TAGS[tag],
  }));
}

function completeLayerKeys(range: Range, used: readonly string[]): HintCompletion[] {
  const off: HintCompletion = { label: 'off', kind: 'word', text: 'off', range, about: OFF };
  const keys = LAYER_KEYS.map(({ key, about }): HintCompletion => ({
    label: key,
    kind: 'key',
    text: `${key}=`,
    range,
    about,
  }));
  return [off, ...keys].filter((item) => !used.includes(item.label));
}

function completeModelKeys(range: Range, used: readonly string[]): HintCompletion[] {
  return MODEL_OPTIONS.filter((spec) => !used.includes(spec.key)).map(({ key, about }) => ({
    label: key,
    kind: 'key',
    text: `${key}=`,
    range,
    about,
  }));
}

function completeValues(key: string, range: Range): HintCompletion[] {
  const spec = MODEL_OPTIONS.find((candidate) => candidate.key === key);
  if (spec === undefined) return [];
  const values =
    spec.type.kind === 'choice' ? spec.type.values : spec.default === undefined ? [] : [spec.default];
  return values.map((value) => ({ label: value, kind: 'value', text: value, range, about: spec.about }));
}

function within(range: Range, offset: number): boolean {
  return range.start <= offset && offset <= range.end;
}

/** The line of a comment that an offset lies in, from its first character that is not a mark. */
function commentLineAt(reading: SourceReading, offset: number): Range | undefined {
  const root = reading.internal.root;
  const comment = root === undefined ? undefined : commentAt(root, offset);
  if (comment === undefined) return undefined;
  return commentLines(comment, reading.text).find((line) => {
    const lineEnd = reading.text.indexOf('\n', line.start);
    return line.start <= offset && (lineEnd === -1 || offset <= lineEnd);
  });
}

function commentAt(node: Syntax, offset: number): Syntax | undefined {
  if (node.type === 'comment') return node;
  for (const child of node.children) {
    if (!within(child.range, offset)) continue;
    const found = commentAt(child, offset);
    if (found !== undefined) return found;
  }
  return undefined;
}

function endOfWord(reading: SourceReading, offset: number): number {
  return offset + (/^[^\s=*]*/.exec(reading.text.slice(offset))?.[0].length ?? 0);
}
