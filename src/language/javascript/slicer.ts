import type { Syntax } from '../syntax';
import { bindingOfClass, isClassExpression } from './classes';
import { isCutClass, isCuttable } from './cuts';
import {
  argumentsOf,
  enclosingFunction,
  enclosingStatement,
  isFunction,
  isStatement,
  isStatementOfItsOwn,
  isTypeOnly,
  jumpsIn,
  ownNodes,
  unwrap,
} from './nodes';
import { calledFunction, functionOf, ownerOf, parameterBindings, type Mutation } from './mutations';
import { skippedBranch } from './loads';
import { isKeyRead } from './uses';
import type { LinkedScopes } from './linkedScopes';
import type { Binding } from './scopes';
import type { Slice, SlicedProgram, SliceRoot } from './slice';
import { harmlessThrows } from './throws';
import { isGivenLibrary } from './tfNames';

/**
 * Collects the statements that a model needs: a backward slice, insensitive to the order of statements. A statement
 * is in it when it declares or changes something that is needed, with the conditions and loops around it.
 */
export function computeSlice(root: SliceRoot, program: SlicedProgram): Slice {
  return new Slicer(root, program).run();
}

class Slicer implements Slice {
  readonly included = new Set<Syntax>();
  readonly needed = new Set<Binding>();
  readonly aliases = new Set<Binding>();
  readonly cutClasses = new Set<Syntax>();
  private readonly classes = new Set<Syntax>();
  private readonly active = new Set<Syntax>();
  private readonly valued = new Set<Syntax>();
  private readonly properties = new Set<string>();
  /** How many deferred arguments were collected: each may hold calls with arguments of their own. */
  private collected = 0;
  /** Arguments that count only if the parameter they are for is needed. */
  private deferred: { argument: Syntax; parameters: readonly Binding[] }[] = [];

  private readonly scopes: LinkedScopes;
  readonly cutObject: Syntax | undefined;
  /** All of the object is used, not only some of its keys. */
  private isWhole = false;

  constructor(
    private readonly root: SliceRoot,
    private readonly program: SlicedProgram,
  ) {
    this.scopes = program.scopes;
    const value = root.menu?.binding.node.field('value');
    const object = value === undefined ? undefined : unwrap(value);
    this.cutObject = object?.type === 'object' ? object : undefined;
  }

  run(): Slice {
    for (const fn of this.root.chain) this.active.add(fn);
    for (const expression of this.root.expressions) this.collect(expression);
    for (const binding of this.root.needs) this.need(binding);
    const innermost = this.root.chain.at(-1);
    if (innermost !== undefined && (this.root.returns || this.isAllOf(innermost))) this.value(innermost);
    let size = -1;
    while (size !== this.size()) {
      size = this.size();
      for (const binding of [...this.needed]) this.includeMutations(binding);
      this.collectDeferred();
      this.includeJumps();
    }
    this.includeThrows();
    return this;
  }

  /** An arrow's expression is all that it does, unless only a part of it is asked for. */
  private isAllOf(fn: Syntax): boolean {
    const body = fn.field('body');
    return (
      body?.type !== 'statement_block' && !this.root.expressions.some((part) => body?.contains(part) === true)
    );
  }

  isCut(fn: Syntax | undefined): boolean {
    return fn === undefined || this.isCuttable(fn);
  }

  private size(): number {
    return (
      this.included.size +
      this.needed.size +
      this.active.size +
      this.valued.size +
      this.properties.size +
      this.collected
    );
  }

  private isCuttable(fn: Syntax): boolean {
    return isCuttable(fn, this.root.chain, this.scopes);
  }

  private need(binding: Binding, valued = true): void {
    const fn = functionOf(binding);
    if (fn !== undefined && valued) this.value(fn);
    if (this.needed.has(binding)) return;
    this.needed.add(binding);
    switch (binding.kind) {
      case 'parameter':
        this.collect(binding.node);
        return;
      case 'member':
        this.needMember(binding);
        return;
      case 'class':
        this.include(binding.node);
        this.needClass(binding.node);
        return;
      case 'variable':
        this.included.add(binding.node);
        this.include(binding.node);
        if (isGivenLibrary(binding, this.scopes) || this.root.boxes.includes(binding)) return;
        if (fn !== undefined && this.isCuttable(fn)) this.activate(fn);
        else if (binding === this.root.menu?.binding && this.cutObject !== undefined) this.needEntries();
        else if (binding.node.type === 'variable_declarator') this.collect(binding.node);
        return;
      case 'function':
        this.include(binding.node);
        if (this.isCuttable(binding.node)) this.activate(binding.node);
        else this.collect(binding.node);
        return;
      case 'import':
      case 'enum':
        this.include(binding.node);
        return;
      case 'export':
        this.collect(binding.node);
        return;
    }
  }

  private needClass(node: Syntax): void {
    if (this.classes.has(node)) return;
    this.classes.add(node);
    const heritage = node.child('class_heritage');
    if (heritage !== undefined) this.collect(heritage);
    const body = node.field('body');
    if (body === undefined) return;
    if (!isCutClass(node, this.scopes)) {
      this.collect(body);
      return;
    }
    this.cutClasses.add(node);
    for (const member of body.namedChildren) {
      const name = member.field('name')?.text ?? member.field('property')?.text ?? '';
      const binding = this.scopes.memberOf(node, name);
      if (binding !== undefined && (name === 'constructor' || this.properties.has(name))) this.need(binding);
    }
  }

  private needMember(binding: Binding): void {
    const node = binding.node;
    if (binding.ofClass !== undefined) {
      const owner = bindingOfClass(binding.ofClass, this.scopes);
      if (owner !== undefined) this.need(owner);
      this.needClass(binding.ofClass);
    }
    const fn = functionOf(binding);
    if (fn !== undefined) {
      this.included.add(node);
      this.activate(fn);
      if (binding.name === 'constructor') this.includeSuperCall(node);
    } else if (node.parent?.type === 'class_body') {
      this.included.add(node);
      this.collect(node);
    } else if (node.type === 'required_parameter') {
      for (const parameter of this.scopes.declaredBy(node)) if (parameter !== binding) this.need(parameter);
    }
  }

  private includeSuperCall(constructor: Syntax): void {
    for (const node of constructor.walk())
      if (node.type === 'super' && node.parent?.type === 'call_expression') this.include(node);
  }

  private activate(fn: Syntax): void {
    if (this.active.has(fn)) return;
    this.active.add(fn);
    this.includeReturns(fn);
  }

  /** The value that a function returns is used. */
  private value(fn: Syntax): void {
    if (this.valued.has(fn)) return;
    this.valued.add(fn);
    this.includeReturns(fn);
  }

  private includeReturns(fn: Syntax): void {
    const body = fn.field('body');
    if (body === undefined || !this.active.has(fn)) return;
    if (body.type !== 'statement_block') {
      this.collect(body);
    } else if (this.valued.has(fn)) {
      for (const node of ownNodes(body)) if (node.type === 'return_statement') this.include(node);
    }
  }

  private include(node: Syntax): void {
    const statement = enclosingStatement(node);
    if (statement === undefined || this.included.has(statement) || this.isSkipped(statement)) return;
    this.included.add(statement);
    const around = statement.parent;
    if (around !== null) {
      const outer = enclosingStatement(around);
      if (outer !== undefined && enclosingFunction(outer) === enclosingFunction(statement))
        this.include(outer);
    }
    this.collectStatement(statement);
  }

  private isSkipped(node: Syntax): boolean {
    const { skipped } = this.program;
    return skipped.size > 0 && [node, ...node.ancestors()].some((at) => skipped.has(at));
  }

  /** What a statement itself reads: for a compound one, its condition. */
  private collectStatement(statement: Syntax): void {
    const isDecided = skippedBranch(statement, this.program.skipped) !== undefined;
    for (const child of statement.children) {
      if (!child.named || isStatement(child) || isTypeOnly(child)) continue;
      if (isDecided && child.fieldName === 'condition') continue;
      if (statement.type === 'for_statement' && child.type.endsWith('_declaration')) {
        this.collect(child);
        continue;
      }
      // What a declaration declares is needed name by name.
      const declares = [statement.type, child.type].some((type) => type.endsWith('_declaration'));
      if (declares || statement.type === 'import_statement') continue;
      if (
        child.type === 'statement_block' ||
        child.type.endsWith('_clause') ||
        child.type.startsWith('switch_')
      )
        this.collectStatement(child);
      else this.collect(child);
    }
  }

  /** Needs everything that an expression uses. */
  private collect(node: Syntax): void {
    if (isTypeOnly(node) || this.program.skipped.has(node)) return;
    if (isFunction(node) && this.isCuttable(node) && !this.root.chain.includes(node)) return;
    if (node.type === 'call_expression' && this.collectCall(node)) return;
    const binding = this.scopes.bindingOf(node);
    if (binding !== undefined) this.need(binding);
    if (binding !== undefined && binding === this.root.menu?.binding && !isKeyRead(node)) {
      this.isWhole = true;
      this.needEntries();
    }
    if (isClassExpression(node) && isCutClass(node, this.scopes)) return this.needClass(node);
    this.useAlias(node);
    if (node.type === 'property_identifier') this.useProperty(node.text);
    const isDecided = skippedBranch(node, this.program.skipped) !== undefined;
    for (const child of node.children)
      if (child.named && !(isDecided && child.fieldName === 'condition')) this.collect(child);
  }

  /** What is reached in another file is needed there; what is not named one by one is needed as a whole. */
  private useAlias(node: Syntax): void {
    const alias = this.scopes.aliasOf(node);
    if (alias === undefined) return;
    this.aliases.add(alias);
    const link = this.scopes.linkOf(alias);
    const isNamed = node.parent?.type === 'member_expression' && node.parent.field('object') === node;
    if (link?.kind !== 'namespace' || isNamed) return;
    for (const name of this.scopes.exportedNames(link.module)) {
      const exported = this.scopes.exported(link.module, name);
      if (exported?.kind === 'binding') this.need(exported.binding);
    }
  }

  /** @returns whether the call was of a function of these files, so that its arguments count one by one */
  private collectCall(call: Syntax): boolean {
    const fn = calledFunction(call, this.scopes);
    const callee = call.field('function');
    const binding = callee === undefined ? undefined : this.scopes.bindingOf(callee);
    if (fn === undefined || binding === undefined || !this.isCuttable(fn)) return false;
    this.need(binding, !isStatementOfItsOwn(call));
    if (callee !== undefined) this.useAlias(callee);
    const owner = callee?.type === 'member_expression' ? callee.field('object') : undefined;
    if (owner !== undefined && owner.type !== 'this') this.collect(owner);
    argumentsOf(call).forEach((argument, index) => {
      const parameters = parameterBindings(fn, index, this.scopes);
      const spread = argumentsOf(call).some((other) => other.type === 'spread_element');
      if (spread) this.collect(argument);
      else this.deferred.push({ argument, parameters });
    });
    return true;
  }

  private collectDeferred(): void {
    const waiting = this.deferred;
    this.deferred = [];
    for (const entry of waiting) {
      const owner = ownerOf(entry.argument, this.scopes);
      if (owner !== undefined && this.needed.has(owner))
        for (const parameter of entry.parameters)
          if (this.relevantMutations(parameter).length > 0) this.need(parameter);
      if (entry.parameters.some((parameter) => this.needed.has(parameter))) {
        this.collected += 1;
        this.collect(entry.argument);
      } else this.deferred.push(entry);
    }
  }

  /** Of an object of functions, those that are called. */
  private needEntries(): void {
    const { menu } = this.root;
    if (menu === undefined || !this.needed.has(menu.binding)) return;
    for (const entry of this.cutObject?.namedChildren ?? []) {
      const key = (entry.field('key') ?? entry.field('name'))?.text;
      const value = entry.field('value');
      const isFunctional = isFunction(entry) || (value !== undefined && isFunction(unwrap(value)));
      const isUsed = key === undefined || key === menu.key || this.properties.has(key);
      if (this.included.has(entry) || (isFunctional && !isUsed && !this.isWhole)) continue;
      this.included.add(entry);
      this.collect(entry);
    }
  }

  private useProperty(name: string): void {
    if (this.properties.has(name)) return;
    this.properties.add(name);
    this.needEntries();
    for (const ofClass of this.cutClasses) {
      const member = this.scopes.memberOf(ofClass, name);
      if (member !== undefined) this.need(member);
    }
  }

  private relevantMutations(binding: Binding, seen = new Set<Binding>()): readonly Mutation[] {
    if (seen.has(binding) || isGivenLibrary(binding, this.scopes)) return [];
    seen.add(binding);
    return (this.program.mutations.get(binding) ?? []).filter((mutation) => {
      if (this.isOther(binding, mutation)) return false;
      if (mutation.through === undefined) return true;
      return parameterBindings(mutation.through.fn, mutation.through.index, this.scopes).some(
        (parameter) => this.relevantMutations(parameter, seen).length > 0,
      );
    });
  }

  /** Of the object that holds the model, what nothing reads may stay as it is. */
  private isOther(binding: Binding, { key }: Mutation): boolean {
    const { holder } = this.root;
    const isHolder = holder !== undefined && holder.binding === binding && key !== undefined;
    return isHolder && key !== holder.key && !this.properties.has(key);
  }

  private includeMutations(binding: Binding): void {
    for (const mutation of this.relevantMutations(binding)) {
      // The body of a chain's function is the entry itself, so nothing may call it.
      if (mutation.via.some((fn) => this.root.chain.includes(fn))) continue;
      const fn = mutation.inFunction;
      if (fn === undefined || this.active.has(fn)) this.include(mutation.statement);
    }
  }

  /** `break` and `continue` in loops that are in the slice. */
  private includeJumps(): void {
    for (const statement of [...this.included]) for (const jump of jumpsIn(statement)) this.include(jump);
  }

  /** Checks that throw are kept where they look only at what is needed anyway. */
  private includeThrows(): void {
    for (const fn of [...this.active])
      for (const node of harmlessThrows(fn, this.needed, this.scopes)) this.include(node);
  }
}
