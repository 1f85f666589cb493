import type { Syntax } from '../syntax';
import { parameterName } from './evaluation';

/** A call that makes a model where no function that returns it and no name of the module leads to it. */
export interface ModelPlace {
  readonly call: Syntax;
  /** Functions and classes around it, from outside in. */
  readonly around: readonly Syntax[];
  /** Whether the innermost function gives it back. */
  readonly isReturned: boolean;
  /** As `Agent._build`, `Agent.model` or `main.model`. */
  readonly name: string;
  /** The function that returns it, or the statement that makes it. */
  readonly node: Syntax;
}

const MAKES_MODEL = /^(?:Sequential|Model|Functional)$/;

/**
 * The calls of a file that make models by their looks, outside of some pieces of it. Of a function that returns models
 * only those count, and a model that stands in the arguments of another is a part of that.
 *
 * @param isRead whether a piece of the file is read already
 */
export function findPlaces(root: Syntax, isRead: (call: Syntax) => boolean): ModelPlace[] {
  const calls = root.walk().filter((node) => node.type === 'call' && MAKES_MODEL.test(lastName(node)));
  const free = calls.filter(
    (call) => !isRead(call) && !calls.some((other) => other !== call && argumentsOf(other)?.contains(call)),
  );
  const places = nameReturned(free.map(describePlace));
  const returning = new Set(places.filter((place) => place.isReturned).map((place) => place.around.at(-1)));
  return places.filter((place) => place.isReturned || !returning.has(place.around.at(-1)));
}

/** Of a function that returns several models each has its own name as well: `build.encoder`. */
function nameReturned(places: readonly ModelPlace[]): ModelPlace[] {
  return places.map((place) => {
    const siblings = places.filter(
      (other) => other.isReturned && other.around.at(-1) === place.around.at(-1),
    );
    const targets = new Set(siblings.map(({ call }) => targetOf(call)?.text));
    if (!place.isReturned || targets.size < 2) return place;
    return { ...place, name: nameOf(place.around, targetOf(place.call)) };
  });
}

function argumentsOf(call: Syntax): Syntax | undefined {
  return call.field('arguments');
}

/** The name of what is called, without its module. */
export function lastName(call: Syntax): string {
  const callee = call.field('function');
  return callee?.field('attribute')?.text ?? callee?.text ?? '';
}

function describePlace(call: Syntax): ModelPlace {
  const around = [...call.ancestors()]
    .filter((node) => /^(?:function|class)_definition$/.test(node.type))
    .reverse();
  const statement = statementOf(call);
  const target = targetOf(call);
  const owner = around.at(-1);
  const isReturned =
    owner?.type === 'function_definition' &&
    (statement.type === 'return_statement' || returnsName(owner, target));
  const node = isReturned ? owner : statement;
  return { call, around, isReturned, name: nameOf(around, isReturned ? undefined : target), node };
}

function statementOf(call: Syntax): Syntax {
  let statement = call;
  for (const node of call.ancestors()) {
    if (node.type === 'block' || node.type === 'module') break;
    statement = node;
  }
  return statement;
}

/** What the call's value is assigned to: `model`, `self.model`, `models['a']`. */
function targetOf(call: Syntax): Syntax | undefined {
  for (const node of call.ancestors()) {
    if (node.type === 'assignment' || node.type === 'named_expression')
      return node.field('left') ?? node.field('name');
    if (node.type === 'block' || node.type === 'lambda') return undefined;
  }
  return undefined;
}

/** Whether a function returns what it keeps under a name, perhaps with other things. */
function returnsName(owner: Syntax, target: Syntax | undefined): boolean {
  if (target?.type !== 'identifier') return false;
  const inner = owner.walk((node) => node === owner || !/definition$/.test(node.type));
  return inner.some((node) => {
    const value = node.type === 'return_statement' ? node.namedChildren[0] : undefined;
    if (value === undefined) return false;
    const items = /^(?:expression_list|tuple)$/.test(value.type) ? value.namedChildren : [value];
    return items.some((item) => item.text === target.text);
  });
}

function nameOf(around: readonly Syntax[], target: Syntax | undefined): string {
  const names = around.map((node) => node.field('name')?.text ?? '');
  const inClass = around.findLastIndex((node) => node.type === 'class_definition');
  const path = names.filter((name) => name !== '__init__');
  if (target?.type === 'attribute' && target.field('object')?.text === 'self' && inClass >= 0)
    return [...names.slice(0, inClass + 1), target.field('attribute')?.text ?? ''].join('.');
  const own = target === undefined ? [] : (target.text.match(/\w+/g) ?? []);
  const all = [...path, ...own];
  return all.length === 0 ? 'model' : all.join('.');
}

/** Parameters that a hint's `args` are for: those of the class's constructor, then those of the function. */
export function parametersAround(around: readonly Syntax[]): {
  readonly ofClass: readonly Syntax[];
  readonly ofFunction: readonly Syntax[];
} {
  const [first, second] = around;
  const isClass = first?.type === 'class_definition';
  const constructor = isClass
    ? first
        .walk((node) => node === first || node.type !== 'class_definition')
        .find((node) => node.type === 'function_definition' && node.field('name')?.text === '__init__')
    : undefined;
  const fn = isClass ? second : first;
  const own = parametersOf(fn?.type === 'function_definition' ? fn : undefined);
  return {
    ofClass: parametersOf(constructor).slice(1),
    ofFunction: fn === constructor ? [] : own.slice(isClass && !isStatic(fn) ? 1 : 0),
  };
}

function parametersOf(fn: Syntax | undefined): Syntax[] {
  return (fn?.field('parameters')?.namedChildren ?? []).filter((node) => !/separator$/.test(node.type));
}

function isStatic(fn: Syntax | undefined): boolean {
  const first = parametersOf(fn)[0];
  return first === undefined || !/^(?:self|cls)$/.test(parameterName(first));
}
