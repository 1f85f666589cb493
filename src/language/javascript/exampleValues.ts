import type { Syntax } from '../syntax';
import { patternNames } from './patterns';
import type { ScopeTable } from './scopes';

/** What a message shows as a value that a parameter may have, as JSON. */
export function exampleFor(parameter: Syntax, scopes: ScopeTable): string {
  const pattern = parameter.field('pattern') ?? parameter.field('left') ?? parameter;
  const fallback = parameter.field('value') ?? parameter.field('right');
  if (fallback !== undefined && isJson(fallback.text)) return fallback.text;
  if (pattern.type === 'object_pattern') return objectOf(patternNames(pattern).map((name) => name.text));
  const type = parameter.field('type')?.text.replace(/^:\s*/, '') ?? '';
  if (/\[\]$|^(?:Readonly)?Array</.test(type)) return /^string/.test(type) ? '["relu"]' : '[28, 28, 1]';
  if (type === 'string') return exampleOfName(pattern.text, '"relu"');
  if (type === 'boolean') return 'true';
  const keys = type === 'number' ? [] : keysRead(parameter, scopes);
  return keys.length > 0 ? objectOf(keys) : exampleOfName(pattern.text, undefined);
}

/** Keys that are read of an object: `config.units`. */
function keysRead(parameter: Syntax, scopes: ScopeTable): string[] {
  const uses = scopes.declaredBy(parameter).flatMap((binding) => binding.references);
  const keys = uses.flatMap((use) => {
    const member = use.parent;
    const isRead = member?.type === 'member_expression' && member.field('object') === use;
    const isCalled = member?.parent?.type === 'call_expression' && member.parent.field('function') === member;
    const key = isRead && !isCalled ? member.field('property')?.text : undefined;
    return key === undefined || key === 'length' ? [] : [key];
  });
  return [...new Set(keys)];
}

function objectOf(keys: readonly string[]): string {
  return `{${keys.map((key) => `${JSON.stringify(key)}: ${exampleOfName(key, undefined)}`).join(', ')}}`;
}

/** Names say more than types do: a shape is a list, an activation a text. */
const EXAMPLES: readonly (readonly [RegExp, string])[] = [
  [/shape|dims$/i, '[28, 28, 1]'],
  [/activation/i, '"relu"'],
  [/optimizer/i, '"adam"'],
  [/loss/i, '"meanSquaredError"'],
  [/(?:widths|layers|sizes)$/i, '[64, 32]'],
  [/units|hidden|filters|width|neurons/i, '64'],
  [/class|output|action|label/i, '10'],
  [/dropout|rate/i, '0.1'],
  [/^(?:is|has|use|with)[A-Z]/, 'true'],
  [/name|type|kind|mode/i, '"name"'],
];

function exampleOfName(name: string, otherwise: string | undefined): string {
  return EXAMPLES.find(([pattern]) => pattern.test(name))?.[1] ?? otherwise ?? '784';
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
