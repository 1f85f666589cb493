import type { Syntax } from '../syntax';
import { classOf, memberOfFunction } from './classes';
import { enclosingFunction } from './nodes';
import type { ScopeTable } from './scopes';

/** What is cut to what a model needs of it, and what is taken whole. */

/**
 * Functions with a name of their own are cut; callbacks inside an expression are taken whole.
 *
 * @param chain functions whose bodies become the entry
 */
export function isCuttable(fn: Syntax, chain: readonly Syntax[], scopes: ScopeTable): boolean {
  if (chain.includes(fn)) return true;
  const parent = fn.parent;
  const named =
    fn.type === 'function_declaration' ||
    (parent?.type === 'variable_declarator' && parent.field('name')?.type === 'identifier') ||
    isMemberOfCutClass(fn, scopes);
  if (!named) return false;
  const outer = enclosingFunction(fn);
  return outer === undefined || isCuttable(outer, chain, scopes);
}

/** A method, or an arrow in a field. */
function isMemberOfCutClass(fn: Syntax, scopes: ScopeTable): boolean {
  const body = memberOfFunction(fn)?.parent;
  return body?.type === 'class_body' && isCutClass(body.parent, scopes);
}

/** Classes of a library's kind (custom layers) are called from outside: all their members may be needed. */
export function isCutClass(node: Syntax | null, scopes: ScopeTable): boolean {
  if (node === null) return false;
  const heritage = node.child('class_heritage');
  if (heritage === undefined) return true;
  const base = [...heritage.walk()].find((child) => child.type === 'identifier');
  const binding = base === undefined ? undefined : scopes.bindingOf(base);
  const baseClass = binding === undefined ? undefined : classOf(binding);
  return baseClass !== undefined && isCutClass(baseClass, scopes);
}
