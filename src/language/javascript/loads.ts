import type { Syntax } from '../syntax';
import { argumentsOf, enclosingFunction, isStatementOfItsOwn, ownNodes, unwrap, wrapOut } from './nodes';
import type { Binding, ProgramScopes } from './scopes';
import { nameOfFunction } from './mutations';
import { callsOf, isAssigned } from './uses';

/** A file whose models may be loaded. */
interface LoadingFile {
  readonly root: Syntax;
  readonly tfCalls: ReadonlyMap<Syntax, readonly string[]>;
}

/**
 * Finds what only loads a saved model that is made elsewhere if there is none: statements, values and the branches
 * around them (of `if`, `?:` and `try`). A model is read as it is made the first time, so none of it is run.
 */
export function findSkipped(files: readonly LoadingFile[], scopes: ProgramScopes): ReadonlySet<Syntax> {
  const loads = files.flatMap(({ tfCalls }) =>
    [...tfCalls].flatMap(([call, path]) =>
      /^load(?:Layers|Graph)Model$/.test(path.at(-1) ?? '') ? [call] : [],
    ),
  );
  const finder = new LoadFinder(files, scopes, new Set(loads));
  for (const load of loads) finder.follow(load);
  return finder.skipped;
}

/** The branch of an `if`, a `?:` or a `try` that is not run, where there is one. */
export function skippedBranch(node: Syntax, skipped: ReadonlySet<Syntax>): SkippedBranch | undefined {
  if (skipped.size === 0) return undefined;
  const isTry = node.type === 'try_statement';
  const first = isTry ? node.field('body') : node.field('consequence');
  const clause = isTry ? node.field('handler') : node.field('alternative');
  const second =
    clause?.type.endsWith('_clause') === true
      ? (clause.field('body') ?? clause.namedChildren.at(-1))
      : clause;
  if (first !== undefined && skipped.has(first)) return { kept: second };
  return second !== undefined && skipped.has(second) ? { kept: first } : undefined;
}

/** What is run in place of both branches, if anything. */
interface SkippedBranch {
  readonly kept: Syntax | undefined;
}

class LoadFinder {
  readonly skipped = new Set<Syntax>();
  private readonly followed = new Set<Syntax>();

  constructor(
    private readonly files: readonly LoadingFile[],
    private readonly scopes: ProgramScopes,
    /** Calls whose value is a loaded model. */
    private readonly loads: Set<Syntax>,
  ) {}

  /** @param load a call whose value is a loaded model */
  follow(load: Syntax): void {
    if (this.followed.has(load)) return;
    this.followed.add(load);
    this.loads.add(load);
    const value = wrapOutOfHandlers(load);
    const parent = value.parent;
    switch (parent?.type) {
      case 'ternary_expression':
        if (parent.field('condition') !== value) this.skipped.add(value);
        return;
      case 'assignment_expression':
        this.followAssignment(parent);
        return;
      case 'variable_declarator': {
        const name = parent.field('name');
        const binding = name === undefined ? undefined : this.scopes.bindingOf(name);
        if (binding !== undefined && this.isMade(binding)) this.skip(value);
        return;
      }
      case 'return_statement':
      case 'arrow_function':
        this.followFunction(enclosingFunction(value), parent);
        return;
      default:
        return;
    }
  }

  private followAssignment(assignment: Syntax): void {
    const left = assignment.field('left');
    const binding = left === undefined ? undefined : this.scopes.bindingOf(left);
    const statement = assignment.parent;
    if (binding === undefined || statement?.type !== 'expression_statement' || !this.isMade(binding)) return;
    if (this.skip(statement)) return;
    // A function that does nothing but load: whoever calls it goes the other way.
    const fn = enclosingFunction(statement);
    for (const call of fn === undefined ? [] : this.callsOf(fn))
      if (isStatementOfItsOwn(call)) this.skipBranch(call);
  }

  /** A function that also returns what it makes does that; of one that only loads, the calls are loads. */
  private followFunction(fn: Syntax | undefined, exit: Syntax): void {
    if (fn === undefined) return;
    const body = fn.field('body');
    const returns = exit === fn || body === undefined ? [exit] : ownNodes(body).filter(isReturn);
    if (returns.some((node) => !this.isLoading(node) && node.namedChildren.length > 0)) this.skip(exit);
    else for (const call of this.callsOf(fn)) this.follow(call);
  }

  private isLoading(exit: Syntax): boolean {
    return [...this.loads].some((load) => wrapOutOfHandlers(load).parent === exit);
  }

  /** Whether a name is also given something that is not loaded. */
  private isMade(binding: Binding): boolean {
    const values = binding.references.flatMap((use) => {
      const assignment = isAssigned(use) ? wrapOut(use).parent : null;
      return assignment?.field('left') === use ? (assignment.field('right') ?? []) : [];
    });
    const initial = binding.node.field('value');
    return [...values, ...(initial === undefined ? [] : [initial])].some(
      (value) => !/^(?:null|undefined)$/.test(unwrap(value).text) && !this.isLoad(value),
    );
  }

  private isLoad(value: Syntax): boolean {
    return [...this.loads].some((load) => wrapOutOfHandlers(load) === value || value === load);
  }

  private skip(node: Syntax): boolean {
    this.skipped.add(node);
    return this.skipBranch(node);
  }

  /** @returns whether the node stands in a branch that has another side */
  private skipBranch(node: Syntax): boolean {
    const fn = enclosingFunction(node);
    for (const at of [node, ...node.ancestors()]) {
      const parent = at.parent;
      if (parent === null || at === fn) return false;
      const isTried = parent.type === 'try_statement' && parent.field('handler') !== undefined;
      const isBranch = parent.type === 'if_statement' && parent.field('condition') !== at;
      const isElse = parent.type === 'else_clause';
      if (!(isTried && parent.field('body') === at) && !isBranch && !isElse) continue;
      if (!this.makesModel(at)) this.skipped.add(at);
      return true;
    }
    return false;
  }

  private makesModel(branch: Syntax): boolean {
    const file = this.files.find(({ root }) => root.tree === branch.tree);
    return [...(file?.tfCalls ?? [])].some(
      ([call, path]) => /^(?:[sS]equential|model)$/.test(path.join('.')) && branch.contains(call),
    );
  }

  private callsOf(fn: Syntax): Syntax[] {
    const binding = nameOfFunction(fn, this.scopes);
    return binding === undefined ? [] : callsOf(binding);
  }
}

function isReturn(node: Syntax): boolean {
  return node.type === 'return_statement';
}

/** Out of parentheses, `await` and what is done where loading fails: `load(…).catch(() => null)`. */
function wrapOutOfHandlers(node: Syntax): Syntax {
  const outer = wrapOut(node);
  const member = outer.parent;
  const call = member?.type === 'member_expression' ? member.parent : null;
  const handles = call?.type === 'call_expression' && member?.field('property')?.text === 'catch';
  return handles && argumentsOf(call).length > 0 ? wrapOutOfHandlers(call) : outer;
}
