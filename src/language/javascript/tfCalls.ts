import { piecewise, type Syntax } from '../syntax';
import { isStatementOfItsOwn, unwrap } from './nodes';
import type { Binding, ProgramScopes } from './scopes';
import { extendPath, importedBy, isGlobalObject, tfPath } from './tfNames';

/** A call whose callee is a name or `require(…)`, with what is taken out of it: `tf.layers.dense` is `tf`, `layers`, `dense`. */
interface NamedCall {
  readonly node: Syntax;
  readonly root: Syntax;
  readonly names: readonly string[];
}

const namedCalls = piecewise((nodes): NamedCall[] =>
  nodes.flatMap((node) => {
    const isNew = node.type === 'new_expression';
    if (!isNew && node.type !== 'call_expression') return [];
    const names: string[] = [];
    let at = node.field(isNew ? 'constructor' : 'function');
    for (at = at && unwrap(at); at?.type === 'member_expression';) {
      names.unshift(at.field('property')?.text ?? '');
      at = at.field('object');
      at = at && unwrap(at);
    }
    const isRoot =
      at?.type === 'identifier' || (at?.type === 'call_expression' && importedBy(at) !== undefined);
    return at !== undefined && isRoot ? [{ node, root: at, names }] : [];
  }),
);

/** Calls and `new`s of TensorFlow.js in a file, in source order, with the path of what is called. */
export function findTfCalls(root: Syntax, scopes: ProgramScopes): Map<Syntax, readonly string[]> {
  const found = new Map<Syntax, readonly string[]>();
  const paths = new Map<Binding | string, readonly string[] | undefined>();
  for (const call of namedCalls(root)) {
    const key = scopes.bindingOf(call.root) ?? call.root.text;
    if (!paths.has(key)) paths.set(key, tfPath(call.root, scopes));
    const base = paths.get(key);
    const isGlobal = base === undefined && call.names[0] === 'tf' && isGlobalObject(call.root, scopes);
    if (isGlobal) found.set(call.node, call.names.slice(1));
    if (base !== undefined) found.set(call.node, call.names.reduce(extendPath, base));
  }
  return found;
}

/** Calls whose value nothing uses, in source order. */
export const callStatements = piecewise((nodes) =>
  nodes.filter((node) => node.type === 'call_expression' && isStatementOfItsOwn(node)),
);
