import type { Syntax, SyntaxTree } from '../syntax';
import { importedName, readExports, type ExportEntry, type ModuleExports } from './moduleExports';
import type { Binding, FileScopes, PackageExport, ProgramScopes, ScopeTable } from './scopes';

/** A file whose names can be linked. */
export interface LinkableModule {
  readonly root: Syntax;
  /** Names within the file alone. */
  readonly local: FileScopes;
  /** The module that a specifier means; undefined for packages and files that are not there. */
  readonly resolve: (specifier: string) => LinkableModule | undefined;
}

/** What a name stands for after every import is followed. */
export type Link =
  | { readonly kind: 'binding'; readonly binding: Binding }
  | { readonly kind: 'namespace'; readonly module: LinkableModule }
  | { readonly kind: 'package'; readonly from: PackageExport };

/**
 * The names of several files as one table: an imported name means what the other file declares, however it is
 * exported, so that whoever asks need not know of files.
 */
export class LinkedScopes implements ProgramScopes {
  private readonly exports = new Map<LinkableModule, ModuleExports>();
  private readonly links = new Map<Binding, Link | undefined>();
  private readonly expressions = new Map<Syntax, Binding>();
  private readonly byTree: ReadonlyMap<SyntaxTree, LinkableModule>;

  constructor(private readonly modules: readonly LinkableModule[]) {
    this.byTree = new Map(modules.map((module) => [module.root.tree, module]));
    if (modules.length > 1) for (const module of modules) this.shareReferences(module);
  }

  declares(name: string): boolean {
    return this.modules.some((module) => module.local.declares(name));
  }

  bindingOf(node: Syntax): Binding | undefined {
    const local = this.tableOf(node)?.bindingOf(node);
    if (local !== undefined) {
      const link = this.linkOf(local);
      return link?.kind === 'binding' ? link.binding : local;
    }
    return node.type === 'member_expression' ? this.memberOfNamespace(node) : undefined;
  }

  declaredBy(node: Syntax): readonly Binding[] {
    return this.tableOf(node)?.declaredBy(node) ?? [];
  }

  memberOf(ofClass: Syntax, name: string): Binding | undefined {
    return this.tableOf(ofClass)?.memberOf(ofClass, name);
  }

  aliasOf(node: Syntax): Binding | undefined {
    const local = this.tableOf(node)?.bindingOf(node);
    return local !== undefined && this.linkOf(local) !== undefined ? local : undefined;
  }

  exportOf(node: Syntax): Binding | undefined {
    return this.expressions.get(node);
  }

  packageOf(binding: Binding): PackageExport | undefined {
    const link = this.linkOf(binding);
    return link?.kind === 'package' ? link.from : undefined;
  }

  /** What a name of a file that another one declares stands for; undefined for what it declares itself. */
  linkOf(binding: Binding): Link | undefined {
    if (this.links.has(binding)) return this.links.get(binding);
    // Files that import each other in a circle find nothing here.
    this.links.set(binding, undefined);
    const module = this.byTree.get(binding.node.tree);
    const imported = module === undefined ? undefined : importedName(binding);
    const target = imported === undefined ? undefined : module?.resolve(imported.source);
    if (imported === undefined || target === undefined) return undefined;
    const link = imported.required ? this.required(target) : this.exported(target, imported.name);
    this.links.set(binding, link);
    return link;
  }

  /** What a file gives out under a name, or as a whole for `*`. */
  exported(
    module: LinkableModule,
    name: string,
    seen: ReadonlySet<LinkableModule> = new Set(),
  ): Link | undefined {
    if (seen.has(module)) return undefined;
    const deeper = new Set([...seen, module]);
    const { names, stars, whole } = this.exportsOf(module);
    if (name === '*') return { kind: 'namespace', module };
    const entry = names.get(name);
    if (entry !== undefined) return this.follow(module, entry, deeper);
    if (name === 'default')
      return whole === undefined ? { kind: 'namespace', module } : this.follow(module, whole, deeper);
    for (const source of stars) {
      const target = module.resolve(source);
      if (target === undefined && !source.startsWith('.')) return { kind: 'package', from: { source, name } };
      const link = target === undefined ? undefined : this.exported(target, name, deeper);
      if (link !== undefined) return link;
    }
    return undefined;
  }

  /** Every name that a file gives out. */
  exportedNames(module: LinkableModule, seen: ReadonlySet<LinkableModule> = new Set()): string[] {
    if (seen.has(module)) return [];
    const { names, stars } = this.exportsOf(module);
    const deeper = new Set([...seen, module]);
    const others = stars.flatMap((source) => {
      const target = module.resolve(source);
      return target === undefined ? [] : this.exportedNames(target, deeper);
    });
    return [...new Set([...names.keys(), ...others.filter((name) => name !== 'default')])];
  }

  private required(module: LinkableModule): Link | undefined {
    const { whole } = this.exportsOf(module);
    return whole === undefined ? { kind: 'namespace', module } : this.follow(module, whole, new Set());
  }

  private follow(
    module: LinkableModule,
    entry: ExportEntry,
    seen: ReadonlySet<LinkableModule>,
  ): Link | undefined {
    if (entry.kind === 'binding')
      return this.linkOf(entry.binding) ?? { kind: 'binding', binding: entry.binding };
    if (entry.kind === 'expression') return { kind: 'binding', binding: this.nameExpression(entry.node) };
    const target = module.resolve(entry.source);
    if (target !== undefined) return this.exported(target, entry.name, seen);
    const { source, name } = entry;
    return source.startsWith('.') ? undefined : { kind: 'package', from: { source, name } };
  }

  private nameExpression(node: Syntax): Binding {
    const known = this.expressions.get(node);
    const binding = known ?? { name: 'default', kind: 'export', node, owner: undefined, references: [] };
    this.expressions.set(node, binding);
    return binding;
  }

  private exportsOf(module: LinkableModule): ModuleExports {
    const known = this.exports.get(module) ?? readExports(module.root, module.local);
    this.exports.set(module, known);
    return known;
  }

  private tableOf(node: Syntax): ScopeTable | undefined {
    return this.byTree.get(node.tree)?.local;
  }

  private memberOfNamespace(node: Syntax): Binding | undefined {
    const [object, property] = [node.field('object'), node.field('property')];
    if (object === undefined || property === undefined) return undefined;
    const local = this.tableOf(object)?.bindingOf(object);
    const namespace = local === undefined ? undefined : this.linkOf(local);
    if (namespace?.kind !== 'namespace') return undefined;
    const link = this.exported(namespace.module, property.text);
    return link?.kind === 'binding' ? link.binding : undefined;
  }

  /** Uses in other files are uses of what is declared. */
  private shareReferences(module: LinkableModule): void {
    for (const local of module.local.top) {
      const link = this.linkOf(local);
      if (link?.kind === 'binding') link.binding.references.push(...local.references);
      if (link?.kind !== 'namespace') continue;
      for (const use of local.references) {
        const around = use.parent;
        if (around?.type !== 'member_expression' || around.field('object') !== use) continue;
        this.memberOfNamespace(around)?.references.push(around);
      }
    }
  }
}
