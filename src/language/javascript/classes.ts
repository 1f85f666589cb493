import type { Syntax } from '../syntax';
import { isFunction, unwrap, wrapOut } from './nodes';
import type { Binding, ScopeTable } from './scopes';

/** Whether a node is a class that is an expression: its own name is known only inside of it. */
export function isClassExpression(node: Syntax): boolean {
  return node.named && node.type === 'class';
}

/** The class that a binding always holds: `class A {}`, `const A = class {}`, `export default class {}`. */
export function classOf(binding: Binding): Syntax | undefined {
  const { kind, node } = binding;
  if (kind === 'class') return node;
  if (kind !== 'variable' && kind !== 'export') return undefined;
  if (kind === 'variable' && node.field('name')?.type !== 'identifier') return undefined;
  const value = kind === 'export' ? node : node.field('value');
  const inner = value === undefined ? undefined : unwrap(value);
  return inner !== undefined && isClassExpression(inner) ? inner : undefined;
}

/** The name by which a class is known around it; undefined for one that has none. */
export function bindingOfClass(ofClass: Syntax, scopes: ScopeTable): Binding | undefined {
  if (!isClassExpression(ofClass)) return scopes.declaredBy(ofClass).find(({ kind }) => kind === 'class');
  const parent = wrapOut(ofClass).parent;
  return parent?.type === 'variable_declarator'
    ? scopes.declaredBy(parent).find((binding) => classOf(binding) === ofClass)
    : undefined;
}

/** What a member of a class does when it is called: a method, or a field that holds a function. */
export function functionOfMember(member: Syntax): Syntax | undefined {
  if (member.type === 'method_definition') return member;
  const value = member.type.endsWith('field_definition') ? member.field('value') : undefined;
  const inner = value === undefined ? undefined : unwrap(value);
  return inner !== undefined && isFunction(inner) ? inner : undefined;
}

/** The member of a class that a function is: itself, or the field that holds it. */
export function memberOfFunction(fn: Syntax): Syntax | undefined {
  const member = fn.type === 'method_definition' ? fn : wrapOut(fn).parent;
  return member?.parent?.type === 'class_body' ? member : undefined;
}

/** The name of a member of a class, `#` included. */
export function memberName(member: Syntax): string {
  return (member.field('name') ?? member.field('property'))?.text ?? '';
}
