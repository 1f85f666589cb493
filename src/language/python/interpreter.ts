import type { Syntax } from '../syntax';
import { evaluateExpression } from './expressions';
import type { Graph } from './graph';
import { findMember, type CallArguments, type Evaluator, type Library } from './evaluation';
import { readAttribute, writeAttribute } from './attributes';
import { callBuiltin } from './builtins';
import { bindParameters } from './parameters';
import {
  NONE,
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
  private steps = 0;
  private depth = 0;

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
        this.forget(statement, this.globals);
        if (!(thrown instanceof Error)) throw thrown;
      }
    }
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
      const signal = this.execute(statement, scope);
      if (signal !== undefined) return signal;
    }
    return undefined;
  }

  private execute(node: Syntax, scope: Scope): Signal | undefined {
    this.count(node);
    switch (node.type) {
      case 'expression_statement':
        for (const child of node.namedChildren) this.evaluate(child, scope);
        return undefined;
      case 'import_statement':
      case 'import_from_statement':
        this.runImport(node, scope);
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
      default:
        return undefined;
    }
  }

  private define(node: Syntax, scope: Scope, value: Value): void {
    const name = node.field('name')?.text;
    if (name !== undefined) this.setName(name, value, scope);
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
    const body = node.field('body');
    return body === undefined ? undefined : this.executeBlock(body, scope);
  }

  private runIf(node: Syntax, scope: Scope): Signal | undefined {
    const branches = [node, ...node.fields('alternative')];
    for (const branch of branches) {
      const condition = branch.field('condition');
      const body = branch.field('consequence') ?? branch.field('body');
      if (body === undefined) continue;
      const truth = condition === undefined ? true : truthOf(this.evaluate(condition, scope));
      if (truth === true) return this.executeBlock(body, scope);
      if (truth === undefined) {
        // Either branch may run, so what both of them set is not known.
        this.forget(node, scope);
        return undefined;
      }
    }
    return undefined;
  }

  private runFor(node: Syntax, scope: Scope): Signal | undefined {
    const [left, right, body] = [node.field('left'), node.field('right'), node.field('body')];
    if (left === undefined || right === undefined || body === undefined) return undefined;
    const items = this.itemsOf(this.evaluate(right, scope));
    if (items === undefined) {
      this.forget(node, scope);
      return undefined;
    }
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
    for (;;) {
      const truth = truthOf(this.evaluate(condition, scope));
      if (truth === undefined) this.forget(node, scope);
      if (truth !== true) return undefined;
      const signal = this.executeBlock(body, scope);
      if (signal?.kind === 'return') return signal;
      if (signal?.kind === 'break') return undefined;
    }
  }

  /** Names and attributes that a piece of code would set are not known after it. */
  private forget(node: Syntax, scope: Scope): void {
    for (const inner of node.walk((child) => child === node || !/definition$/.test(child.type))) {
      const left =
        /assignment$/.test(inner.type) || inner.type === 'for_statement' ? inner.field('left') : undefined;
      if (left !== undefined) this.assign(left, unknownAt(left, 'it depends on what is not known'), scope);
    }
  }

  private runImport(node: Syntax, scope: Scope): void {
    const module = node.field('module_name')?.text;
    for (const entry of node.fields('name')) {
      const name = entry.field('name')?.text ?? entry.text;
      const alias = entry.field('alias')?.text;
      const path = module === undefined ? name : `${module}.${name}`;
      if (module === undefined && alias === undefined) {
        const top = name.split('.')[0] ?? name;
        this.setName(top, { kind: 'path', path: top }, scope);
      } else {
        const isOwn = module?.startsWith('.') ?? false;
        this.setName(
          alias ?? name,
          isOwn ? unknownAt(entry, `${name} is declared in another file`) : { kind: 'path', path },
          scope,
        );
      }
    }
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

  /** Binds a name, a tuple of names, an attribute or an item. */
  assign(target: Syntax, value: Value, scope: Scope): void {
    switch (target.type) {
      case 'identifier':
      case 'as_pattern_target':
        this.setName(target.text, value, scope);
        return;
      case 'attribute': {
        const object = target.field('object');
        const name = target.field('attribute')?.text;
        if (object !== undefined && name !== undefined)
          writeAttribute(this.evaluate(object, scope), name, value);
        return;
      }
      case 'pattern_list':
      case 'tuple_pattern':
      case 'list_pattern':
      case 'tuple':
      case 'expression_list': {
        const items = this.itemsOf(value);
        target.namedChildren.forEach((child, index) => {
          this.assign(child, items?.[index] ?? unknownAt(child, 'it comes out of something unknown'), scope);
        });
        return;
      }
      case 'subscript':
        this.assignItem(target, value, scope);
        return;
      default:
    }
  }

  private assignItem(target: Syntax, value: Value, scope: Scope): void {
    const [object, index] = [target.field('value'), target.field('subscript')];
    if (object === undefined || index === undefined) return;
    const holder = this.evaluate(object, scope);
    const key = this.evaluate(index, scope);
    if (holder.kind === 'dict' && key.kind === 'string') holder.entries.set(key.value, value);
    if (holder.kind === 'list' && key.kind === 'number') holder.items[key.value] = value;
  }

  private setName(name: string, value: Value, scope: Scope): void {
    (scope.globals.has(name) ? this.globals : scope).names.set(name, value);
  }

  lookUp(name: string, scope: Scope): Value | undefined {
    for (let at: Scope | undefined = scope; at !== undefined; at = at.parent) {
      const value = at.names.get(name);
      if (value !== undefined) return value;
    }
    return undefined;
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
