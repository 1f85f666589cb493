import { badInput } from './errors';
import { MODEL_OPTIONS, type OptionSpec, type OptionType } from './optionTable';
import type { Size, TrainOptions } from './options';

/** @returns the option's parsed value. @throws ShrinkError `bad-option`, saying what is allowed. */
export function parseOption(spec: OptionSpec, text: string, shown: string = spec.key): unknown {
  const type = spec.type;
  switch (type.kind) {
    case 'text':
      if (text === '') throw badInput('bad-option', `${shown} is empty; give it a value.`);
      return text;
    case 'choice': {
      const chosen = readChoice(text, type);
      if (chosen === undefined)
        throw badInput('bad-option', `${shown} is ${quote(text)}; it can be ${type.values.join(', ')}.`);
      return spec.key === 'power' ? Number(chosen) : chosen;
    }
    case 'sizes':
      return parseSizes(text, shown);
    case 'number':
    case 'integer': {
      const value = text.trim() === '' ? Number.NaN : Number(text);
      const wanted = describeRange(type);
      const bad =
        !Number.isFinite(value) ||
        (type.kind === 'integer' && !Number.isInteger(value)) ||
        (type.min !== undefined && value < type.min) ||
        (type.above !== undefined && value <= type.above) ||
        (type.max !== undefined && value > type.max);
      if (bad) throw badInput('bad-option', `${shown} is ${quote(text)}; it must be ${wanted}.`);
      return value;
    }
  }
}

/** The text with every choice in it as the table spells it; undefined where one is none. */
function readChoice(text: string, type: Extract<OptionType, { kind: 'choice' }>): string | undefined {
  const { values, perOutput, read = (value: string) => value } = type;
  const parts = perOutput === true ? splitByOutput(text) : [{ value: text }];
  const chosen = parts.map(({ name, value }) => {
    const known = read(value);
    if (known === undefined || !values.includes(known)) return undefined;
    return name === undefined ? known : `${name}:${known}`;
  });
  return chosen.includes(undefined) ? undefined : chosen.join(',');
}

/** What an option says of each output: in their order, or by name. One without a comma is for all of them. */
export function splitByOutput(text: string): { readonly name?: string; readonly value: string }[] {
  return text.split(',').map((part) => {
    const colon = part.lastIndexOf(':');
    const value = part.slice(colon + 1).trim();
    return colon < 0 ? { value } : { name: part.slice(0, colon).trim(), value };
  });
}

/** "a whole number from 1 to 10", for messages and documentation. */
export function describeRange(type: Extract<OptionType, { kind: 'number' | 'integer' }>): string {
  const noun = type.kind === 'integer' ? 'a whole number' : 'a number';
  const low =
    type.above !== undefined ? `above ${type.above}` : type.min !== undefined ? `at least ${type.min}` : '';
  const high = type.max !== undefined ? `at most ${type.max}` : '';
  return [noun, [low, high].filter((part) => part !== '').join(' and ')]
    .filter((part) => part !== '')
    .join(' ');
}

/** What an option may hold, for help and hover. */
export function describeType(type: OptionType): string {
  switch (type.kind) {
    case 'text':
      return 'text';
    case 'choice':
      return type.values.join(' | ');
    case 'sizes':
      return 'counts or percentages, separated by commas';
    case 'number':
    case 'integer':
      return describeRange(type);
  }
}

function parseSizes(text: string, shown: string): Size[] {
  const sizes = text.split(',').map((part): Size => {
    const match = /^\s*(\d+(?:\.\d+)?)\s*([%kKmM]?)\s*$/.exec(part);
    const value = Number(match?.[1]);
    const unit = match?.[2] ?? '';
    if (match === null || !(value > 0))
      throw badInput(
        'bad-option',
        `${shown} has ${quote(part)}; give sizes as counts (40000, 40k) or shares (12%).`,
      );
    if (unit === '%') {
      if (value >= 100)
        throw badInput(
          'bad-option',
          `${shown} has ${quote(part)}; a share of the starting size lies under 100%.`,
        );
      return { value, unit: 'percent' };
    }
    const scale = unit.toLowerCase() === 'k' ? 1e3 : unit.toLowerCase() === 'm' ? 1e6 : 1;
    return { value: value * scale, unit: 'count' };
  });
  return sizes;
}

function quote(text: string): string {
  return JSON.stringify(text);
}

/**
 * Resolves options: explicit ones over hints over defaults. All values are text, as a user wrote them.
 *
 * @param layers from weakest to strongest; each names itself for messages
 * @throws ShrinkError `bad-option` or `unknown-option`
 */
export function resolveOptions(
  layers: readonly {
    readonly name: (key: string) => string;
    readonly values: Readonly<Record<string, string>>;
  }[],
): TrainOptions {
  const resolved: Record<string, unknown> = {};
  for (const spec of MODEL_OPTIONS)
    if (spec.default !== undefined) resolved[spec.key] = parseOption(spec, spec.default);
  for (const layer of layers) {
    for (const [key, text] of Object.entries(layer.values)) {
      const spec = MODEL_OPTIONS.find((candidate) => candidate.key === key);
      if (spec === undefined) throw badInput('unknown-option', `${layer.name(key)} is not an option.`);
      resolved[key] = parseOption(spec, text, layer.name(key));
    }
  }
  return resolved as unknown as TrainOptions;
}
