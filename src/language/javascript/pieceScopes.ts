import type { Syntax } from '../syntax';
import { isFunction, isTypeOnly } from './nodes';
import { importedNames, parametersOf, patternNames } from './patterns';

export type BindingKind =
  | 'import'
  | 'variable'
  | 'parameter'
  | 'function'
  | 'class'
  | 'enum'
  | 'member'
  /** What a file exports without a name of its own; `node` is the expression. */
  | 'export';

/** A name and what it stands for. */
export interface Binding {
  readonly name: string;
  readonly kind: BindingKind;
  /** The import specifier, declarator, parameter, function, class, or first place of a member. */
  readonly node: Syntax;
  /** Function the binding belongs to; undefined for those of the module. */
  readonly owner: Syntax | undefined;
  /** Class of a member. */
  readonly ofClass?: Syntax;
  /** Every use of the name, its declaration left out. */
  readonly references: Syntax[];
}

/** A name that a statement declares in the module. */
export interface TopName {
  readonly name: string;
  readonly kind: BindingKind;
  /** The name itself. */
  readonly at: Syntax;
  /** What declares it. */
  readonly node: Syntax;
}

export interface FreeName {
  readonly name: string;
  readonly at: Syntax;
}

interface Scope {
  readonly names: Map<string, Binding>;
  readonly parent: Scope | undefined;
  readonly owner: Syntax | undefined;
  /** Whether `var` stops here. */
  readonly isFunction: boolean;
}

const BLOCKS: ReadonlySet<string> = new Set([
  'statement_block',
  'for_statement',
  'for_in_statement',
  'catch_clause',
  'switch_body',
  'class_body',
  'class',
]);

/** What a piece of a file declares and uses, as far as it can be known without the rest. */
export class PieceScopes {
  /** Names that the piece declares in the module, in order. */
  readonly top: TopName[] = [];
  /** Uses of names that the piece does not declare: the module's, or global ones. */
  readonly free: FreeName[] = [];
  readonly names = new Set<string>();
  readonly meant = new Map<Syntax, Binding>();
  readonly declared = new Map<Syntax, Binding[]>();
  private readonly topNodes = new Set<Syntax>();
  private readonly scopes = new Map<Syntax, Scope>();
  private readonly members = new Map<Syntax, Map<string, Binding>>();

  constructor(statement: Syntax) {
    const top: Scope = { names: new Map(), parent: undefined, owner: undefined, isFunction: true };
    this.declare(statement, top);
    this.resolve(statement, top);
    this.scopes.clear();
  }

  memberOf(ofClass: Syntax, name: string): Binding | undefined {
    return this.members.get(ofClass)?.get(name);
  }

  /** First pass: scopes and the names declared in them, so that uses before declarations resolve. */
  private declare(node: Syntax, scope: Scope): void {
    if (isTypeOnly(node)) return;
    const inner = this.openScope(node, scope);
    this.declareNames(node, scope, inner);
    for (const child of node.children) if (child.named) this.declare(child, inner);
  }

  private openScope(node: Syntax, scope: Scope): Scope {
    if (!isFunction(node) && !BLOCKS.has(node.type)) return scope;
    const inner: Scope = isFunction(node)
      ? { names: new Map(), parent: scope, owner: node, isFunction: true }
      : { names: new Map(), parent: scope, owner: scope.owner, isFunction: false };
    this.scopes.set(node, inner);
    return inner;
  }

  private declareNames(node: Syntax, scope: Scope, inner: Scope): void {
    const name = node.field('name');
    switch (node.type) {
      case 'function_declaration':
      case 'generator_function_declaration':
        if (name !== undefined) this.add(scope, 'function', name, node);
        this.declareParameters(node, inner);
        break;
      case 'function_expression':
      case 'generator_function':
        if (name !== undefined) this.add(inner, 'function', name, node);
        this.declareParameters(node, inner);
        break;
      case 'arrow_function':
      case 'method_definition':
        this.declareParameters(node, inner);
        break;
      case 'class_declaration':
      case 'abstract_class_declaration':
        if (name !== undefined) this.add(scope, 'class', name, node);
        break;
      case 'class':
        if (name !== undefined) this.add(inner, 'class', name, node);
        break;
      case 'enum_declaration':
        if (name !== undefined) this.add(scope, 'enum', name, node);
        break;
      case 'variable_declarator': {
        const target = node.parent?.type === 'variable_declaration' ? functionScope(scope) : scope;
        if (name !== undefined) this.addPattern(target, 'variable', name, node);
        break;
      }
      case 'for_in_statement': {
        const left = node.field('left');
        if (left !== undefined && node.field('kind') !== undefined)
          this.addPattern(inner, 'variable', left, left);
        break;
      }
      case 'catch_clause': {
        const parameter = node.field('parameter');
        if (parameter !== undefined) this.addPattern(inner, 'variable', parameter, parameter);
        break;
      }
      case 'import_statement':
        for (const local of importedNames(node)) this.add(scope, 'import', local, node);
        break;
      case 'class_body':
        this.declareMembers(node);
        break;
      default:
        break;
    }
  }

  private declareParameters(node: Syntax, inner: Scope): void {
    for (const parameter of parametersOf(node)) this.addPattern(inner, 'parameter', parameter, parameter);
  }

  private declareMembers(body: Syntax): void {
    const ofClass = body.parent;
    if (ofClass === null) return;
    for (const member of body.namedChildren) {
      const name = member.field('name') ?? member.field('property');
      if (name !== undefined) this.addMember(ofClass, name.text, member);
    }
    for (const node of body.walk()) {
      const left = node.type === 'assignment_expression' ? node.field('left') : undefined;
      if (left?.type === 'member_expression' && left.field('object')?.type === 'this')
        this.addMember(ofClass, left.field('property')?.text ?? '', left);
      if (
        node.type === 'required_parameter' &&
        node.child('accessibility_modifier', 'readonly') !== undefined
      )
        this.addMember(ofClass, node.field('pattern')?.text ?? '', node);
    }
  }

  private addMember(ofClass: Syntax, name: string, node: Syntax): void {
    const members = this.members.get(ofClass) ?? new Map<string, Binding>();
    this.members.set(ofClass, members);
    if (members.has(name)) return;
    const binding: Binding = { name, kind: 'member', node, owner: undefined, ofClass, references: [] };
    members.set(name, binding);
    this.names.add(name);
    this.declared.set(node, [...(this.declared.get(node) ?? []), binding]);
  }

  private addPattern(scope: Scope, kind: BindingKind, pattern: Syntax, node: Syntax): void {
    for (const name of patternNames(pattern)) this.add(scope, kind, name, node);
  }

  private add(scope: Scope, kind: BindingKind, name: Syntax, node: Syntax): void {
    this.names.add(name.text);
    if (scope.parent === undefined) {
      this.top.push({ name: name.text, kind, at: name, node });
      this.topNodes.add(name);
      return;
    }
    const known = scope.names.get(name.text);
    const binding = known ?? { name: name.text, kind, node, owner: scope.owner, references: [] };
    if (known === undefined) scope.names.set(name.text, binding);
    this.meant.set(name, binding);
    this.declared.set(node, [...(this.declared.get(node) ?? []), binding]);
  }

  /** Second pass: what every use means. */
  private resolve(node: Syntax, scope: Scope): void {
    if (isTypeOnly(node)) return;
    const inner = this.scopes.get(node) ?? scope;
    if (NAMES.has(node.type)) this.resolveName(node, inner);
    else if (node.type === 'member_expression' && node.field('object')?.type === 'this')
      this.resolveMember(node);
    for (const child of node.children) if (child.named) this.resolve(child, inner);
  }

  private resolveName(node: Syntax, scope: Scope): void {
    if (this.meant.has(node) || this.topNodes.has(node)) return;
    const name = node.text;
    for (let at: Scope | undefined = scope; at !== undefined; at = at.parent) {
      const binding = at.names.get(name);
      if (binding === undefined) continue;
      this.meant.set(node, binding);
      binding.references.push(node);
      return;
    }
    this.free.push({ name, at: node });
  }

  private resolveMember(node: Syntax): void {
    for (const ancestor of node.ancestors()) {
      // A plain function has its own `this`.
      if (ancestor.type === 'function_declaration' || ancestor.type === 'function_expression') return;
      if (ancestor.type !== 'class_body' || ancestor.parent === null) continue;
      const binding = this.memberOf(ancestor.parent, node.field('property')?.text ?? '');
      if (binding === undefined) return;
      this.meant.set(node, binding);
      binding.references.push(node);
      return;
    }
  }
}

const NAMES: ReadonlySet<string> = new Set([
  'identifier',
  'shorthand_property_identifier',
  'shorthand_property_identifier_pattern',
]);

function functionScope(scope: Scope): Scope {
  return scope.isFunction || scope.parent === undefined ? scope : functionScope(scope.parent);
}
