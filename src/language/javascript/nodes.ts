import type { Syntax } from '../syntax';

/** Nodes that make a function of their own. */
export const FUNCTIONS: ReadonlySet<string> = new Set([
  'function_declaration',
  'generator_function_declaration',
  'function_expression',
  'generator_function',
  'arrow_function',
  'method_definition',
]);

const STATEMENTS: ReadonlySet<string> = new Set([
  'expression_statement',
  'lexical_declaration',
  'variable_declaration',
  'function_declaration',
  'generator_function_declaration',
  'class_declaration',
  'abstract_class_declaration',
  'enum_declaration',
  'interface_declaration',
  'type_alias_declaration',
  'ambient_declaration',
  'internal_module',
  'import_statement',
  'import_alias',
  'export_statement',
  'if_statement',
  'for_statement',
  'for_in_statement',
  'while_statement',
  'do_statement',
  'try_statement',
  'switch_statement',
  'labeled_statement',
  'with_statement',
  'return_statement',
  'throw_statement',
  'break_statement',
  'continue_statement',
  'debugger_statement',
  'empty_statement',
  'statement_block',
]);

/** Nodes that hold types, which are gone when the code runs. */
const TYPES: ReadonlySet<string> = new Set([
  'type_annotation',
  'type_arguments',
  'type_parameters',
  'interface_declaration',
  'type_alias_declaration',
  'ambient_declaration',
  'implements_clause',
  'type_predicate_annotation',
  'asserts_annotation',
]);

/** Whether a node is a statement in statement position: bodies of functions and of `try` and the like are not. */
export function isStatement(node: Syntax): boolean {
  if (!STATEMENTS.has(node.type) || node.parent === null) return false;
  const parent = node.parent.type;
  if (node.type === 'statement_block') return parent === 'program' || parent === 'statement_block';
  if (node.type === 'lexical_declaration' || node.type === 'variable_declaration')
    return parent !== 'for_statement' && parent !== 'for_in_statement' && parent !== 'export_statement';
  // The head of a for loop is made of statements too.
  if (parent === 'for_statement') return node.fieldName === 'body';
  return parent !== 'export_statement';
}

export function isFunction(node: Syntax): boolean {
  return FUNCTIONS.has(node.type);
}

export function isTypeOnly(node: Syntax): boolean {
  if (TYPES.has(node.type)) return true;
  const parent = node.parent;
  if (parent === null) return false;
  const casts = parent.type === 'as_expression' || parent.type === 'satisfies_expression';
  return casts && node.named && parent.namedChildren[0] !== node;
}

/** The function a node lies in, or undefined at the top of the module. */
export function enclosingFunction(node: Syntax): Syntax | undefined {
  for (const ancestor of node.ancestors()) if (isFunction(ancestor)) return ancestor;
  return undefined;
}

/** The functions a node lies in, outermost first. */
export function functionsAround(node: Syntax): Syntax[] {
  const around: Syntax[] = [];
  for (let fn = enclosingFunction(node); fn !== undefined; fn = enclosingFunction(fn)) around.unshift(fn);
  return around;
}

/** The statement a node lies in, itself included. */
export function enclosingStatement(node: Syntax): Syntax | undefined {
  if (isStatement(node)) return node;
  for (const ancestor of node.ancestors()) if (isStatement(ancestor)) return ancestor;
  return undefined;
}

/** An expression without what does not change its value: parentheses, casts, `await`, `!`. */
export function unwrap(node: Syntax): Syntax {
  const inner = WRAPPERS.has(node.type) ? node.namedChildren[0] : undefined;
  return inner === undefined ? node : unwrap(inner);
}

/** The outermost expression that has the value of this one. */
export function wrapOut(node: Syntax): Syntax {
  const parent = node.parent;
  return parent !== null && WRAPPERS.has(parent.type) && parent.namedChildren[0] === node
    ? wrapOut(parent)
    : node;
}

const WRAPPERS: ReadonlySet<string> = new Set([
  'parenthesized_expression',
  'as_expression',
  'satisfies_expression',
  'non_null_expression',
  'await_expression',
]);

/** The identifier at the left end of `a.b[c].d()`. */
export function rootOf(node: Syntax): Syntax {
  const inner = unwrap(node);
  if (inner.type === 'member_expression' || inner.type === 'subscript_expression') {
    const object = inner.field('object');
    return object === undefined ? inner : rootOf(object);
  }
  if (inner.type === 'call_expression') {
    const callee = inner.field('function');
    return callee === undefined ? inner : rootOf(callee);
  }
  return inner;
}

/** Arguments of a call or `new`. */
export function argumentsOf(call: Syntax): Syntax[] {
  return call.field('arguments')?.namedChildren ?? [];
}

/** The value of a property of an object literal; the name itself for a shorthand. */
export function propertyOf(object: Syntax, key: string): Syntax | undefined {
  const values = object.namedChildren.map((entry) => entryValue(entry, key));
  return values.findLast((value) => value !== undefined);
}

/** The value of an entry of an object literal, if it has this key. */
export function entryValue(entry: Syntax, key: string): Syntax | undefined {
  if (entry.type === 'shorthand_property_identifier') return entry.text === key ? entry : undefined;
  if (entry.type !== 'pair') return undefined;
  const name = entry.field('key');
  const text = name?.type === 'string' ? name.text.slice(1, -1) : name?.text;
  return text === key ? entry.field('value') : undefined;
}

/** Whether nothing uses the value of a call. */
export function isStatementOfItsOwn(call: Syntax): boolean {
  const outer = wrapOut(call);
  const parent = outer.parent;
  if (parent === null) return false;
  if (parent.type === 'arrow_function') return parent.field('body') === outer;
  // `model.add(a).add(b)`: the inner call is part of the statement.
  if (parent.type === 'member_expression' && parent.parent?.type === 'call_expression')
    return isStatementOfItsOwn(parent.parent);
  return parent.type === 'expression_statement';
}

/** Nodes of a function's body without those of functions inside it. */
export function ownNodes(body: Syntax): Syntax[] {
  return body.walk((node) => node === body || !isFunction(node));
}

const LOOPS: ReadonlySet<string> = new Set([
  'for_statement',
  'for_in_statement',
  'while_statement',
  'do_statement',
  'switch_statement',
]);

/** `break` and `continue` in a loop. */
export function jumpsIn(loop: Syntax): Syntax[] {
  return LOOPS.has(loop.type) ? ownNodes(loop).filter((node) => /^(?:break|continue)_/.test(node.type)) : [];
}
