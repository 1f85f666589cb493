import { badInput, type ShrinkError } from '../../core/errors';
import { makePositions } from '../positions';
import { piecewise, type Syntax } from '../syntax';
import { holdersOf, type MadeModel, type ModelOrigin } from './findModels';
import { argumentsOf, functionsAround, isStatement, wrapOut } from './nodes';
import { indexMutations, type MutationIndex } from './mutations';
import { callsInSlice, placeholderFor, renderSlice, type ChainLink, type RenderRequest } from './renderSlice';
import { parameterName, parametersOf } from './patterns';
import type { Binding, ScopeTable } from './scopes';
import { computeSlice, type Slice, type SliceRoot } from './slicer';

/** A parsed file and what its names mean. */
export interface ScriptFile {
  readonly file: string;
  readonly text: string;
  readonly root: Syntax;
  readonly scopes: ScopeTable;
  readonly mutations: MutationIndex;
  /** What stands at the top of the file and is no statement, such as what cannot be read. */
  readonly loose: readonly Syntax[];
  /** The same file as if no model were compiled in it. */
  readonly uncompiled: () => ScriptFile;
  /** 1-based line and column of an offset. */
  readonly positionOf: (offset: number) => { line: number; column: number };
}

export function openScript(
  file: string,
  text: string,
  root: Syntax,
  scopes: ScopeTable,
  tfCalls: ReadonlyMap<Syntax, readonly string[]>,
): ScriptFile {
  const mutations = indexMutations(root, scopes, tfCalls);
  const loose = root.children.filter((child) => child.named && !isStatement(child));
  let other: ScriptFile | undefined;
  const script: ScriptFile = {
    ...{ file, text, root, scopes, mutations, loose, positionOf: makePositions(text) },
    uncompiled: () => (other ??= { ...script, mutations: dropCompile(mutations) }),
  };
  return script;
}

/** One way of having a model: what to slice from and what to call. */
interface Recipe extends SliceRoot {
  /** The function, method or constructor that is called, or whose body becomes the entry, with the text of its arguments. */
  readonly calls: readonly Callee[];
  /** The statements that end the entry, given the arguments of `calls` in order. */
  readonly result: (args: readonly string[]) => string;
  readonly named: Syntax | undefined;
}

interface Callee {
  readonly fn: Syntax | undefined;
  /** Calls of it in the file: their arguments may serve. */
  readonly places: readonly Syntax[];
  /** Whether `args=` of the hint is for it. */
  readonly takesHint: boolean;
}

/** A slice that can be rendered, or why not. */
export interface SlicedModel {
  readonly slice: Slice;
  /** Present where an argument is missing. */
  readonly error?: ShrinkError;
  /** The calls that are in it. */
  readonly calls: ReadonlySet<Syntax>;
  /** The module that makes the model. @param sites ids by the node of the layer call */
  render(sites: ReadonlyMap<Syntax, number>): string;
}

/**
 * Takes the slice of a file that a model needs.
 *
 * @param args the text of `args=[…]` of the model's hint
 */
export function sliceModel(script: ScriptFile, made: MadeModel, args: string | undefined): SlicedModel {
  let last: SlicedModel | undefined;
  const recipes = listRecipes(script, made);
  // A model that cannot be compiled here (its learning rate comes from the page, say) can still be made.
  for (const from of [() => script, script.uncompiled])
    for (const recipe of recipes) {
      const sliced = followRecipe(from(), recipe, args);
      if (sliced.error === undefined) return sliced;
      last ??= sliced;
    }
  if (last === undefined)
    throw badInput('slice', `${script.file}: the model ${made.name} cannot be cut out of the file.`);
  return last;
}

function dropCompile(mutations: MutationIndex): MutationIndex {
  return new Map(
    [...mutations].map(
      ([binding, list]) => [binding, list.filter((mutation) => mutation.compiles !== true)] as const,
    ),
  );
}

function followRecipe(script: ScriptFile, recipe: Recipe, args: string | undefined): SlicedModel {
  let root: SliceRoot = recipe;
  let slice = computeSlice(root, script.scopes, script.mutations);
  let found = findArguments(script, recipe, slice, args);
  // The arguments of a call may need more of the file, which may need more arguments.
  for (let round = 0; round < 4; round += 1) {
    const more = found.expressions.filter((expression) => !root.expressions.includes(expression));
    if (more.length === 0) break;
    root = { ...root, expressions: [...root.expressions, ...more] };
    slice = computeSlice(root, script.scopes, script.mutations);
    found = findArguments(script, recipe, slice, args);
  }
  const texts = found.texts;
  const chain = recipe.chain.map((fn): ChainLink => {
    const index = recipe.calls.findIndex((callee) => callee.fn === fn);
    return { fn, args: texts[index] ?? '' };
  });
  const request = (sites: ReadonlyMap<Syntax, number>): RenderRequest => ({
    ...{ root: script.root, loose: script.loose, text: script.text, scopes: script.scopes },
    ...{ slice, chain, named: recipe.named, sites, result: recipe.result(texts) },
  });
  return {
    slice,
    ...(found.error === undefined ? {} : { error: found.error }),
    get calls() {
      return callsInSlice(request(new Map()));
    },
    render: (sites) => renderSlice(request(sites)),
  };
}

interface FoundArguments {
  readonly texts: string[];
  readonly expressions: Syntax[];
  readonly error: ShrinkError | undefined;
}

function findArguments(
  script: ScriptFile,
  recipe: Recipe,
  slice: Slice,
  hint: string | undefined,
): FoundArguments {
  const found: { texts: string[]; expressions: Syntax[]; error: ShrinkError | undefined } = {
    texts: [],
    expressions: [],
    error: undefined,
  };
  for (const callee of recipe.calls) {
    if (hint !== undefined && callee.takesHint) {
      found.texts.push(`...${hint}`);
      continue;
    }
    const parameters = callee.fn === undefined ? [] : parametersOf(callee.fn);
    const call = chooseCall(callee, script);
    const texts = parameters.map((parameter, index) => {
      const isNeeded = script.scopes.declaredBy(parameter).some((binding) => slice.needed.has(binding));
      if (!isNeeded) return placeholderFor(parameter);
      const argument = call === undefined ? undefined : argumentsOf(call)[index];
      if (argument !== undefined && isStatic(argument, script, recipe.chain)) {
        found.expressions.push(argument);
        return argument.text;
      }
      if (!isOptional(parameter)) found.error ??= missingArgument(script, callee, parameter);
      return 'undefined';
    });
    found.texts.push(texts.join(', '));
  }
  return found;
}

/** The one call whose arguments speak for all: calls that differ leave the choice to the author. */
function chooseCall(callee: Callee, script: ScriptFile): Syntax | undefined {
  const texts = new Set(callee.places.map((call) => call.field('arguments')?.text));
  if (texts.size <= 1) return callee.places[0];
  const statics = callee.places.filter((call) => argumentsOf(call).every((arg) => isStatic(arg, script, [])));
  const distinct = new Set(statics.map((call) => call.field('arguments')?.text));
  return distinct.size === 1 ? statics[0] : undefined;
}

/** Whether an argument can be evaluated where the entry is: it reads names of the module only. */
function isStatic(argument: Syntax, script: ScriptFile, chain: readonly Syntax[]): boolean {
  if (argument.type === 'spread_element') return false;
  for (const node of argument.walk()) {
    if (node.type === 'this' || node.type === 'await_expression' || node.type === 'call_expression')
      return false;
    const binding = script.scopes.bindingOf(node);
    if (binding === undefined) {
      if (node.type === 'identifier' && node.text !== 'undefined') return false;
    } else if (binding.owner !== undefined && !chain.includes(binding.owner)) {
      return false;
    }
  }
  return true;
}

function isOptional(parameter: Syntax): boolean {
  return (
    parameter.field('value') !== undefined ||
    parameter.type === 'optional_parameter' ||
    parameter.type === 'assignment_pattern' ||
    parameter.text.startsWith('...')
  );
}

function missingArgument(script: ScriptFile, callee: Callee, parameter: Syntax): ShrinkError {
  const { line, column } = script.positionOf(parameter.start);
  const different = callee.places.length > 1 ? ' (its calls differ)' : '';
  return badInput(
    'missing-argument',
    `${script.file}:${line}:${column}: the value of the parameter ${parameterName(parameter)} is not known${different}; ` +
      'write args=[…] into the model’s @shrink-model hint, e.g. // @shrink-model args=[784].',
  );
}

/** Every way to have a model, the one that keeps most of the source first. */
function listRecipes(script: ScriptFile, made: MadeModel): Recipe[] {
  const origin = made.origin;
  switch (origin.kind) {
    case 'variable':
      return [variableRecipe(script, origin.binding, made.creations[0] ?? origin.binding.node)];
    case 'function':
      return functionRecipes(script, origin);
    case 'property': {
      const chain = functionsAround(origin.binding.node);
      const callee: Callee = { fn: origin.fn, places: callsByName(script, origin.path), takesHint: true };
      const result = (args: readonly string[]): string =>
        `return ${origin.binding.name}.${origin.path}(${args.at(-1) ?? ''});`;
      return [
        {
          ...plain(script, chain),
          needs: [origin.binding],
          calls: [...chainCalls(script, chain, false), callee],
          result,
        },
      ];
    }
    case 'method':
    case 'field':
      return classRecipes(script, origin);
    case 'expression':
      return [
        {
          ...plain(script, []),
          expressions: [origin.expression],
          named: origin.expression,
          result: () => 'return __default;',
        },
      ];
  }
}

function plain(script: ScriptFile, chain: readonly Syntax[]): Recipe {
  return {
    chain,
    needs: [],
    expressions: [],
    returns: false,
    calls: chainCalls(script, chain, true),
    named: undefined,
    result: () => '',
  };
}

function variableRecipe(script: ScriptFile, binding: Binding, at: Syntax): Recipe {
  return {
    ...plain(script, functionsAround(at)),
    needs: [binding],
    result: () => `return ${binding.name};`,
  };
}

function functionRecipes(script: ScriptFile, origin: Extract<ModelOrigin, { kind: 'function' }>): Recipe[] {
  const { fn } = origin;
  const binding = origin.binding ?? bindingOfFunction(fn, script.scopes);
  if (binding === undefined) return anonymousRecipes(script, fn);
  const holders = holdersOf(binding, script.scopes).filter((holder) => !fn.contains(holder.call));
  const holder = holders.length === 1 ? holders[0] : undefined;
  const chain = functionsAround(fn);
  const callee: Callee = {
    fn,
    places: callsOf(binding).filter((call) => !fn.contains(call)),
    takesHint: true,
  };
  const direct: Recipe = {
    ...plain(script, chain),
    needs: [binding],
    calls: [...chainCalls(script, chain, false), callee],
    result: (args) => `return ${binding.name}(${args.at(-1) ?? ''});`,
  };
  if (holder === undefined) return [direct];
  // The variable that holds the model is where it is compiled, and its call has the arguments.
  const held = variableRecipe(script, holder.binding, holder.call);
  return [{ ...held, calls: chainCalls(script, held.chain, false) }, direct];
}

function anonymousRecipes(script: ScriptFile, fn: Syntax): Recipe[] {
  const parent = wrapOut(fn).parent?.type;
  if (parent === 'export_statement' || parent === 'assignment_expression') {
    const callee: Callee = { fn, places: [], takesHint: true };
    return [
      {
        ...plain(script, functionsAround(fn)),
        expressions: [fn],
        calls: [callee],
        named: fn,
        result: (args) => `return __default(${args.at(-1) ?? ''});`,
      },
    ];
  }
  const chain = [...functionsAround(fn), fn];
  return [{ ...plain(script, chain), returns: true }];
}

/** A class is made, its building methods are called, and the model is what they return or leave in a field. */
function classRecipes(
  script: ScriptFile,
  origin: Extract<ModelOrigin, { kind: 'method' | 'field' }>,
): Recipe[] {
  const { ofClass } = origin;
  const classBinding = script.scopes.declaredBy(ofClass)[0];
  if (classBinding === undefined) return [];
  const field = origin.kind === 'field' ? origin.member : undefined;
  const methods = field === undefined ? [origin.fn] : findBuilders(script, ofClass, field);
  const names = methods.map((method) => (method.field('name') ?? method.field('property'))?.text ?? '');
  const constructor = script.scopes.memberOf(ofClass, 'constructor');
  const constructorTakes = methods.every((method) => parametersOf(method).length === 0);
  const calls: Callee[] = [
    { fn: constructor?.node, places: constructionsOf(classBinding), takesHint: constructorTakes },
    ...methods.map((fn, index) => ({
      fn,
      places: callsByName(script, names[index] ?? ''),
      takesHint: parametersOf(fn).length > 0,
    })),
  ];
  const chain = functionsAround(ofClass);
  const outer = chainCalls(script, chain, false);
  const members = names.map((name) => script.scopes.memberOf(ofClass, name));
  const needs = [classBinding, constructor, field, ...members].filter((need) => need !== undefined);
  const isStatic = field === undefined && origin.fn.child('static') !== undefined;
  const result = (args: readonly string[]): string => {
    const [newArgs = '', ...methodArgs] = args.slice(outer.length);
    const object = isStatic ? classBinding.name : `new ${classBinding.name}(${newArgs})`;
    const made = names.map((name, index) => `await __object.${name}(${methodArgs[index] ?? ''})`);
    const last = field === undefined ? made.pop() : `__object.${field.name}`;
    return [`const __object = ${object}`, ...made, `return ${last ?? '__object'};`].join('; ');
  };
  return [{ ...plain(script, chain), needs, calls: [...outer, ...calls], result }];
}

/** The methods that put something into a field and that no other method of the class calls, in source order. */
function findBuilders(script: ScriptFile, ofClass: Syntax, field: Binding): Syntax[] {
  const changes = script.mutations.get(field) ?? [];
  const methods =
    ofClass.field('body')?.namedChildren.filter((node) => node.type === 'method_definition') ?? [];
  return methods.filter((method) => {
    const name = method.field('name')?.text ?? '';
    if (name === 'constructor' || !changes.some((change) => change.inFunction === method)) return false;
    const member = script.scopes.memberOf(ofClass, name);
    return member?.references.every((use) => method.contains(use)) ?? false;
  });
}

/** The callees of a chain; only the innermost takes the hint's arguments. */
function chainCalls(script: ScriptFile, chain: readonly Syntax[], takesHint: boolean): Callee[] {
  return chain.map((fn, index) => {
    const binding = bindingOfFunction(fn, script.scopes);
    const places = binding === undefined ? [] : callsOf(binding).filter((call) => !fn.contains(call));
    return { fn, places, takesHint: takesHint && index === chain.length - 1 };
  });
}

function bindingOfFunction(fn: Syntax, scopes: ScopeTable): Binding | undefined {
  const parent = wrapOut(fn).parent;
  const declaring = parent?.type === 'variable_declarator' ? parent : fn;
  // The name of a function expression is known only inside of it.
  if (declaring === fn && fn.type !== 'function_declaration') return undefined;
  return scopes
    .declaredBy(declaring)
    .find((binding) => binding.kind === 'function' || binding.kind === 'variable');
}

function callsOf(binding: Binding): Syntax[] {
  return binding.references.flatMap((use) =>
    use.parent?.type === 'call_expression' && use.parent.field('function') === use ? [use.parent] : [],
  );
}

function constructionsOf(binding: Binding): Syntax[] {
  return binding.references.flatMap((use) => (use.parent?.type === 'new_expression' ? [use.parent] : []));
}

const methodCalls = piecewise((nodes) =>
  nodes.filter(
    (node) => node.type === 'call_expression' && node.field('function')?.type === 'member_expression',
  ),
);

/** Calls of anything's method of this name. */
function callsByName(script: ScriptFile, name: string): Syntax[] {
  return methodCalls(script.root).filter((node) => node.field('function')?.field('property')?.text === name);
}
