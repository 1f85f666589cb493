import type { Syntax } from '../syntax';
import type { Graph } from './graph';
import { NONE, numberOf, type ClassValue, type FunctionValue, type Scope, type Value } from './values';

/** What a call is given. */
export interface CallArguments {
  readonly positional: readonly Value[];
  readonly named: ReadonlyMap<string, Value>;
}

/** What the parts of the evaluation need of each other; the interpreter is the one that has it all. */
export interface Evaluator {
  readonly graph: Graph;
  readonly library: Library;
  evaluate(node: Syntax, scope: Scope): Value;
  /** Binds a name, a tuple of names, an attribute or an item. */
  assign(target: Syntax, value: Value, scope: Scope): void;
  setName(name: string, value: Value, scope: Scope): void;
  call(callee: Value, args: CallArguments, node: Syntax): Value;
  callFunction(fn: FunctionValue, args: CallArguments, node: Syntax): Value;
  /** The attribute of a value; never undefined, but perhaps unknown. */
  attribute(object: Value, name: string, node: Syntax): Value;
  /** What a loop over a value runs through; undefined if that is not known. */
  itemsOf(value: Value): readonly Value[] | undefined;
  lookUp(name: string, scope: Scope): Value | undefined;
  /** A name out of `from … import *`. */
  lookUpStarred(name: string): Value | undefined;
  /** An identifier was read: what is left unread may matter to other code. */
  noteRead(node: Syntax): void;
}

/** What an interpreter knows of machine learning libraries. */
export interface Library {
  /** Calls a function or makes an object of a library. */
  callPath(interpreter: Evaluator, path: string, args: CallArguments, node: Syntax): Value;
  /** Calls a method of a value: of a tensor, a list, a sequence of modules. */
  callMethod(interpreter: Evaluator, self: Value, name: string, args: CallArguments, node: Syntax): Value;
  /** Calls a layer, model or module on tensors. */
  callModule(interpreter: Evaluator, module: Value, args: CallArguments, node: Syntax): Value;
  attribute(evaluator: Evaluator, object: Value, name: string, node: Syntax): Value | undefined;
  /** An operator of which at least one side is a tensor. */
  operate(interpreter: Evaluator, operator: string, left: Value, right: Value, node: Syntax): Value;
}

/** A member of a class or of the classes it derives from. */
export function findMember(of: ClassValue, name: string): Value | undefined {
  const own = of.members.get(name);
  if (own !== undefined) return own;
  for (const base of of.bases) {
    const member = base.kind === 'class' ? findMember(base, name) : undefined;
    if (member !== undefined) return member;
  }
  return undefined;
}

/** The library class that a class derives from, through classes of the file. */
export function libraryBase(of: ClassValue): string | undefined {
  for (const base of of.bases) {
    const path = base.kind === 'path' ? base.path : base.kind === 'class' ? libraryBase(base) : undefined;
    if (path !== undefined) return path;
  }
  return undefined;
}

/** The name of a parameter node. */
export function parameterName(parameter: Syntax): string {
  const name = parameter.field('name') ?? parameter.walk().find((node) => node.type === 'identifier');
  return name?.text ?? parameter.text;
}

export function emptyArguments(positional: readonly Value[] = []): CallArguments {
  return { positional, named: new Map() };
}

/** An argument by position or name. */
export function argument(args: CallArguments, index: number, name: string): Value | undefined {
  return args.positional[index] ?? args.named.get(name);
}

/** Whether a call gives nothing but numbers, texts and the like, which mean the same in every reading. */
export function isPlainCall(args: CallArguments): boolean {
  return [...args.positional, ...args.named.values()].every(isPlain);
}

function isPlain(value: Value): boolean {
  if (value.kind === 'list') return value.items.every(isPlain);
  if (value.kind === 'dict') return [...value.entries.values()].every(isPlain);
  return /^(?:number|string|bool|none|path|class|function)$/.test(value.kind);
}

/** A value that the author wrote into a hint, parsed. */
export function fromJson(json: unknown): Value {
  if (typeof json === 'number') return numberOf(json);
  if (typeof json === 'string') return { kind: 'string', value: json };
  if (typeof json === 'boolean') return { kind: 'bool', value: json };
  if (Array.isArray(json)) return { kind: 'list', items: json.map(fromJson), tuple: false };
  if (typeof json === 'object' && json !== null)
    return {
      kind: 'dict',
      entries: new Map(Object.entries(json).map(([key, value]) => [key, fromJson(value)])),
    };
  return NONE;
}
