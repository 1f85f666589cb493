import { allowedWidth } from '../../core/constraints';
import type { Problem } from '../../core/errors';
import { MODEL_OPTIONS } from '../../core/optionTable';
import type { LayerHint } from '../../core/plan';
import type { Hint, HintWord } from '../reading';
import {
  checkLayerValue,
  checkModelValue,
  findNearest,
  LAYER_KEYS,
  LEARNED_KEYS,
  modelKeys,
} from './hintKeys';

/** What a `@shrink` hint says, and what is wrong with its words. */
export function readLayerHint(hint: Hint): { value: LayerHint; problems: Problem[] } {
  const problems = findRepeatedKeys(hint);
  const value: Record<string, number | boolean> = {};
  for (const word of hint.words) {
    if (word.value === undefined) {
      if (word.key === 'off') value['off'] = true;
      else problems.push(unknownWord(word, ['off', ...LAYER_KEYS.map((known) => known.key)], hint.tag));
      continue;
    }
    const key = LAYER_KEYS.find((known) => known.key === word.key);
    if (key === undefined) {
      problems.push(
        unknownWord(
          word,
          LAYER_KEYS.map((known) => known.key),
          hint.tag,
        ),
      );
      continue;
    }
    const wrong = checkLayerValue(key, word.value);
    if (wrong === undefined) value[key.key] = Number(word.value);
    else problems.push(badValue(word, wrong));
  }
  const read = value as LayerHint;
  if (read.min !== undefined && read.max !== undefined && read.min > read.max)
    problems.push({
      severity: 'error',
      code: 'min-over-max',
      message: `min=${read.min} is over max=${read.max}; lower min or raise max.`,
      range: rangeOfKey(hint, 'min'),
    });
  else if (read.max !== undefined) problems.push(...withoutMultiple(hint, read, read.max, `max=${read.max}`));
  return { value: read, problems };
}

/** What a `@shrink-model` hint says, as text by option, and what is wrong with its words. */
export function readModelHint(hint: Hint): { value: Record<string, string>; problems: Problem[] } {
  const problems = findRepeatedKeys(hint);
  const value: Record<string, string> = {};
  for (const word of hint.words) {
    const spec = MODEL_OPTIONS.find((known) => known.key === word.key);
    if (spec === undefined) {
      problems.push(unknownWord(word, modelKeys(), hint.tag));
    } else if (word.value === undefined) {
      problems.push({
        severity: 'error',
        code: 'missing-value',
        message: `${word.key} has no value; write ${word.key}=….`,
        range: word.range,
      });
    } else {
      const wrong = checkModelValue(spec, word.value);
      if (wrong === undefined) value[spec.key] = word.value;
      else problems.push(badValue(word, wrong));
    }
  }
  return { value, problems };
}

/** What is wrong with the words of a `@shrink-learned` comment, which we wrote and somebody may have changed. */
export function checkLearnedHint(hint: Hint): Problem[] {
  return hint.words.flatMap((word, index) => {
    const good =
      word.value === undefined ? index === 0 && /^\d+$/.test(word.key) : LEARNED_KEYS.includes(word.key);
    return good ? [] : [{ ...unknownWord(word, LEARNED_KEYS, hint.tag), severity: 'warning' as const }];
  });
}

/** Checks a layer hint against the width in the source. */
export function checkAgainstWidth(hint: Hint, value: LayerHint, width: number | undefined): Problem[] {
  if (width === undefined || value.off === true) return [];
  const problems: Problem[] = [];
  for (const key of ['min', 'multiple'] as const) {
    const limit = value[key];
    if (limit !== undefined && limit > width)
      problems.push({
        severity: 'error',
        code: `${key}-over-width`,
        message: `${key}=${limit} is over the layer's width of ${width}; widths only shrink, so give at most ${width}.`,
        range: rangeOfKey(hint, key),
      });
  }
  // A max under the width was checked against min by itself.
  if (problems.length > 0 || (value.max !== undefined && value.max <= width)) return problems;
  return withoutMultiple(hint, value, width, `the layer's width of ${width}`);
}

/** A width must be a multiple within its limits. @param most the largest width @param limit what sets it, in words */
function withoutMultiple(
  hint: Hint,
  { min = 1, multiple = 1 }: LayerHint,
  most: number,
  limit: string,
): Problem[] {
  const allowed = allowedWidth(most, { min, multiple, max: most });
  if (allowed !== undefined || min > most) return [];
  return [
    {
      severity: 'error',
      code: 'no-multiple',
      message: `No multiple of ${multiple} lies between min=${min} and ${limit}; change min or multiple.`,
      range: rangeOfKey(hint, 'multiple'),
    },
  ];
}

function rangeOfKey(hint: Hint, key: string): Problem['range'] {
  return hint.words.find((word) => word.key === key)?.range ?? hint.range;
}

function findRepeatedKeys(hint: Hint): Problem[] {
  const seen = new Set<string>();
  const problems: Problem[] = [];
  for (const word of hint.words) {
    if (seen.has(word.key))
      problems.push({
        severity: 'error',
        code: 'duplicate-key',
        message: `${word.key} stands twice in this hint; keep one.`,
        range: word.range,
        fix: { title: `Remove the second ${word.key}`, edits: [{ range: word.range, text: '' }] },
      });
    seen.add(word.key);
  }
  return problems;
}

function badValue(word: HintWord, message: string): Problem {
  return { severity: 'error', code: 'bad-value', message, range: word.valueRange ?? word.range };
}

function unknownWord(word: HintWord, known: readonly string[], tag: string): Problem {
  const meant = findNearest(word.key, known);
  const isKey = word.value !== undefined;
  const advice = meant === undefined ? `it knows ${known.join(', ')}` : `did you mean ${meant}`;
  return {
    severity: 'error',
    code: isKey ? 'unknown-key' : 'unknown-word',
    message: `${tag} has no ${isKey ? 'key' : 'word'} ${JSON.stringify(word.key)}; ${advice}${meant === undefined ? '.' : '?'}`,
    range: isKey ? word.keyRange : word.range,
    ...(meant === undefined
      ? {}
      : { fix: { title: `Change to ${meant}`, edits: [{ range: word.keyRange, text: meant }] } }),
  };
}
