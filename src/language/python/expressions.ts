import type { Syntax } from '../syntax';
import type { CallArguments, Evaluator } from './evaluation';
import { compare, operate } from './operators';
import {
  boolOf,
  listOf,
  NONE,
  numberOf,
  truthOf,
  unknownAt,
  type ClassValue,
  type Scope,
  type Value,
} from './values';

/** Evaluates an expression; what is not known becomes an unknown value with its range. */
export function evaluateExpression(interpreter: Evaluator, node: Syntax, scope: Scope): Value {
  const evaluate = (inner: Syntax): Value => interpreter.evaluate(inner, scope);
  const field = (name: string): Value => {
    const inner = node.field(name);
    return inner === undefined ? unknownAt(node, 'it is incomplete') : evaluate(inner);
  };
  switch (node.type) {
    case 'integer':
    case 'float':
      return readNumberLiteral(node);
    case 'string':
      return readString(node, evaluate);
    case 'concatenated_string':
      return joinStrings(node.namedChildren.map(evaluate), node);
    case 'true':
    case 'false':
      return boolOf(node.type === 'true');
    case 'none':
      return NONE;
    case 'identifier':
      return readName(interpreter, node, scope);
    case 'attribute': {
      const name = node.field('attribute')?.text ?? '';
      return interpreter.attribute(field('object'), name, node);
    }
    case 'parenthesized_expression':
    case 'type':
    case 'await': {
      const inner = node.namedChildren[0];
      return inner === undefined ? NONE : evaluate(inner);
    }
    case 'list':
    case 'tuple':
    case 'expression_list':
    case 'set':
      return listOf(spreadItems(interpreter, node, scope), node.type !== 'list');
    case 'dictionary':
      return readDictionary(interpreter, node, scope);
    case 'list_comprehension':
    case 'generator_expression':
      return comprehend(interpreter, node, scope);
    case 'assignment':
    case 'augmented_assignment':
    case 'named_expression':
      return assignTo(interpreter, node, scope);
    case 'call':
      return callExpression(interpreter, node, scope);
    case 'lambda':
      return { kind: 'function', node, scope };
    case 'conditional_expression': {
      const [whenTrue, condition, whenFalse] = node.namedChildren;
      if (whenTrue === undefined || condition === undefined || whenFalse === undefined) return NONE;
      const truth = truthOf(evaluate(condition));
      if (truth === undefined) return unknownAt(node, `whether ${condition.text} holds is not known`);
      return evaluate(truth ? whenTrue : whenFalse);
    }
    case 'boolean_operator': {
      const left = field('left');
      const truth = truthOf(left);
      if (truth === undefined) return left;
      const isAnd = node.field('operator')?.type === 'and';
      return truth === isAnd ? field('right') : left;
    }
    case 'not_operator': {
      const truth = truthOf(field('argument'));
      return truth === undefined ? unknownAt(node, 'what it negates is not known') : boolOf(!truth);
    }
    case 'comparison_operator':
      return compareAll(node, evaluate);
    case 'unary_operator': {
      const value = field('argument');
      const isMinus = node.field('operator')?.type === '-';
      if (value.kind === 'tensor' && isMinus) return operate(interpreter, node, value, numberOf(-1), '*');
      return value.kind === 'number' ? numberOf(isMinus ? -value.value : value.value) : value;
    }
    case 'binary_operator':
      return operate(interpreter, node, field('left'), field('right'), node.field('operator')?.type ?? '');
    case 'subscript':
      return readItem(interpreter, node, field('value'), scope);
    default:
      return unknownAt(node, `${node.type.replaceAll('_', ' ')} is not read here`);
  }
}

function readNumberLiteral(node: Syntax): Value {
  const value = Number(node.text.replaceAll('_', ''));
  if (Number.isNaN(value)) return unknownAt(node, 'this number is not read here');
  return node.type === 'integer' ? { kind: 'number', value, literal: node.range } : numberOf(value);
}

function readString(node: Syntax, evaluate: (inner: Syntax) => Value): Value {
  let text = '';
  for (const part of node.children) {
    if (part.type === 'string_content') text += part.text;
    if (part.type !== 'interpolation') continue;
    const inner = part.field('expression');
    const value = inner === undefined ? NONE : evaluate(inner);
    if (value.kind !== 'number' && value.kind !== 'string') return unknownAt(part, 'its text is not known');
    text += String(value.value);
  }
  return { kind: 'string', value: text };
}

function joinStrings(parts: readonly Value[], node: Syntax): Value {
  const texts = parts.map((part) => (part.kind === 'string' ? part.value : undefined));
  return texts.includes(undefined)
    ? unknownAt(node, 'its text is not known')
    : { kind: 'string', value: texts.join('') };
}

function readName(interpreter: Evaluator, node: Syntax, scope: Scope): Value {
  interpreter.noteRead(node);
  const known = interpreter.lookUp(node.text, scope);
  if (known !== undefined) return known;
  if (BUILTIN_NAMES.has(node.text)) return { kind: 'path', path: `builtins.${node.text}` };
  return (
    interpreter.lookUpStarred(node.text) ??
    unknownAt(node, `${node.text} is not declared in what can be read`)
  );
}

const BUILTIN_NAMES: ReadonlySet<string> = new Set(
  'range len int float str bool list tuple dict set enumerate zip reversed sum min max abs round sorted super isinstance hasattr getattr setattr print any all map pow'.split(
    ' ',
  ),
);

function spreadItems(interpreter: Evaluator, node: Syntax, scope: Scope): Value[] {
  return node.namedChildren.flatMap((child): readonly Value[] => {
    if (child.type !== 'list_splat') return [interpreter.evaluate(child, scope)];
    const inner = child.namedChildren[0];
    const value = inner === undefined ? NONE : interpreter.evaluate(inner, scope);
    return interpreter.itemsOf(value) ?? [unknownAt(child, 'what it spreads is not known')];
  });
}

function readDictionary(interpreter: Evaluator, node: Syntax, scope: Scope): Value {
  const entries = new Map<string, Value>();
  for (const child of node.namedChildren) {
    if (child.type === 'dictionary_splat') {
      const inner = child.namedChildren[0];
      const spread = inner === undefined ? NONE : interpreter.evaluate(inner, scope);
      if (spread.kind === 'dict') for (const [key, value] of spread.entries) entries.set(key, value);
      continue;
    }
    const [key, value] = [child.field('key'), child.field('value')];
    if (key === undefined || value === undefined) continue;
    const name = interpreter.evaluate(key, scope);
    if (name.kind === 'string' || name.kind === 'number')
      entries.set(String(name.value), interpreter.evaluate(value, scope));
  }
  return { kind: 'dict', entries };
}

function comprehend(interpreter: Evaluator, node: Syntax, scope: Scope): Value {
  const inner: Scope = { names: new Map(), parent: scope, globals: new Set() };
  const results: Value[] = [];
  const clauses = node.namedChildren.slice(1);
  const body = node.field('body');
  let unknown: Value | undefined;
  const run = (index: number): void => {
    const clause = clauses[index];
    if (clause === undefined) {
      if (body !== undefined) results.push(interpreter.evaluate(body, inner));
    } else if (clause.type === 'if_clause') {
      const condition = clause.namedChildren[0];
      const truth = condition === undefined ? true : truthOf(interpreter.evaluate(condition, inner));
      if (truth === undefined) unknown = unknownAt(clause, 'whether it holds is not known');
      else if (truth) run(index + 1);
    } else {
      const [left, right] = [clause.field('left'), clause.field('right')];
      const items = right === undefined ? undefined : interpreter.itemsOf(interpreter.evaluate(right, inner));
      if (items === undefined || left === undefined)
        unknown = unknownAt(clause, 'what it runs through is not known');
      for (const item of items ?? []) {
        if (left !== undefined) interpreter.assign(left, item, inner);
        run(index + 1);
      }
    }
  };
  run(0);
  return unknown ?? listOf(results);
}

function assignTo(interpreter: Evaluator, node: Syntax, scope: Scope): Value {
  const left = node.field('left') ?? node.field('name');
  const right = node.field('right') ?? node.field('value');
  if (left === undefined || right === undefined) return NONE;
  let value = interpreter.evaluate(right, scope);
  if (node.type === 'augmented_assignment') {
    const before = interpreter.evaluate(left, scope);
    const operator = (node.field('operator')?.type ?? '').replace('=', '');
    if (before.kind === 'list' && value.kind === 'list' && operator === '+') {
      before.items.push(...value.items);
      return before;
    }
    value = operate(interpreter, node, before, value, operator);
  }
  interpreter.assign(left, value, scope);
  return value;
}

function callExpression(interpreter: Evaluator, node: Syntax, scope: Scope): Value {
  const calleeNode = node.field('function');
  if (calleeNode === undefined) return NONE;
  const callee = interpreter.evaluate(calleeNode, scope);
  const args = node.field('arguments');
  const isSuper = callee.kind === 'path' && callee.path === 'builtins.super';
  if (isSuper) return superOf(interpreter, node, scope);
  if (args?.type === 'generator_expression')
    return interpreter.call(
      callee,
      { positional: [interpreter.evaluate(args, scope)], named: new Map() },
      node,
    );
  return interpreter.call(callee, readArguments(interpreter, args, scope), node);
}

function readArguments(interpreter: Evaluator, list: Syntax | undefined, scope: Scope): CallArguments {
  const positional: Value[] = [];
  const named = new Map<string, Value>();
  for (const child of list?.namedChildren ?? []) {
    const inner = child.namedChildren[0];
    if (child.type === 'keyword_argument') {
      const [name, value] = [child.field('name'), child.field('value')];
      if (name !== undefined && value !== undefined) named.set(name.text, interpreter.evaluate(value, scope));
    } else if (child.type === 'list_splat' && inner !== undefined) {
      const value = interpreter.evaluate(inner, scope);
      positional.push(...(interpreter.itemsOf(value) ?? [unknownAt(child, 'what it spreads is not known')]));
    } else if (child.type === 'dictionary_splat' && inner !== undefined) {
      const value = interpreter.evaluate(inner, scope);
      if (value.kind === 'dict') for (const [name, entry] of value.entries) named.set(name, entry);
    } else {
      positional.push(interpreter.evaluate(child, scope));
    }
  }
  return { positional, named };
}

/** `super()`: the instance, seen from the class's bases. */
function superOf(interpreter: Evaluator, node: Syntax, scope: Scope): Value {
  const self = interpreter.lookUp('self', scope);
  const current = interpreter.lookUp('__class__', scope);
  if (self?.kind !== 'instance' || current?.kind !== 'class')
    return unknownAt(node, 'super() is not known here');
  const base = current.bases.find((candidate) => candidate.kind === 'class');
  const path = current.bases.find((candidate) => candidate.kind === 'path');
  if (base === undefined) {
    if (path === undefined) return NONE;
    // A library's class: what it does to the object is the library's to say.
    const library: ClassValue = { kind: 'class', name: path.path, node, bases: [path], members: new Map() };
    return { kind: 'instance', ofClass: library, attributes: self.attributes };
  }
  const members = new Map(
    [...base.members].map(([name, member]): [string, Value] => [
      name,
      member.kind === 'function' ? { ...member, self } : member,
    ]),
  );
  return { kind: 'instance', ofClass: base, attributes: members };
}

function compareAll(node: Syntax, evaluate: (inner: Syntax) => Value): Value {
  const operands = node.namedChildren.map(evaluate);
  const operators = node.children.filter((child) => !child.named).map((child) => child.type);
  let result = true;
  for (const [index, operator] of operators.entries()) {
    const [left, right] = [operands[index], operands[index + 1]];
    if (left === undefined || right === undefined) return unknownAt(node, 'it is incomplete');
    const holds = compare(left, right, operator);
    if (holds === undefined) return unknownAt(node, `whether ${node.text} holds is not known`);
    result &&= holds;
  }
  return boolOf(result);
}

function readItem(interpreter: Evaluator, node: Syntax, value: Value, scope: Scope): Value {
  const subscript = node.field('subscript');
  if (subscript === undefined || value.kind === 'unknown') return value;
  if (value.kind === 'tensor') {
    const isLast = /^\[\s*:\s*,\s*-1\s*(?:,\s*:\s*)?\]$/.test(
      node.text.slice((node.field('value')?.text ?? '').length).trim(),
    );
    const last = isLast ? value.tensor.last?.() : undefined;
    return last === undefined
      ? unknownAt(node, 'a part of a tensor is not read here')
      : { kind: 'tensor', tensor: last };
  }
  if (subscript.type === 'slice') return readSlice(interpreter, subscript, value, scope);
  const key = interpreter.evaluate(subscript, scope);
  if (value.kind === 'dict' && (key.kind === 'string' || key.kind === 'number'))
    return value.entries.get(String(key.value)) ?? unknownAt(node, `there is no ${String(key.value)} in it`);
  const items = interpreter.itemsOf(value);
  if (items === undefined || key.kind !== 'number') return unknownAt(node, `${node.text} is not known`);
  return items.at(key.value) ?? unknownAt(node, `there is no item ${key.value} in it`);
}

/** `a[1:]`, `a[:-1]`. */
function readSlice(interpreter: Evaluator, slice: Syntax, value: Value, scope: Scope): Value {
  const items = interpreter.itemsOf(value);
  const bounds: (number | undefined)[] = [undefined];
  for (const child of slice.children) {
    if (child.type === ':') bounds.push(undefined);
    else if (child.named) {
      const bound = interpreter.evaluate(child, scope);
      if (bound.kind !== 'number') return unknownAt(slice, 'its bounds are not known');
      bounds[bounds.length - 1] = bound.value;
    }
  }
  if (items === undefined || bounds.length > 2) return unknownAt(slice, 'this part is not read here');
  const part = items.slice(bounds[0], bounds[1]);
  if (value.kind === 'sequence')
    return { ...value, items: value.items.slice(bounds[0], bounds[1]), name: undefined };
  return listOf([...part], value.kind === 'list' && value.tuple);
}
