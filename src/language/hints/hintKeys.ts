import { MODEL_OPTIONS, type OptionSpec } from '../../core/optionTable';
import { describeRange, parseOption } from '../../core/parseOptions';

/** A key that `@shrink` above a layer knows. */
export interface LayerKey {
  readonly key: 'lambda' | 'min' | 'max' | 'multiple';
  readonly type: { readonly kind: 'number' | 'integer'; readonly min: number };
  readonly unit: string;
  readonly default: string;
  readonly about: string;
}

export const LAYER_KEYS: readonly LayerKey[] = [
  {
    key: 'lambda',
    type: { kind: 'number', min: 0 },
    unit: 'strength of the penalty',
    default: 'that of the run',
    about: "This layer's own penalty on its switches.",
  },
  {
    key: 'min',
    type: { kind: 'integer', min: 1 },
    unit: 'channels',
    default: '1',
    about: 'Fewest channels that the layer keeps.',
  },
  {
    key: 'max',
    type: { kind: 'integer', min: 1 },
    unit: 'channels',
    default: 'the width in the source',
    about: 'Most channels that the layer keeps.',
  },
  {
    key: 'multiple',
    type: { kind: 'integer', min: 1 },
    unit: 'channels',
    default: '1',
    about: 'The learned width is a multiple of this.',
  },
];

/** Keys that we write beside an emitted width. */
export const LEARNED_KEYS: readonly string[] = ['was', 'run'];

/** What a value of a layer key must be, in words. */
export function describeLayerKey(key: LayerKey): string {
  return describeRange(key.type);
}

/** @returns what is wrong with the text of a layer key's value, or undefined if nothing is */
export function checkLayerValue(key: LayerKey, text: string): string | undefined {
  const value = text === '' ? Number.NaN : Number(text);
  const good =
    Number.isFinite(value) &&
    value >= key.type.min &&
    (key.type.kind === 'number' || Number.isInteger(value));
  return good ? undefined : `${key.key} is ${JSON.stringify(text)}; it must be ${describeLayerKey(key)}.`;
}

/** @returns what is wrong with the text of a model option, or undefined if nothing is */
export function checkModelValue(spec: OptionSpec, text: string): string | undefined {
  try {
    parseOption(spec, text);
  } catch (thrown) {
    return thrown instanceof Error ? thrown.message : String(thrown);
  }
  if ((spec.key !== 'args' && spec.key !== 'input') || isJsonArray(text)) return undefined;
  const example = spec.key === 'args' ? 'args=[784, "relu"]' : 'input=[1, 28, 28]';
  return `${spec.key} is ${JSON.stringify(text)}; give a JSON array, e.g. ${example}.`;
}

function isJsonArray(text: string): boolean {
  try {
    return Array.isArray(JSON.parse(text));
  } catch {
    return false;
  }
}

export function modelKeys(): readonly string[] {
  return MODEL_OPTIONS.map((spec) => spec.key);
}

/** The candidate that a misspelt word most likely means, if any is near. */
export function findNearest(word: string, candidates: readonly string[]): string | undefined {
  let best: { candidate: string; distance: number } | undefined;
  for (const candidate of candidates) {
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase());
    if (best === undefined || distance < best.distance) best = { candidate, distance };
  }
  const limit = Math.max(1, Math.floor(word.length / 2));
  return best !== undefined && best.distance <= limit && word.length <= 40 ? best.candidate : undefined;
}

/** Levenshtein distance, a swap of neighbours counted as one edit. */
function editDistance(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > 20) return Number.POSITIVE_INFINITY;
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, index) => index)];
  const at = (row: number, column: number): number => rows[row]?.[column] ?? 0;
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row];
    rows.push(current);
    for (let column = 1; column <= b.length; column += 1) {
      const same = a[row - 1] === b[column - 1];
      let cost = Math.min(
        at(row - 1, column) + 1,
        at(row, column - 1) + 1,
        at(row - 1, column - 1) + (same ? 0 : 1),
      );
      if (row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1])
        cost = Math.min(cost, at(row - 2, column - 2) + 1);
      current.push(cost);
    }
  }
  return at(a.length, b.length);
}
