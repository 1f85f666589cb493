import { badInput } from '../../core/errors';
import type { SliceModule } from '../../core/plan';
import type { Syntax } from '../syntax';
import type { Link } from './linkedScopes';
import { importedName } from './moduleExports';
import { callsInSlice, renderSlice, type ChainLink, type RenderRequest, type SiteMarks } from './renderSlice';
import type { ClassAccess } from './privateNames';
import type { Binding } from './scopes';
import type { ScriptModule, ScriptProgram } from './scriptProgram';
import type { Slice } from './slice';

export type { SiteMarks };

export interface ProgramRequest {
  readonly script: ScriptProgram;
  readonly slice: Slice;
  /** The file whose slice ends in the model. */
  readonly entry: ScriptModule;
  readonly chain: readonly ChainLink[];
  readonly named: Syntax | undefined;
  readonly result: string;
  readonly access: ClassAccess | undefined;
  readonly boxes: readonly Binding[];
  readonly marks: SiteMarks;
}

export interface RenderedProgram {
  readonly code: string;
  /** Slices of other files, each after those that it imports. */
  readonly modules: readonly SliceModule[];
}

/** What of a program is in a slice. */
export interface SlicedParts {
  readonly calls: ReadonlySet<Syntax>;
  /** The files that take part. */
  readonly files: readonly ScriptModule[];
}

/**
 * Writes the slices of all files that a model needs, the entry's last.
 *
 * @throws ShrinkError `slice` for files that need each other in a circle
 */
export function renderProgram(request: ProgramRequest): RenderedProgram {
  return new ProgramRenderer(request).run();
}

/** The calls and files of a slice, without writing it. */
export function partsOfProgram(request: ProgramRequest): SlicedParts {
  return new ProgramRenderer(request).parts();
}

class ProgramRenderer {
  private readonly modules: SliceModule[] = [];
  private readonly files: ScriptModule[] = [];
  /** The name under which a slice gives out what a binding declares. */
  private readonly outside = new Map<Binding, string>();
  private readonly wanted = new Map<ScriptModule, Set<Binding>>();
  private readonly open = new Set<ScriptModule>();

  constructor(private readonly request: ProgramRequest) {}

  run(): RenderedProgram {
    const { entry } = this.request;
    this.collectWanted(entry, new Set());
    const code = this.render(entry);
    return { code, modules: this.modules };
  }

  parts(): SlicedParts {
    const { entry, script } = this.request;
    const reached = new Set<ScriptModule>();
    this.collectWanted(entry, reached);
    const files = script.modules.filter((module) => reached.has(module));
    return {
      files,
      calls: new Set(files.flatMap((module) => [...callsInSlice(this.requestFor(module, ''))])),
    };
  }

  /** What each file must give out to the others, as far as the entry reaches. */
  private collectWanted(module: ScriptModule, seen: Set<ScriptModule>): void {
    if (seen.has(module)) return;
    seen.add(module);
    for (const { binding } of this.importsOf(module)) {
      const from = this.request.script.moduleOf(binding.node);
      this.wanted.set(from, (this.wanted.get(from) ?? new Set()).add(binding));
      this.outside.set(binding, this.outside.get(binding) ?? `__export${this.outside.size}`);
      this.collectWanted(from, seen);
    }
  }

  private render(module: ScriptModule): string {
    this.open.add(module);
    const head = [...this.aliasesIn(module)].map((alias) => this.writeAlias(alias)).join(' ');
    const code = renderSlice(this.requestFor(module, head));
    this.files.push(module);
    this.open.delete(module);
    return code;
  }

  private requestFor(module: ScriptModule, head: string): RenderRequest {
    const { script, slice, entry, chain, named, result, access, boxes, marks } = this.request;
    const isEntry = module === entry;
    const exported = [...(this.wanted.get(module) ?? [])];
    return {
      ...{ module, slice, marks, access, boxes, head, scopes: script.scopes, skipped: script.skipped },
      isLinked: (node) => isLinked(node, script),
      chain: isEntry ? chain : [],
      named: [
        ...exported.flatMap((binding) =>
          binding.kind === 'export' ? [{ node: binding.node, name: this.localName(binding) }] : [],
        ),
        ...(isEntry && named !== undefined ? [{ node: named, name: '__default' }] : []),
      ],
      result: isEntry ? result : undefined,
      exports: exported.map((binding) => [this.localName(binding), this.nameOf(binding)] as const),
    };
  }

  private nameOf(binding: Binding): string {
    return this.outside.get(binding) ?? binding.name;
  }

  private localName(binding: Binding): string {
    return binding.kind === 'export' ? `__value${this.nameOf(binding)}` : binding.name;
  }

  private *aliasesIn(module: ScriptModule): Generator<Binding> {
    for (const alias of this.request.slice.aliases) if (alias.node.tree === module.root.tree) yield alias;
  }

  /** What a file needs of others, name by name. */
  private *importsOf(module: ScriptModule): Generator<{ binding: Binding; key: string | undefined }> {
    const { scopes } = this.request.script;
    for (const alias of this.aliasesIn(module)) {
      const link = scopes.linkOf(alias);
      if (link?.kind === 'binding') yield { binding: link.binding, key: undefined };
      if (link?.kind === 'namespace') yield* this.membersOf(link);
    }
  }

  private *membersOf(
    link: Extract<Link, { kind: 'namespace' }>,
  ): Generator<{ binding: Binding; key: string }> {
    const { scopes } = this.request.script;
    for (const key of scopes.exportedNames(link.module)) {
      const member = scopes.exported(link.module, key);
      if (member?.kind === 'binding' && this.request.slice.needed.has(member.binding))
        yield { binding: member.binding, key };
    }
  }

  /** The import that gives a file what it knows by a name; the files it comes from are rendered first. */
  private writeAlias(alias: Binding): string {
    const link = this.request.script.scopes.linkOf(alias);
    if (link === undefined) return '';
    if (link.kind === 'package') {
      const { source, name } = link.from;
      return name === '*'
        ? `import * as ${alias.name} from '${source}';`
        : `import { ${name} as ${alias.name} } from '${source}';`;
    }
    if (link.kind === 'binding') return this.writeImport(link.binding, alias.name);
    const members = [...this.membersOf(link)];
    const locals = members.map(({ binding }) => `__of_${alias.name}_${this.nameOf(binding)}`);
    const imports = members.map(({ binding }, i) => this.writeImport(binding, locals[i] ?? ''));
    const entries = members.map(({ key }, i) => `${JSON.stringify(key)}: ${locals[i] ?? ''}`);
    return [...imports, `const ${alias.name} = { ${entries.join(', ')} };`].join(' ');
  }

  private writeImport(binding: Binding, local: string): string {
    const from = this.request.script.moduleOf(binding.node);
    const id = `shrinknets:file/${this.request.script.modules.indexOf(from)}`;
    if (this.open.has(from))
      throw badInput(
        'slice',
        `${from.file}: this file and those that it imports need each other in a circle; move ${binding.name} into a file of its own.`,
      );
    if (!this.files.includes(from)) {
      const code = this.render(from);
      this.modules.push({ id, file: from.file, code });
    }
    return `import { ${this.nameOf(binding)} as ${local} } from '${id}';`;
  }
}

/** Whether an import, or a variable that holds what `require` gives, is written anew. */
function isLinked(node: Syntax, { scopes }: ScriptProgram): boolean {
  return scopes
    .declaredBy(node)
    .some((binding) => importedName(binding) !== undefined && scopes.linkOf(binding) !== undefined);
}
