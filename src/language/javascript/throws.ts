import type { Syntax } from '../syntax';
import { isStatement, ownNodes } from './nodes';
import type { Binding, ScopeTable } from './scopes';

/** Names that every JavaScript has and whose use has no side effect. */
const HARMLESS_GLOBALS =
  /^(?:[A-Z]\w*Error|Error|Number|Array|Math|JSON|Object|String|Boolean|undefined|NaN|Infinity|isNaN|parseInt|tf)$/;

/** The checks of a function that throw and that look only at what is needed anyway. */
export function harmlessThrows(fn: Syntax, needed: ReadonlySet<Binding>, scopes: ScopeTable): Syntax[] {
  const body = fn.field('body');
  if (body === undefined) return [];
  return ownNodes(body).filter((node) => {
    if (node.type !== 'throw_statement') return false;
    const around = [node, ...node.ancestors()].filter((at) => isStatement(at) && body.contains(at));
    const parts = around.flatMap((at) => [...at.walk((inner) => inner === at || !isStatement(inner))]);
    return parts.every((part) => isHarmless(part, needed, scopes));
  });
}

function isHarmless(node: Syntax, needed: ReadonlySet<Binding>, scopes: ScopeTable): boolean {
  if (node.type !== 'identifier') return true;
  const binding = scopes.bindingOf(node);
  return binding === undefined ? HARMLESS_GLOBALS.test(node.text) : needed.has(binding);
}
