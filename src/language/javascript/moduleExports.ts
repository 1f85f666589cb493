import type { Syntax } from '../syntax';
import { argumentsOf, enclosingFunction, unwrap } from './nodes';
import { patternNames } from './patterns';
import type { Binding, ScopeTable } from './scopes';

/** What a file gives out under a name. */
export type ExportEntry =
  | { readonly kind: 'binding'; readonly binding: Binding }
  /** An expression without a name: `export default tf.sequential(…)`, `exports.make = () => …`. */
  | { readonly kind: 'expression'; readonly node: Syntax }
  /** Another module's: `name` there, or all of it for `*`. */
  | { readonly kind: 'from'; readonly source: string; readonly name: string };

/** Everything that a file exports. */
export interface ModuleExports {
  readonly names: ReadonlyMap<string, ExportEntry>;
  /** Sources of `export * from`. */
  readonly stars: readonly string[];
  /** `module.exports = …` or `export = …`, where that is no object with names. */
  readonly whole: ExportEntry | undefined;
}

/** The module that `require('./x')` asks for, at the top level or not. */
export function requiredSource(node: Syntax): string | undefined {
  const inner = unwrap(node);
  if (inner.type !== 'call_expression' || inner.field('function')?.text !== 'require') return undefined;
  const argument = argumentsOf(inner)[0];
  return argument?.type === 'string' ? argument.text.slice(1, -1) : undefined;
}

/** The module that an import or re-export names. */
export function sourceOf(statement: Syntax): string | undefined {
  const source = statement.field('source') ?? statement.child('import_require_clause')?.child('string');
  return source?.text.slice(1, -1);
}

/** Reads what a file exports, in ES modules, CommonJS and TypeScript's own way. */
export function readExports(root: Syntax, scopes: ScopeTable): ModuleExports {
  const reader = new ExportReader(scopes);
  for (const statement of root.namedChildren) reader.readStatement(statement);
  return reader;
}

class ExportReader implements ModuleExports {
  readonly names = new Map<string, ExportEntry>();
  readonly stars: string[] = [];
  whole: ExportEntry | undefined;

  constructor(private readonly scopes: ScopeTable) {}

  readStatement(statement: Syntax): void {
    if (statement.type === 'export_statement') this.readExport(statement);
    if (statement.type !== 'expression_statement') return;
    const assignment = statement.namedChildren[0];
    if (assignment?.type === 'assignment_expression') this.readAssignment(assignment);
  }

  private readExport(statement: Syntax): void {
    const source = sourceOf(statement);
    const clause = statement.child('export_clause');
    if (clause !== undefined) {
      for (const specifier of clause.namedChildren) this.readSpecifier(specifier, source);
      return;
    }
    if (source !== undefined) {
      const name = statement.child('namespace_export')?.namedChildren[0]?.text;
      if (name === undefined) this.stars.push(source);
      else this.names.set(name, { kind: 'from', source, name: '*' });
      return;
    }
    const isDefault = statement.child('default') !== undefined;
    const declaration = statement.field('declaration') ?? statement.field('value');
    if (declaration !== undefined && isDefault) this.names.set('default', this.entryOf(declaration));
    else if (declaration !== undefined) this.readDeclaration(declaration);
    else if (statement.child('=') !== undefined) {
      const value = statement.namedChildren[0];
      if (value !== undefined) this.readWhole(value);
    }
  }

  private readSpecifier(specifier: Syntax, source: string | undefined): void {
    const local = specifier.field('name');
    const name = (specifier.field('alias') ?? local)?.text;
    if (local === undefined || name === undefined) return;
    const binding = this.scopes.bindingOf(local);
    if (source !== undefined) this.names.set(name, { kind: 'from', source, name: local.text });
    else if (binding !== undefined) this.names.set(name, { kind: 'binding', binding });
  }

  private readDeclaration(declaration: Syntax): void {
    const declarators = declaration.namedChildren.filter((child) => child.type === 'variable_declarator');
    for (const node of declarators.length === 0 ? [declaration] : declarators)
      for (const binding of this.scopes.declaredBy(node))
        if (binding.owner === undefined) this.names.set(binding.name, { kind: 'binding', binding });
  }

  private entryOf(node: Syntax): ExportEntry {
    // The name of a function or class that is an expression is known only inside of it.
    const own = node.type.endsWith('_declaration') ? this.scopes.declaredBy(node)[0] : undefined;
    const binding = own ?? this.scopes.bindingOf(unwrap(node));
    return binding === undefined ? { kind: 'expression', node } : { kind: 'binding', binding };
  }

  private readAssignment(assignment: Syntax): void {
    const [left, right] = [assignment.field('left'), assignment.field('right')];
    if (left === undefined || right === undefined || enclosingFunction(assignment) !== undefined) return;
    const path = left.text.replace(/\s+/g, '');
    if (path === 'module.exports') {
      this.readWhole(right);
      return;
    }
    const name = /^(?:module\.)?exports\.([\w$]+)$/.exec(path)?.[1];
    if (name !== undefined) this.names.set(name, this.entryOf(right));
  }

  private readWhole(value: Syntax): void {
    const object = unwrap(value);
    const required = requiredSource(object);
    if (required !== undefined) this.stars.push(required);
    else if (object.type === 'object') for (const entry of object.namedChildren) this.readProperty(entry);
    else this.whole = this.entryOf(value);
  }

  private readProperty(entry: Syntax): void {
    if (entry.type === 'shorthand_property_identifier') this.names.set(entry.text, this.entryOf(entry));
    const key = entry.field('key')?.text.replace(/^['"]|['"]$/g, '');
    const value = entry.field('value');
    if (entry.type === 'pair' && key !== undefined && value !== undefined)
      this.names.set(key, this.entryOf(value));
    if (entry.type !== 'spread_element') return;
    const spread = entry.namedChildren[0];
    const source = spread === undefined ? undefined : requiredSource(spread);
    if (source !== undefined) this.stars.push(source);
  }
}

/** What a local name of a file is of another module: `*` for all of it. */
export interface ImportedName {
  readonly source: string;
  readonly name: string;
  /** The name is bound to `module.exports` itself, as `require` gives it. */
  readonly required: boolean;
}

/** What an import, or a variable that holds what `require` gives, stands for. */
export function importedName(binding: Binding): ImportedName | undefined {
  if (binding.kind === 'import') return fromStatement(binding);
  const { node } = binding;
  if (binding.kind !== 'variable' || node.type !== 'variable_declarator' || binding.owner !== undefined)
    return undefined;
  const value = node.field('value');
  const pattern = node.field('name');
  if (value === undefined || pattern === undefined) return undefined;
  const inner = unwrap(value);
  const object = inner.type === 'member_expression' ? inner.field('object') : undefined;
  const source = requiredSource(object ?? inner);
  if (source === undefined) return undefined;
  const member = object === undefined ? undefined : inner.field('property')?.text;
  if (pattern.type === 'identifier') return { source, name: member ?? '*', required: member === undefined };
  const key =
    member === undefined && pattern.type === 'object_pattern' ? keyIn(pattern, binding.name) : undefined;
  return key === undefined ? undefined : { source, name: key, required: false };
}

function fromStatement(binding: Binding): ImportedName | undefined {
  const statement = binding.node;
  const source = sourceOf(statement);
  if (source === undefined) return undefined;
  if (statement.child('import_require_clause') !== undefined) return { source, name: '*', required: true };
  for (const node of statement.child('import_clause')?.namedChildren ?? []) {
    if (node.type === 'identifier' && node.text === binding.name)
      return { source, name: 'default', required: false };
    if (node.type === 'namespace_import' && node.namedChildren[0]?.text === binding.name)
      return { source, name: '*', required: false };
    if (node.type !== 'named_imports') continue;
    for (const specifier of node.namedChildren) {
      const name = specifier.field('name')?.text;
      if (name !== undefined && (specifier.field('alias')?.text ?? name) === binding.name)
        return { source, name, required: false };
    }
  }
  return undefined;
}

/** The key under which `{ a, b: c }` binds a name. */
function keyIn(pattern: Syntax, local: string): string | undefined {
  for (const entry of pattern.namedChildren) {
    if (entry.type === 'shorthand_property_identifier_pattern' && entry.text === local) return local;
    const value = entry.type === 'pair_pattern' ? entry.field('value') : undefined;
    if (value !== undefined && patternNames(value).some((name) => name.text === local))
      return entry.field('key')?.text;
  }
  return undefined;
}
