import type { Syntax } from '../syntax';
import { classOf, memberName, memberOfFunction } from './classes';
import { findMadeModels, type MadeModel } from './findModels';
import { functionOf } from './mutations';
import { sourceOf } from './moduleExports';
import type { Binding } from './scopes';
import type { ScriptProgram } from './scriptProgram';

/** A name of the main file behind which another file may make a model. */
interface Reach {
  readonly binding: Binding;
  readonly name: string;
  readonly nameNode: Syntax;
  readonly use: Syntax | undefined;
}

/** The models that a file has from others: those that it uses or hands on. */
export function findImportedModels(script: ScriptProgram): MadeModel[] {
  const others = script.modules.slice(1);
  if (others.length === 0) return [];
  const made = others.flatMap((module) => findMadeModels(module, script.scopes));
  const found = new Map<MadeModel, MadeModel>();
  for (const reach of [...listUses(script), ...listReexports(script)]) {
    for (const model of made) {
      if (found.has(model) || !leadsTo(reach.binding, model)) continue;
      const { name, nameNode, use } = reach;
      const path = pathWithin(model);
      found.set(model, {
        ...model,
        name: path === undefined ? name : `${name}.${path}`,
        nameNode,
        via: use === undefined ? {} : { use },
      });
    }
  }
  return [...found.values()];
}

function leadsTo(binding: Binding, { origin }: MadeModel): boolean {
  switch (origin.kind) {
    case 'variable':
      return origin.inFunction === undefined && origin.binding === binding && origin.path === '';
    case 'function':
      return origin.binding === binding || functionOf(binding) === origin.fn;
    case 'method':
    case 'field':
    case 'instance':
      return classOf(binding) === origin.ofClass;
    case 'property':
      return origin.binding === binding;
    case 'expression':
      return binding.kind === 'export' && binding.node === origin.expression;
  }
}

/** What follows the name: the method of a class, the key of an object. */
function pathWithin({ origin }: MadeModel): string | undefined {
  if (origin.kind === 'property') return origin.path;
  if (origin.kind === 'field') return `${origin.member.name}${origin.path}`;
  return origin.kind === 'method' ? memberName(memberOfFunction(origin.fn) ?? origin.fn) : undefined;
}

/** Uses of imported names in the main file, the first of each. */
function listUses(script: ScriptProgram): Reach[] {
  const { main, scopes } = script;
  const seen = new Set<Binding>();
  return main.root.walk().flatMap((node): Reach[] => {
    if (node.type !== 'identifier' && node.type !== 'member_expression') return [];
    const binding = scopes.bindingOf(node);
    const isForeign = binding !== undefined && binding.node.tree !== main.root.tree;
    if (!isForeign || seen.has(binding) || isDeclaration(node)) return [];
    seen.add(binding);
    const nameNode = node.type === 'member_expression' ? (node.field('property') ?? node) : node;
    return [{ binding, name: nameNode.text, nameNode, use: node }];
  });
}

/** Whether a name stands in the import or `require` that declares it. */
function isDeclaration(node: Syntax): boolean {
  for (const ancestor of node.ancestors()) {
    if (/^(?:import_statement|object_pattern)$/.test(ancestor.type)) return true;
    if (ancestor.type === 'variable_declarator') return ancestor.field('name') === node;
  }
  return false;
}

/** What the main file hands on without a name of its own: `export … from`. */
function listReexports(script: ScriptProgram): Reach[] {
  const { main, scopes } = script;
  return main.root.namedChildren.flatMap((statement): Reach[] => {
    const source = statement.type === 'export_statement' ? sourceOf(statement) : undefined;
    const module = source === undefined ? undefined : main.resolve(source);
    if (module === undefined) return [];
    const specifiers = statement.child('export_clause')?.namedChildren;
    const names = specifiers?.map((specifier) => {
      const node = specifier.field('name') ?? specifier;
      return { from: node.text, name: specifier.field('alias')?.text ?? node.text, node };
    });
    const all = scopes.exportedNames(module).map((name) => ({ from: name, name, node: statement }));
    return (names ?? all).flatMap(({ from, name, node }) => {
      const link = scopes.exported(module, from);
      return link?.kind === 'binding'
        ? [{ binding: link.binding, name, nameNode: node, use: undefined }]
        : [];
    });
  });
}
