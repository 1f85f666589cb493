import type { Syntax } from '../syntax';
import { wrapOut } from './nodes';
import type { Binding } from './scopes';

/** What is done with a name where it is used. */

/** Of uses of an object, those that may read a key: `config.other` does not, `config` itself may. */
export function keyUses(uses: readonly Syntax[], key: string): Syntax[] {
  return uses.flatMap((use) => {
    const parent = use.parent;
    if (parent?.type !== 'member_expression' || parent.field('object') !== use) return [use];
    return parent.field('property')?.text === key ? [parent] : [];
  });
}

/** Whether a use of an object reads one of its keys by name. */
export function isKeyRead(use: Syntax): boolean {
  return use.parent?.type === 'member_expression' && use.parent.field('object') === use;
}

/** Whether a use of an object only spreads it where a key of it is overridden: `{ ...config, units: 3 }`. */
export function isOverridden(use: Syntax, key: string): boolean {
  const spread = use.parent;
  const entries = spread?.type === 'spread_element' ? (spread.parent?.namedChildren ?? []) : [];
  return entries.some(
    (entry) => entry.type === 'pair' && entry.start > use.start && entry.field('key')?.text === key,
  );
}

/** Whether a function's name is used as a value: it may be called from anywhere then. */
export function isValueUse(use: Syntax): boolean {
  const parent = use.parent;
  if (parent?.type === 'call_expression') return parent.field('function') !== use;
  return !isHandedOut(use);
}

/** Whether a use of a name only exports it. */
export function isHandedOut(use: Syntax): boolean {
  const parent = use.parent;
  if (parent?.type === 'export_specifier' || parent?.type === 'export_statement') return true;
  const assignment = [...use.ancestors()].find((node) => node.type === 'assignment_expression');
  const isObject = parent === assignment || /^(?:pair|object)$/.test(parent?.type ?? '');
  return isObject && /^(?:module\.)?exports\b/.test(assignment?.field('left')?.text ?? '');
}

/** Whether a use of a list only counts its items or goes through them: what that reads is followed item by item. */
export function isPassThrough(use: Syntax): boolean {
  const member = use.parent;
  if (member?.type !== 'member_expression' || member.field('object') !== use) return false;
  return /^(?:length|entries|forEach|map|flatMap)$/.test(member.field('property')?.text ?? '');
}

/** `widths.push(3)`. */
export function callsChangingMethod(use: Syntax): boolean {
  const member = use.parent;
  const isCallee = member?.parent?.type === 'call_expression' && member.parent.field('function') === member;
  if (member?.type !== 'member_expression' || member.field('object') !== use || !isCallee) return false;
  return /^(?:push|pop|shift|unshift|splice|sort|reverse|fill|copyWithin)$/.test(
    member.field('property')?.text ?? '',
  );
}

/** Whether a use of a name (or of a member of it) is the target of an assignment. */
export function isAssigned(use: Syntax): boolean {
  let node = wrapOut(use);
  while (
    (node.parent?.type === 'member_expression' || node.parent?.type === 'subscript_expression') &&
    node.parent.field('object') === node
  )
    node = node.parent;
  const parent = node.parent;
  if (parent?.type === 'update_expression') return true;
  if (parent?.type === 'for_in_statement') return parent.field('left') === node;
  const assigns =
    parent?.type === 'assignment_expression' || parent?.type === 'augmented_assignment_expression';
  if (assigns) return parent.field('left') === node;
  return use.type === 'shorthand_property_identifier_pattern' || parent?.type === 'array_pattern';
}

/** The calls of what a name stands for, in every file. */
export function callsOf(binding: Binding): Syntax[] {
  return binding.references.flatMap((use) =>
    use.parent?.type === 'call_expression' && use.parent.field('function') === use ? [use.parent] : [],
  );
}
