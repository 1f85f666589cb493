import type { Range } from '../../core/errors';
import type { Syntax } from '../syntax';
import { argumentsOf, enclosingFunction, isStatement } from './nodes';
import { skippedBranch } from './loads';
import { calledFunction, parameterBindings } from './mutations';
import { parametersOf } from './patterns';
import type { ClassAccess } from './privateNames';
import type { Binding, ProgramScopes } from './scopes';
import type { ScriptModule } from './scriptProgram';
import type { Slice } from './slice';
import { isGivenLibrary, isGlobalLibrary, isTfModule } from './tfNames';

/** A function whose body becomes the entry, with the text of its arguments. */
export interface ChainLink {
  readonly fn: Syntax;
  readonly args: string;
}

/** What is written around the nodes of a slice so that each layer knows its site when it is made. */
export interface SiteMarks {
  /** Text before and after a node. */
  readonly around: ReadonlyMap<Syntax, { readonly before: string; readonly after: string }>;
}

export const NO_MARKS: SiteMarks = { around: new Map() };

export interface RenderRequest {
  readonly module: ScriptModule;
  readonly scopes: ProgramScopes;
  readonly slice: Slice;
  readonly marks: SiteMarks;
  readonly access: ClassAccess | undefined;
  /** Variables that start as empty objects. */
  readonly boxes: readonly Binding[];
  /** What only loads what is made elsewhere. */
  readonly skipped: ReadonlySet<Syntax>;
  /** Imports of what other slices give, and what stands for a namespace. */
  readonly head: string;
  /** Whether a declaration is written anew in `head`. */
  readonly isLinked: (node: Syntax) => boolean;
  readonly chain: readonly ChainLink[];
  /** Statements that end the entry, the last one a `return`; undefined for a file that only gives something out. */
  readonly result: string | undefined;
  /** Expressions that get a name. */
  readonly named: readonly { readonly node: Syntax; readonly name: string }[];
  /** Names of the file and what they are called outside. */
  readonly exports: readonly (readonly [string, string])[];
}

const PRELUDE = "import { __shrinkSite, __shrinkMark } from 'shrinknets:sites'; ";

/** What stands for TensorFlow.js where the source has it from elsewhere. */
export const GIVEN_TF = '__shrinkTf';

const TF_PACKAGE = '@tensorflow/tfjs';

/**
 * Writes a file's part of a slice as a module; the entry's default-exports `async () => model`. What is not needed
 * becomes white space, so every line keeps its number and a message about the slice is one about the source.
 */
export function renderSlice(request: RenderRequest): string {
  const renderer = new Renderer(request);
  renderer.visit(request.module.root);
  const body = renderer.finish();
  // Pages load the library with a script tag, as a global.
  const isGlobal = ![...request.module.local.top].some(({ name }) => name === 'tf');
  const tail = [writeEntry(request), writeExports(request.exports)].filter((part) => part !== '').join(' ');
  const isGiven = body.includes(GIVEN_TF) || tail.includes(GIVEN_TF);
  const libraries = [...(isGlobal ? ['tf'] : []), ...(isGiven ? [GIVEN_TF] : [])];
  const imports = libraries.map((name) => `import * as ${name} from '${TF_PACKAGE}'; `).join('');
  return `${PRELUDE}${imports}${request.head}${body}\n;${tail}\n`;
}

/** The calls that are in a file's part of a slice. Only the pieces of the file that it touches are looked at. */
export function callsInSlice(request: RenderRequest): ReadonlySet<Syntax> {
  const { module, slice, chain, named } = request;
  const touched = [
    ...slice.included,
    ...chain.map((link) => link.fn),
    ...named.map(({ node }) => node),
  ].filter((node) => node.tree === module.root.tree);
  const tops = new Set([...touched.map((node) => topOf(node)), ...module.loose]);
  const renderer = new Renderer(request);
  for (const node of [...tops].sort((a, b) => a.start - b.start)) renderer.visit(node);
  return renderer.renderedCalls();
}

/** What a node lies in at the top of the file. */
function topOf(node: Syntax): Syntax {
  return node.piece.nodes[0] ?? node;
}

function writeEntry({ chain, result }: RenderRequest): string {
  if (result === undefined) return '';
  const first = chain[0];
  return first === undefined
    ? `export default async () => { ${result} };`
    : `export default async () => __entry(${first.args});`;
}

function writeExports(exports: RenderRequest['exports']): string {
  const names = exports.map(([local, outside]) => `${local} as ${outside}`);
  return names.length === 0 ? '' : `export { ${names.join(', ')} };`;
}

/** What stands for a value that nothing reads: a pattern must still find something to take apart. */
export function placeholderFor(parameter: Syntax | undefined): string {
  const first = parameter?.text.charAt(0);
  return first === '{' ? '{}' : first === '[' ? '[]' : 'undefined';
}

class Renderer {
  /** Without a text, the range becomes white space. */
  private readonly changes: {
    readonly range: Range;
    readonly text: string | undefined;
    readonly order: number;
  }[] = [];
  private readonly calls: Syntax[] = [];

  constructor(private readonly request: RenderRequest) {}

  finish(): string {
    const { text } = this.request.module;
    const isBlank = (range: Range): number => (range.end > range.start ? 1 : 0);
    const sorted = [...this.changes].sort(
      (a, b) => a.range.start - b.range.start || isBlank(a.range) - isBlank(b.range) || a.order - b.order,
    );
    let out = '';
    let position = 0;
    for (const change of sorted) {
      if (change.range.start < position) continue;
      const { start, end } = change.range;
      out += text.slice(position, start) + (change.text ?? blankOf(text.slice(start, end)));
      position = change.range.end;
    }
    return out + text.slice(position);
  }

  renderedCalls(): ReadonlySet<Syntax> {
    const blanks = this.changes
      .filter((change) => change.range.end > change.range.start)
      .sort((a, b) => a.range.start - b.range.start);
    const rendered = new Set<Syntax>();
    let next = 0;
    let blankUntil = 0;
    for (const call of this.calls) {
      for (; (blanks[next]?.range.start ?? Number.POSITIVE_INFINITY) <= call.start; next += 1)
        blankUntil = Math.max(blankUntil, blanks[next]?.range.end ?? 0);
      // Of a call of `window.tf.…`, only the start is written anew.
      if (call.end > blankUntil) rendered.add(call);
    }
    return rendered;
  }

  visit(node: Syntax): void {
    const { slice, marks, isLinked } = this.request;
    if (node.type === 'hash_bang_line') return this.blank(node.range);
    if (isStatement(node) && slice.isCut(enclosingFunction(node))) {
      const link = this.chainLinkIn(node);
      if (link !== undefined) return this.visitChain(node, link);
      if (this.namedIn(node).length > 0) return this.visitNamed(node);
      if (!slice.included.has(node) || isLinked(node) || this.isAllLinked(node)) return this.drop(node);
    }
    if (this.request.skipped.has(node)) return this.replace(node, 'undefined');
    const branch = skippedBranch(node, this.request.skipped);
    if (branch !== undefined) return this.visitOnly(node, branch.kept);
    if (this.replaceForeign(node)) return;
    if (node.type === 'export_statement') this.dropExport(node);
    if (node.type === 'try_statement') return this.visitTry(node);
    if (node.type === 'lexical_declaration' || node.type === 'variable_declaration')
      this.dropDeclarators(node);
    if (node.type === 'class_body' && node.parent !== null) return this.visitClassBody(node, node.parent);
    if (node === slice.cutObject) this.dropEntries(node);
    if (node.type === 'string') this.redirectImport(node);
    if (node.type === 'call_expression') {
      this.calls.push(node);
      this.dropArguments(node);
    }
    const mark = marks.around.get(node);
    if (mark !== undefined) this.insert(node.start, mark.before);
    for (const child of node.children) if (child.named) this.visit(child);
    if (mark !== undefined) this.insert(node.end, mark.after);
  }

  /** Whether a statement declares nothing but what is written anew. */
  private isAllLinked(statement: Syntax): boolean {
    const kept = statement.namedChildren.filter(
      (child) => child.type === 'variable_declarator' && this.request.slice.included.has(child),
    );
    return kept.length > 0 && kept.every((child) => this.request.isLinked(child));
  }

  private chainLinkIn(statement: Syntax): number | undefined {
    const around = enclosingFunction(statement);
    const index = this.request.chain.findIndex((link) => statement.contains(link.fn));
    if (index === -1) return undefined;
    const outer = index === 0 ? undefined : this.request.chain[index - 1]?.fn;
    return around === outer ? index : undefined;
  }

  private visitChain(statement: Syntax, index: number): void {
    const link = this.request.chain[index];
    const body = link?.fn.field('body');
    if (link === undefined || body === undefined) return this.drop(statement);
    const parameters = link.fn.field('parameters') ?? link.fn.field('parameter');
    const open = parameters?.type === 'formal_parameters' ? '' : '(';
    const close = open === '' ? '' : ')';
    const head = index === 0 ? 'const __entry = async ' : 'return await (async ';
    this.blank({ start: statement.start, end: parameters?.start ?? body.start });
    this.insert(parameters?.start ?? body.start, parameters === undefined ? `${head}() => ` : head + open);
    if (parameters !== undefined) {
      this.insert(parameters.end, `${close} => `);
      this.blank({ start: parameters.end, end: body.start });
    }
    if (body.type === 'statement_block') this.visitBlock(body, index);
    else this.visitExpressionBody(body, index);
    this.insert(body.end, index === 0 ? ';' : `)(${link.args});`);
    this.blank({ start: body.end, end: statement.end });
  }

  private visitBlock(body: Syntax, index: number): void {
    for (const child of body.children) if (child.named) this.visit(child);
    const isInnermost = this.request.chain[index + 1] === undefined;
    this.insert(body.end - 1, isInnermost ? `;${this.request.result}` : '');
  }

  /** `() => tf.sequential(…)`: its body has no statements, so it gets some. */
  private visitExpressionBody(body: Syntax, index: number): void {
    const { chain, result = '' } = this.request;
    this.insert(body.start, '{ ');
    if (chain[index + 1] !== undefined) this.visitChain(body, index + 1);
    else if (this.namedIn(body).length > 0) this.visitNamed(body);
    else {
      this.insert(body.start, result === '' ? 'return (' : '(');
      this.visit(body);
      this.insert(body.end, ');');
    }
    this.insert(body.end, `${result} }`);
  }

  private namedIn(statement: Syntax): RenderRequest['named'] {
    return this.request.named.filter(
      ({ node }) => statement.contains(node) && enclosingFunction(node) === enclosingFunction(statement),
    );
  }

  private visitNamed(statement: Syntax): void {
    let position = statement.start;
    const parts = [...this.namedIn(statement)].sort((a, b) => a.node.start - b.node.start);
    for (const { node, name } of parts) {
      this.blank({ start: position, end: node.start });
      this.insert(node.start, `const ${name} = `);
      this.visit(node);
      this.insert(node.end, ';');
      position = node.end;
    }
    this.blank({ start: position, end: statement.end });
  }

  private drop(statement: Syntax): void {
    const parent = statement.parent?.type ?? '';
    const inBlock =
      parent === 'program' ||
      parent === 'statement_block' ||
      parent === 'switch_case' ||
      parent === 'switch_default';
    this.blank(statement.range);
    if (!inBlock) this.insert(statement.start, '{}');
  }

  /** Everything in a slice is declared in one module and exported by its entry. */
  private dropExport(node: Syntax): void {
    const declaration = node.field('declaration') ?? node.field('value');
    if (declaration !== undefined) this.blank({ start: node.start, end: declaration.start });
    const name = declaration?.field('name');
    if (declaration !== undefined && name === undefined && declaration.type.startsWith('class'))
      this.insert(declaration.start, 'const __class = ');
  }

  /** An error must reach the user, not a `catch` that shows it in the page. */
  private visitTry(node: Syntax): void {
    const body = node.field('body');
    for (const child of node.children) {
      if (child === body) this.visit(child);
      else this.blank(child.range);
    }
  }

  /** Of two branches, the one that is run. */
  private visitOnly(node: Syntax, kept: Syntax | undefined): void {
    if (kept === undefined) return this.drop(node);
    this.blank({ start: node.start, end: kept.start });
    this.visit(kept);
    this.blank({ start: kept.end, end: node.end });
  }

  /** @returns whether the node has its value from surroundings that are not here, and is given one */
  private replaceForeign(node: Syntax): boolean {
    const { scopes } = this.request;
    if (isGlobalLibrary(node, scopes)) {
      this.replace(node, GIVEN_TF);
      return true;
    }
    const [binding] = node.type === 'variable_declarator' ? scopes.declaredBy(node) : [];
    const isBox = binding !== undefined && this.request.boxes.includes(binding);
    if (binding === undefined || !(isBox || isGivenLibrary(binding, scopes))) return false;
    this.replace(node, `${binding.name} = ${isBox ? '{}' : GIVEN_TF}`);
    return true;
  }

  private dropDeclarators(node: Syntax): void {
    const { isLinked } = this.request;
    const isKept = (declarator: Syntax): boolean =>
      this.request.slice.included.has(declarator) && !isLinked(declarator);
    const declarators = node.namedChildren.filter((child) => child.type === 'variable_declarator');
    const isWhole =
      !this.request.slice.isCut(enclosingFunction(node)) || node.parent?.type === 'for_statement';
    if (isWhole || declarators.every(isKept)) return;
    let first = true;
    for (const child of node.children) {
      if (child.type === ',') this.blank(child.range);
      if (child.type !== 'variable_declarator') continue;
      if (!isKept(child)) {
        this.blank(child.range);
        continue;
      }
      if (!first) this.insert(child.start, ', ');
      first = false;
    }
  }

  /** What of an object of functions is not called, with the comma after it. */
  private dropEntries(object: Syntax): void {
    object.children.forEach((entry, index) => {
      if (!entry.named || entry.type === 'comment' || this.request.slice.included.has(entry)) return;
      this.blank(entry.range);
      const comma = object.children.slice(index + 1).find((child) => child.type === ',' || child.named);
      if (comma?.type === ',') this.blank(comma.range);
    });
  }

  private visitClassBody(body: Syntax, ofClass: Syntax): void {
    const { slice, access } = this.request;
    const isCut = slice.cutClasses.has(ofClass);
    for (const member of body.namedChildren) {
      const isMember = member.type === 'method_definition' || member.type.endsWith('field_definition');
      if (isCut && isMember && !slice.included.has(member)) this.blank(member.range);
      else this.visit(member);
    }
    if (access?.ofClass === ofClass) this.insert(body.end - 1, `;${access.code}`);
  }

  /** Arguments for parameters that the slice of the function does not read. */
  private dropArguments(call: Syntax): void {
    const { scopes, slice } = this.request;
    const fn = calledFunction(call, scopes);
    if (fn === undefined || !slice.isCut(fn)) return;
    const args = argumentsOf(call);
    if (args.some((argument) => argument.type === 'spread_element')) return;
    args.forEach((argument, index) => {
      const parameters = parameterBindings(fn, index, scopes);
      if (parameters.some((parameter) => slice.needed.has(parameter))) return;
      this.replace(argument, placeholderFor(parametersOf(fn)[index]));
    });
  }

  /** TensorFlow.js under any address (a CDN, a file inside the package) is the backend's own. */
  private redirectImport(node: Syntax): void {
    const name = node.text.slice(1, -1);
    const isSource = node.fieldName === 'source' || node.parent?.type === 'arguments';
    if (!isSource || !isTfModule(name)) return;
    this.replace(node, `'${TF_PACKAGE}'`);
  }

  private replace(node: Syntax, text: string): void {
    this.blank(node.range);
    this.insert(node.start, text);
  }

  private insert(position: number, text: string): void {
    this.changes.push({ range: { start: position, end: position }, text, order: this.changes.length });
  }

  private blank(range: Range): void {
    if (range.end <= range.start) return;
    this.changes.push({ range, text: undefined, order: this.changes.length });
  }
}

function blankOf(text: string): string {
  return text.replace(/[^\r\n]+/g, (run) => ' '.repeat(run.length));
}
