import type { Syntax } from '../syntax';
import { evaluateExpression } from './expressions';
import type { Graph } from './graph';
import { findMember, type CallArguments, type Evaluator, type Library } from './evaluation';
import { assignTo } from './assignment';
import { readAttribute } from './attributes';
import { callBuiltin } from './builtins';
import { forget } from './forget';
import { fromStars, readImport } from './imports';
import { bindParameters } from './parameters';
import { TargetMade, type Target } from './target';
import {
  NONE,
  Stop,
  stopAt,
  truthOf,
  unknownAt,
  type ClassValue,
  type FunctionValue,
  type InstanceValue,
  type Scope,
  type Value,
} from './values';

type Signal = { readonly kind: 'return'; readonly value: Value } | { readonly kind: 'break' | 'continue' };

const MAX_STEPS = 300_000;
const MAX_DEPTH = 80;

/**
 * Evaluates the Python that builds models: numbers, lists, classes, loops over known ranges, calls within the file.
 * Nothing of it is run as Python; what is not known stays unknown until the model needs it.
 */
export class Interpreter implements Evaluator {
  readonly globals: Scope = { names: new Map(), parent: undefined, globals: new Set() };
  /** Starts of the identifiers that were read. */
  readNames: ReadonlySet<number> = new Set<number>();
  /** Objects made of the file's classes, with what they were made of. */
  readonly made: { readonly value: InstanceValue; readonly args: CallArguments; readonly node: Syntax }[] =
    [];
  /** Calls of the file's functions at the top of the module, by the function's node. */
  readonly called = new Map<Syntax, CallArguments[]>();
  /** The model that is looked for, where it is not what a name of the module holds. */
  target: Target | undefined;
  /** Modules of `from … import *`. */
  private readonly stars: string[] = [];
  private steps = 0;
  private depth = 0;
  /** Whether what runs goes on after what fails. */
  private isTolerant = false;

  constructor(
    readonly graph: Graph,
    readonly library: Library,
  ) {
    this.globals.names.set('__name__', { kind: 'string', value: '__main__' });
  }

  noteRead(node: Syntax): void {
    (this.readNames as Set<number>).add(node.start);
  }

  /** Begins with one model of the file: what is read from now on is read for it. */
  begin(moduleReads: ReadonlySet<number>, made: number): void {
    this.target = undefined;
    this.readNames = new Set(moduleReads);
    this.made.length = made;
    this.steps = 0;
    this.graph.clear();
  }

  /** Runs statements; what fails leaves what it would have set unknown, and the rest goes on. */
  runModule(root: Syntax): void {
    for (const statement of root.namedChildren) {
      try {
        this.execute(statement, this.globals);
      } catch (thrown) {
        this.goOnAfter(thrown, statement, this.globals);
      }
    }
    // A loop that trains may have taken them all.
    this.steps = 0;
  }

  /** @throws what was thrown, if it is not a failure of the statement alone */
  private goOnAfter(thrown: unknown, statement: Syntax, scope: Scope): void {
    if (!(thrown instanceof Error) || thrown instanceof TargetMade) throw thrown;
    const problem = thrown instanceof Stop ? thrown.problem : undefined;
    if (problem !== undefined) this.target?.noteStop(problem, statement);
    forget(this, statement, scope, problem);
  }

  evaluate(node: Syntax, scope: Scope): Value {
    this.count(node);
    return evaluateExpression(this, node, scope);
  }

  private count(node: Syntax): void {
    this.steps += 1;
    if (this.steps > MAX_STEPS)
      throw stopAt(node, 'too-long', 'This takes too many steps to read; simplify the loops.');
  }

  executeBlock(block: Syntax, scope: Scope): Signal | undefined {
    for (const statement of block.namedChildren) {
      const signal = this.isTolerant ? this.attempt(statement, scope) : this.execute(statement, scope);
      if (signal !== undefined) return signal;
    }
    return undefined;
  }

  private attempt(statement: Syntax, scope: Scope): Signal | undefined {
    try {
      return this.execute(statement, scope);
    } catch (thrown) {
      if (!(thrown instanceof Stop)) throw thrown;
      this.goOnAfter(thrown, statement, scope);
      return undefined;
    }
  }

  private execute(node: Syntax, scope: Scope): Signal | undefined {
    this.count(node);
    switch (node.type) {
      case 'expression_statement':
        for (const child of node.namedChildren) this.evaluate(child, scope);
        return undefined;
      case 'import_statement':
      case 'import_from_statement':
        readImport(
          node,
          (name, value) => this.setName(name, value, scope),
          (module) => this.stars.push(module),
        );
        return undefined;
      case 'function_definition':
        this.define(node, scope, { kind: 'function', node, scope });
        return undefined;
      case 'class_definition':
        this.define(node, scope, this.makeClass(node, scope));
        return undefined;
      case 'decorated_definition':
        return this.runDecorated(node, scope);
      case 'if_statement':
        return this.runIf(node, scope);
      case 'for_statement':
        return this.runFor(node, scope);
      case 'while_statement':
        return this.runWhile(node, scope);
      case 'return_statement': {
        const value = node.namedChildren[0];
        return { kind: 'return', value: value === undefined ? NONE : this.evaluate(value, scope) };
      }
      case 'break_statement':
        return { kind: 'break' };
      case 'continue_statement':
        return { kind: 'continue' };
      case 'global_statement':
        for (const name of node.namedChildren) scope.globals.add(name.text);
        return undefined;
      case 'with_statement':
      case 'try_statement':
        return this.runBody(node, scope);
      case 'raise_statement':
        throw stopAt(node, 'raises', `This raises: ${node.text.slice(0, 80)}.`);
      default: {
        const block = this.target?.blockIn(node);
        return block === undefined ? undefined : this.executeBlock(block, scope);
      }
    }
  }

  private define(node: Syntax, scope: Scope, value: Value): void {
    const name = node.field('name')?.text;
    if (name !== undefined) this.setName(name, value, scope);
    if (value.kind === 'function') this.target?.noteDefinition(value);
  }

  private runDecorated(node: Syntax, scope: Scope): Signal | undefined {
    const definition = node.field('definition');
    if (definition === undefined) return undefined;
    const signal = this.execute(definition, scope);
    const name = definition.field('name')?.text ?? '';
    const isStatic = node.children.some((child) => /^@(?:staticmethod|classmethod)\b/.test(child.text));
    const value = scope.names.get(name);
    if (isStatic && value?.kind === 'function') scope.names.set(name, { ...value, self: NONE });
    return signal;
  }

  private runBody(node: Syntax, scope: Scope): Signal | undefined {
    for (const target of node.walk((child) => child.type !== 'block'))
      if (target.type === 'as_pattern_target')
        this.assign(target, unknownAt(target, 'a with statement gives it'), scope);
    const [body, wanted] = [node.field('body'), this.target?.blockIn(node)];
    const signal = body === undefined ? undefined : this.executeBlock(body, scope);
    // The model may be made where something else failed: except, else, finally.
    return wanted === undefined || wanted === body ? signal : this.executeBlock(wanted, scope);
  }

  private runIf(node: Syntax, scope: Scope): Signal | undefined {
    const wanted = this.target?.blockIn(node);
    if (wanted !== undefined) {
      forget(this, node, scope);
      return this.executeBlock(wanted, scope);
    }
    const branches = [node, ...node.fields('alternative')];
    for (const branch of branches) {
      const condition = branch.field('condition');
      const body = branch.field('consequence') ?? branch.field('body');
      if (body === undefined) continue;
      const truth = condition === undefined ? true : truthOf(this.evaluate(condition, scope));
      if (truth === true) return this.executeBlock(body, scope);
      if (truth === undefined) {
        // Either branch may run, so what both of them set is not known.
        forget(this, node, scope);
        return undefined;
      }
    }
    return undefined;
  }

  private runFor(node: Syntax, scope: Scope): Signal | undefined {
    const [left, right, body] = [node.field('left'), node.field('right'), node.field('body')];
    if (left === undefined || right === undefined || body === undefined) return undefined;
    if (this.isPassedOver(node)) return this.passOver(node, scope);
    const items = this.itemsOf(this.evaluate(right, scope));
    if (this.target?.blockIn(node) === body) return this.runOnce(node, body, items?.[0], scope);
    if (items === undefined) return this.passOver(node, scope);
    for (const item of items) {
      this.assign(left, item, scope);
      const signal = this.executeBlock(body, scope);
      if (signal?.kind === 'return') return signal;
      if (signal?.kind === 'break') break;
    }
    return undefined;
  }

  private runWhile(node: Syntax, scope: Scope): Signal | undefined {
    const [condition, body] = [node.field('condition'), node.field('body')];
    if (condition === undefined || body === undefined) return undefined;
    if (this.isPassedOver(node)) return this.passOver(node, scope);
    if (this.target?.blockIn(node) === body) return this.runOnce(node, body, undefined, scope);
    for (;;) {
      const truth = truthOf(this.evaluate(condition, scope));
      if (truth === undefined) forget(this, node, scope);
      if (truth !== true) return undefined;
      const signal = this.executeBlock(body, scope);
      if (signal?.kind === 'return') return signal;
      if (signal?.kind === 'break') return undefined;
    }
  }

  /** A loop that makes the model: one turn of it makes one. */
  private runOnce(node: Syntax, body: Syntax, item: Value | undefined, scope: Scope): Signal | undefined {
    forget(this, node, scope);
    const left = node.field('left');
    if (left !== undefined && item !== undefined) this.assign(left, item, scope);
    const signal = this.executeBlock(body, scope);
    return signal?.kind === 'return' ? signal : undefined;
  }

  private passOver(loop: Syntax, scope: Scope): undefined {
    forget(this, loop, scope);
    return undefined;
  }

  /** Loops behind a model that is made: they train it. */
  private isPassedOver(loop: Syntax): boolean {
    return (
      (this.isTolerant || this.depth === 0) &&
      this.target?.value !== undefined &&
      !/\.(?:add|append|insert|extend|build)\(/.test(loop.text)
    );
  }

  private makeClass(node: Syntax, scope: Scope): ClassValue {
    const bases =
      node.field('superclasses')?.namedChildren.filter((base) => base.type !== 'keyword_argument') ?? [];
    const inner: Scope = { names: new Map(), parent: scope, globals: new Set() };
    const made: ClassValue = {
      kind: 'class',
      name: node.field('name')?.text ?? '',
      node,
      bases: bases.map((base) => this.evaluate(base, scope)),
      members: inner.names,
    };
    const body = node.field('body');
    if (body !== undefined) this.executeBlock(body, inner);
    for (const [name, member] of inner.names)
      if (member.kind === 'function') inner.names.set(name, { ...member, scope, ofClass: made });
    return made;
  }

  assign(target: Syntax, value: Value, scope: Scope): void {
    assignTo(this, target, value, scope);
  }

  setName(name: string, value: Value, scope: Scope): void {
    (scope.globals.has(name) ? this.globals : scope).names.set(name, value);
  }

  lookUp(name: string, scope: Scope): Value | undefined {
    for (let at: Scope | undefined = scope; at !== undefined; at = at.parent) {
      const value = at.names.get(name);
      if (value !== undefined) return value;
    }
    return undefined;
  }

  lookUpStarred(name: string): Value | undefined {
    return fromStars(this.stars, name);
  }

  /** What a loop over a value runs through; undefined if that is not known. */
  itemsOf(value: Value): readonly Value[] | undefined {
    switch (value.kind) {
      case 'list':
        return value.items;
      case 'dict':
        return [...value.entries.keys()].map((key) => ({ kind: 'string', value: key }));
      case 'sequence':
        return value.items.map((item) => item.value);
      case 'string':
        return Array.from(value.value, (character) => ({ kind: 'string', value: character }));
      default:
        return undefined;
    }
  }

  call(callee: Value, args: CallArguments, node: Syntax): Value {
    this.count(node);
    const value = this.callValue(callee, args, node);
    if (node === this.target?.node) this.target.noteValue(value, callee);
    return value;
  }

  private callValue(callee: Value, args: CallArguments, node: Syntax): Value {
    switch (callee.kind) {
      case 'function':
        return this.callFunction(callee, args, node);
      case 'class':
        return this.instantiate(callee, args, node);
      case 'path':
        return (
          callBuiltin(this, callee.path, args, node) ?? this.library.callPath(this, callee.path, args, node)
        );
      case 'bound':
        return this.library.callMethod(this, callee.self, callee.name, args, node);
      case 'layer':
      case 'sequence':
      case 'instance':
      case 'model':
        return this.library.callModule(this, callee, args, node);
      case 'unknown':
        return callee;
      default:
        return unknownAt(node, `${node.field('function')?.text ?? 'this'} cannot be called here`);
    }
  }

  callFunction(fn: FunctionValue, args: CallArguments, node: Syntax): Value {
    if (this.depth > MAX_DEPTH) throw stopAt(node, 'too-deep', 'Calls lie too deep to be read here.');
    if (this.depth === 0) this.called.set(fn.node, [...(this.called.get(fn.node) ?? []), args]);
    this.depth += 1;
    const before = this.isTolerant;
    this.isTolerant = this.target?.isAround(fn) ?? false;
    try {
      const scope: Scope = { names: new Map(), parent: fn.scope, globals: new Set() };
      bindParameters(this, fn, args, scope, node);
      if (fn.ofClass !== undefined) scope.names.set('__class__', fn.ofClass);
      const body = fn.node.field('body');
      if (body === undefined) return NONE;
      if (fn.node.type === 'lambda') return this.evaluate(body, scope);
      const signal = this.executeBlock(body, scope);
      return signal?.kind === 'return' ? signal.value : NONE;
    } finally {
      this.depth -= 1;
      this.isTolerant = before;
    }
  }

  instantiate(of: ClassValue, args: CallArguments, node: Syntax): Value {
    const value: InstanceValue = { kind: 'instance', ofClass: of, attributes: new Map() };
    this.made.push({ value, args, node });
    value.attributes.set('training', { kind: 'bool', value: false });
    const constructor = findMember(of, '__init__');
    if (constructor?.kind === 'function') this.callFunction({ ...constructor, self: value }, args, node);
    return value;
  }

  /** The attribute of a value; never undefined, but perhaps unknown. */
  attribute(object: Value, name: string, node: Syntax): Value {
    return (
      readAttribute(object, name) ??
      this.library.attribute(this, object, name, node) ??
      unknownAt(node, `${node.text} is not known here`)
    );
  }
}
