import type { Syntax } from '../syntax';
import { unwrap } from './nodes';
import type { Binding, ProgramScopes } from './scopes';

/**
 * The path of an expression inside TensorFlow.js, e.g. `['layers', 'dense']` for `tf.layers.dense` under whatever
 * alias; `[]` for the namespace itself; undefined for anything else.
 */
export function tfPath(node: Syntax, scopes: ProgramScopes, depth = 0): readonly string[] | undefined {
  if (depth > 20) return undefined;
  const inner = unwrap(node);
  if (inner.type === 'ternary_expression') {
    const branches = [inner.field('consequence'), inner.field('alternative')];
    return branches.map((branch) => branch && tfPath(branch, scopes, depth + 1)).find((path) => path);
  }
  if (isGlobalLibrary(inner, scopes)) return [];
  if (inner.type === 'member_expression') {
    // `models.tf`, where `models` is all of another file.
    const elsewhere = scopes.bindingOf(inner);
    if (elsewhere !== undefined && elsewhere.kind !== 'member')
      return pathOfBinding(elsewhere, elsewhere.name, scopes, depth + 1);
    const object = inner.field('object');
    const property = inner.field('property')?.text;
    const base = object === undefined ? undefined : tfPath(object, scopes, depth + 1);
    return base === undefined || property === undefined ? undefined : extendPath(base, property);
  }
  if (inner.type === 'call_expression') return isTfModule(importedBy(inner) ?? '') ? [] : undefined;
  if (inner.type !== 'identifier') return undefined;
  const binding = scopes.bindingOf(inner);
  if (binding === undefined) return inner.text === 'tf' ? [] : undefined;
  return pathOfBinding(binding, binding.name, scopes, depth + 1);
}

function pathOfBinding(
  binding: Binding,
  local: string,
  scopes: ProgramScopes,
  depth: number,
): readonly string[] | undefined {
  const elsewhere = scopes.packageOf(binding);
  if (elsewhere !== undefined && isTfModule(elsewhere.source))
    return /^(?:\*|default)$/.test(elsewhere.name) ? [] : [elsewhere.name];
  if (binding.kind === 'import') return pathOfImport(binding, local);
  if (binding.kind === 'export') return tfPath(binding.node, scopes, depth + 1);
  // A parameter named `tf` is how helpers are often handed the library.
  if (binding.kind === 'parameter') return local === 'tf' ? [] : undefined;
  if (binding.kind !== 'variable' || binding.node.type !== 'variable_declarator') return undefined;
  const value = binding.node.field('value');
  const name = binding.node.field('name');
  if (name === undefined) return undefined;
  const isEmpty = value === undefined || /^(?:null|undefined)$/.test(value.text);
  if (isEmpty && local === 'tf') return [];
  const base = isEmpty ? pathOfAssigned(binding, scopes, depth) : tfPath(value, scopes, depth + 1);
  if (base === undefined) return undefined;
  if (name.type === 'identifier') return base;
  return name.type === 'object_pattern' ? pathInPattern(name, local, base) : undefined;
}

/** What a variable that starts empty is given later. */
function pathOfAssigned(
  binding: Binding,
  scopes: ProgramScopes,
  depth: number,
): readonly string[] | undefined {
  for (const use of binding.references) {
    const value = use.fieldName === 'left' ? use.parent?.field('right') : undefined;
    const path = value === undefined ? undefined : tfPath(value, scopes, depth + 1);
    if (path !== undefined) return path;
  }
  return undefined;
}

/**
 * Whether a variable holds TensorFlow.js by way of something that only the source's own surroundings have: a page, a
 * package that may be missing, a function that is called first. It is given the library instead.
 */
export function isGivenLibrary(binding: Binding, scopes: ProgramScopes): boolean {
  const { kind, node } = binding;
  if (kind !== 'variable' || node.type !== 'variable_declarator') return false;
  if (node.field('name')?.type !== 'identifier') return false;
  const value = node.field('value');
  const isPlain = value !== undefined && /^(?:identifier|call_expression)$/.test(unwrap(value).type);
  return !isPlain && pathOfBinding(binding, binding.name, scopes, 0)?.length === 0;
}

/** `window.tf`, as a script tag leaves it. */
export function isGlobalLibrary(node: Syntax, scopes: ProgramScopes): boolean {
  if (node.type !== 'member_expression' || node.field('property')?.text !== 'tf') return false;
  const object = node.field('object');
  const inner = object === undefined ? undefined : unwrap(object);
  return inner !== undefined && isGlobalObject(inner, scopes);
}

export function isGlobalObject(node: Syntax, scopes: ProgramScopes): boolean {
  return (
    node.type === 'identifier' &&
    /^(?:window|globalThis|self|global)$/.test(node.text) &&
    scopes.bindingOf(node) === undefined
  );
}

/** Finds the key that binds `local` in `{ layers, sequential: make, layers: { dense } }`. */
function pathInPattern(
  pattern: Syntax,
  local: string,
  base: readonly string[],
): readonly string[] | undefined {
  for (const entry of pattern.namedChildren) {
    if (entry.type === 'shorthand_property_identifier_pattern' && entry.text === local)
      return extendPath(base, local);
    if (entry.type !== 'pair_pattern') continue;
    const key = entry.field('key')?.text;
    const value = entry.field('value');
    if (key === undefined || value === undefined) continue;
    if (value.type === 'identifier' && value.text === local) return extendPath(base, key);
    if (value.type === 'object_pattern') {
      const nested = pathInPattern(value, local, extendPath(base, key));
      if (nested !== undefined) return nested;
    }
  }
  return undefined;
}

function pathOfImport(binding: Binding, local: string): readonly string[] | undefined {
  const statement = binding.node;
  const source = statement.field('source')?.text.slice(1, -1) ?? requiredIn(statement);
  const fromTf = isTfModule(source);
  for (const node of statement.walk()) {
    if (node.type !== 'import_specifier') continue;
    const name = node.field('name')?.text;
    if (name === undefined || (node.field('alias')?.text ?? name) !== local) continue;
    if (fromTf) return name === 'default' ? [] : [name];
    return name === 'tf' ? [] : undefined;
  }
  return fromTf || local === 'tf' ? [] : undefined;
}

function requiredIn(statement: Syntax): string {
  return statement.child('import_require_clause')?.child('string')?.text.slice(1, -1) ?? '';
}

/** The module that `require('x')` or `import('x')` asks for. */
export function importedBy(call: Syntax): string | undefined {
  const callee = call.field('function');
  const isImport = callee?.type === 'import' || (callee?.type === 'identifier' && callee.text === 'require');
  const argument = call.field('arguments')?.namedChildren[0];
  return isImport && argument?.type === 'string' ? argument.text.slice(1, -1) : undefined;
}

/** Whether a module is TensorFlow.js itself; `tfjs-vis` and converters are other libraries. */
export function isTfModule(name: string): boolean {
  return (
    /^@tensorflow\/tfjs(?:-core|-layers|-node|-node-gpu|-backend-[a-z]+)?(?:\/|$)/.test(name) ||
    /\/@tensorflow\/tfjs(?:-node)?@/.test(name)
  );
}

export function extendPath(base: readonly string[], name: string): readonly string[] {
  return name === 'default' && base.length === 0 ? base : [...base, name];
}
