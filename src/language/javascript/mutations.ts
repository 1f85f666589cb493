import { piecewise, type Syntax } from '../syntax';
import { functionOfMember, memberName, memberOfFunction } from './classes';
import { argumentsOf, enclosingFunction, enclosingStatement, isFunction, unwrap, wrapOut } from './nodes';
import { parametersOf, patternNames } from './patterns';
import type { Binding, ProgramScopes, ScopeTable } from './scopes';
import { callStatements } from './tfCalls';

/** A statement that changes what a binding holds. */
export interface Mutation {
  readonly statement: Syntax;
  /** Function the statement runs in; undefined for the top of the module. */
  readonly inFunction: Syntax | undefined;
  /** Set when the change is made by a function of this file that the binding is handed to. */
  readonly through?: { readonly fn: Syntax; readonly index: number };
  /** Functions that the statement calls, one calling the next, where the last one makes the change. */
  readonly via: readonly Syntax[];
  /** The key that is changed of an object: `model` for `state.model.add(…)`; undefined for the object itself. */
  readonly key?: string | undefined;
  /** It is `model.compile(…)`, without which the model is still the same. */
  readonly compiles?: boolean;
}

/** Methods of a model that do not change what it is, whatever else they do. */
const UNRELATED_METHODS: ReadonlySet<string> = new Set([
  'fit',
  'fitDataset',
  'trainOnBatch',
  'evaluate',
  'evaluateDataset',
  'predict',
  'predictOnBatch',
  'summary',
  'save',
  'dispose',
  'print',
  'then',
  'catch',
  'finally',
  'addEventListener',
]);

/** Functions whose callbacks run at once, as part of the statement. */
const IMMEDIATE_METHODS: ReadonlySet<string> = new Set([
  'forEach',
  'map',
  'reduce',
  'tidy',
  'from',
  'flatMap',
]);

const ASSIGNMENTS: ReadonlySet<string> = new Set([
  'assignment_expression',
  'augmented_assignment_expression',
  'update_expression',
]);

const assignments = piecewise((nodes) => nodes.filter((node) => ASSIGNMENTS.has(node.type)));

/** By binding, every statement that may change it. */
export type MutationIndex = ReadonlyMap<Binding, readonly Mutation[]>;

/** A file's tree and its calls of TensorFlow.js. */
export interface MutatingFile {
  readonly root: Syntax;
  readonly tfCalls: ReadonlyMap<Syntax, readonly string[]>;
}

/** @param files all that take part */
export function indexMutations(files: readonly MutatingFile[], scopes: ScopeTable): MutationIndex {
  const index = new Map<Binding, Mutation[]>();
  const record = (binding: Binding | undefined, node: Syntax, through?: Mutation['through']): void => {
    if (binding === undefined) return;
    const list = index.get(binding) ?? [];
    index.set(binding, list);
    for (const statement of affectedStatements(node)) {
      const inFunction = enclosingFunction(statement);
      const compiles = node.field('function')?.field('property')?.text === 'compile';
      const key = firstKey(node.field('left') ?? node.field('function')?.field('object') ?? node, scopes);
      const change = { statement, inFunction, via: [], key, compiles };
      list.push({ ...change, ...(through === undefined ? {} : { through }) });
    }
  };
  for (const { root, tfCalls } of files) {
    for (const node of assignments(root)) {
      if (node.type === 'update_expression') {
        const argument = node.field('argument');
        if (argument !== undefined) record(ownerOf(argument, scopes), node);
      } else {
        const left = node.field('left');
        if (left !== undefined) for (const binding of assignedBindings(left, scopes)) record(binding, node);
      }
    }
    for (const [call, path] of tfCalls)
      if (path.at(-1) === 'registerClass')
        for (const argument of argumentsOf(call)) record(scopes.bindingOf(unwrap(argument)), call);
    for (const call of callStatements(root)) if (!tfCalls.has(call)) recordCall(call, scopes, record);
  }
  indexOuterChanges(files, scopes, index);
  return index;
}

/** A statement that calls a function also changes what that function changes outside of itself. */
function indexOuterChanges(
  files: readonly MutatingFile[],
  scopes: ScopeTable,
  index: Map<Binding, Mutation[]>,
): void {
  const statements = files.flatMap(({ root }) => callStatements(root));
  const calls = statements.flatMap((node) => {
    const fn = calledFunction(node, scopes);
    return fn === undefined ? [] : [{ call: node, fn }];
  });
  for (let changed = calls.length > 0; changed;) {
    changed = false;
    for (const { call, fn } of calls) {
      for (const [binding, list] of index) {
        if (binding.owner === fn) continue;
        const inner = list.find((mutation) => mutation.inFunction === fn && !mutation.via.includes(fn));
        if (inner === undefined) continue;
        for (const statement of affectedStatements(call)) {
          if (list.some((known) => known.statement === statement)) continue;
          list.push({ statement, inFunction: enclosingFunction(statement), via: [fn, ...inner.via] });
          changed = true;
        }
      }
    }
  }
}

type Record = (binding: Binding | undefined, node: Syntax, through?: Mutation['through']) => void;

function recordCall(call: Syntax, scopes: ScopeTable, record: Record): void {
  const callee = call.field('function');
  if (callee === undefined) return;
  if (callee.type === 'member_expression') {
    const method = callee.field('property')?.text ?? '';
    const object = callee.field('object');
    const binding = object === undefined ? undefined : ownerOf(object, scopes);
    if (binding?.kind !== 'import' && !UNRELATED_METHODS.has(method)) record(binding, call);
    if (callee.text === 'Object.assign') {
      const target = argumentsOf(call)[0];
      if (target !== undefined) record(ownerOf(target, scopes), call);
    }
  }
  const fn = calledFunction(call, scopes);
  if (fn === undefined) return;
  argumentsOf(call).forEach((argument, index) => {
    const binding = ownerOf(argument, scopes);
    if (binding !== undefined) record(binding, call, { fn, index });
  });
}

/** The function of this file that a call calls: by name, or as a method of `this`. */
export function calledFunction(call: Syntax, scopes: ScopeTable): Syntax | undefined {
  const callee = call.field('function');
  const binding = callee === undefined ? undefined : scopes.bindingOf(unwrap(callee));
  return binding === undefined ? undefined : functionOf(binding);
}

/** The function that a binding always holds. */
export function functionOf(binding: Binding): Syntax | undefined {
  if (binding.kind === 'function') return binding.node;
  if (binding.kind === 'member') return functionOfMember(binding.node);
  if (binding.kind === 'export') {
    const exported = unwrap(binding.node);
    return isFunction(exported) ? exported : undefined;
  }
  if (binding.kind !== 'variable' || binding.node.field('name')?.type !== 'identifier') return undefined;
  const value = binding.node.field('value');
  const inner = value === undefined ? undefined : unwrap(value);
  return inner !== undefined && isFunction(inner) ? inner : undefined;
}

/** What a function is called by: its own name, that of its variable or member, or what other files know it by. */
export function nameOfFunction(fn: Syntax, scopes: ProgramScopes): Binding | undefined {
  const parent = wrapOut(fn).parent;
  const declaring = parent?.type === 'variable_declarator' ? parent : fn;
  const own = scopes.declaredBy(declaring).find((candidate) => functionOf(candidate) === fn);
  const member = memberOfFunction(fn);
  const ofClass = member?.parent?.parent;
  const known = member && ofClass ? scopes.memberOf(ofClass, memberName(member)) : undefined;
  return own ?? known ?? scopes.exportOf(fn);
}

/** The binding that an expression reaches into: `a` for `a.b[0].c()`, the member `x` for `this.x.y`. */
export function ownerOf(node: Syntax, scopes: ScopeTable): Binding | undefined {
  const inner = unwrap(node);
  const own = scopes.bindingOf(inner);
  if (own !== undefined) return own;
  const next =
    inner.type === 'call_expression'
      ? inner.field('function')
      : inner.type === 'member_expression' || inner.type === 'subscript_expression'
        ? inner.field('object')
        : undefined;
  return next === undefined ? undefined : ownerOf(next, scopes);
}

/** The key of what has a name that an expression reaches into: `b` for `a.b[0].c()`. */
function firstKey(node: Syntax, scopes: ScopeTable): string | undefined {
  const inner = unwrap(node);
  if (scopes.bindingOf(inner) !== undefined) return undefined;
  const next = inner.field(inner.type === 'call_expression' ? 'function' : 'object');
  if (next === undefined) return undefined;
  const isNamed = inner.type === 'member_expression' && scopes.bindingOf(unwrap(next)) !== undefined;
  return isNamed ? inner.field('property')?.text : firstKey(next, scopes);
}

function assignedBindings(left: Syntax, scopes: ScopeTable): (Binding | undefined)[] {
  if (left.type === 'object_pattern' || left.type === 'array_pattern') {
    const names = patternNames(left).map((name) => scopes.bindingOf(name));
    const members = [...left.walk()].filter((node) => node.type === 'member_expression');
    return [...names, ...members.map((member) => ownerOf(member, scopes))];
  }
  return [ownerOf(left, scopes)];
}

/** The statement a change stands in, and those around callbacks that run as part of them. */
function affectedStatements(node: Syntax): Syntax[] {
  const statements: Syntax[] = [];
  for (let at: Syntax | undefined = node; at !== undefined;) {
    const statement = enclosingStatement(at);
    if (statement === undefined) break;
    const around = enclosingFunction(at);
    // An arrow's body expression has no statement inside the arrow.
    if (around === undefined || statement.start >= around.start) statements.push(statement);
    at = around !== undefined && runsAtOnce(around) ? around : undefined;
  }
  return statements;
}

function runsAtOnce(fn: Syntax): boolean {
  const outer = wrapOut(fn);
  const parent = outer.parent;
  if (parent?.type === 'call_expression') return parent.field('function') === outer;
  const call = parent?.type === 'arguments' ? parent.parent : undefined;
  const callee = call?.field('function');
  const name = callee?.type === 'member_expression' ? callee.field('property')?.text : callee?.text;
  return name !== undefined && IMMEDIATE_METHODS.has(name);
}

/** The bindings of a function's parameter by position; a rest parameter takes all that follow. */
export function parameterBindings(fn: Syntax, index: number, scopes: ScopeTable): readonly Binding[] {
  const parameters = parametersOf(fn);
  const parameter = parameters[index] ?? parameters.at(-1);
  if (parameter === undefined) return [];
  const isRest = [...parameter.walk()].some(
    (node) => node.type === 'rest_pattern' && node.start === parameter.start,
  );
  return parameters[index] === undefined && !isRest ? [] : scopes.declaredBy(parameter);
}
