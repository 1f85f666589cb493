import { piecewise, type Syntax } from '../syntax';
import { bindingOfClass, functionOfMember, memberName, memberOfFunction } from './classes';
import { holdersOf, originNode, type MadeModel, type ModelOrigin } from './findModels';
import { functionsAround, wrapOut } from './nodes';
import { isBox } from './modelPlaces';
import { parametersOf } from './patterns';
import type { Binding, ScopeTable } from './scopes';
import { accessTo, memberPath, type ClassAccess } from './privateNames';
import type { ScriptModule, ScriptProgram } from './scriptProgram';
import type { SliceRoot } from './slice';
import { callsOf } from './uses';

/** One way of having a model: what to slice from and what to call. */
export interface Recipe extends SliceRoot {
  /** The file whose slice ends in the model. */
  readonly entry: ScriptModule;
  /** The function, method or constructor that is called, or whose body becomes the entry, with the text of its arguments. */
  readonly calls: readonly Callee[];
  /** The statements that end the entry, given the arguments of `calls` in order. */
  readonly result: (args: readonly string[]) => string;
  /** An expression of the entry's file that gets the name `__default`. */
  readonly named: Syntax | undefined;
  /** Members that a class gets, so that what is private in it can be reached. */
  readonly access?: ClassAccess | undefined;
}

export interface Callee {
  readonly fn: Syntax | undefined;
  /** Calls of it: their arguments may serve. */
  readonly places: readonly Syntax[];
  /** Whether `args=` of the hint is for it. */
  readonly takesHint: boolean;
}

/** What every recipe of a model needs to know. */
interface Kitchen {
  readonly script: ScriptProgram;
  readonly entry: ScriptModule;
  /** How the entry's file reaches a model of another file. */
  readonly use: Syntax | undefined;
}

/** Every way to have a model, the one that keeps most of the source first. */
export function listRecipes(script: ScriptProgram, made: MadeModel): Recipe[] {
  const { origin } = made;
  const use = made.via?.use;
  const entry = use === undefined ? script.moduleOf(originNode(origin)) : script.main;
  const kitchen: Kitchen = { script, entry, use };
  switch (origin.kind) {
    case 'variable':
      return [variableRecipe(kitchen, origin.binding, made.creations[0] ?? origin.binding.node, origin.path)];
    case 'function':
      return functionRecipes(kitchen, origin);
    case 'property':
      return [propertyRecipe(kitchen, origin)];
    case 'method':
    case 'field':
    case 'instance':
      return [classRecipe(kitchen, origin)];
    case 'expression':
      return [expressionRecipe(kitchen, origin.expression)];
  }
}

function plain(kitchen: Kitchen, chain: readonly Syntax[]): Recipe {
  const { entry, use } = kitchen;
  return {
    entry,
    chain,
    needs: [],
    expressions: use === undefined ? [] : [use],
    returns: false,
    boxes: [],
    holder: undefined,
    menu: undefined,
    calls: chainCalls(kitchen, chain, true),
    named: undefined,
    result: () => '',
  };
}

/** The functions around a node of the entry's file; what other files declare is reached from the top of the entry's. */
function chainAround({ use }: Kitchen, node: Syntax): readonly Syntax[] {
  return use === undefined ? functionsAround(node) : [];
}

function variableRecipe(kitchen: Kitchen, binding: Binding, at: Syntax, path = ''): Recipe {
  return {
    ...plain(kitchen, chainAround(kitchen, at)),
    needs: [binding],
    boxes: path !== '' && isBox(binding) ? [binding] : [],
    holder: holderAt(binding, path),
    result: () => `return ${kitchen.use?.text ?? binding.name}${path};`,
  };
}

function holderAt(binding: Binding | undefined, path: string): Recipe['holder'] {
  const key = path.split('.')[1];
  return binding === undefined || key === undefined ? undefined : { binding, key };
}

function expressionRecipe(kitchen: Kitchen, expression: Syntax): Recipe {
  const { use } = kitchen;
  if (use !== undefined) return { ...plain(kitchen, []), result: () => `return ${use.text};` };
  return {
    ...plain(kitchen, functionsAround(expression)),
    expressions: [expression],
    named: expression,
    result: () => 'return __default;',
  };
}

function propertyRecipe(kitchen: Kitchen, origin: Extract<ModelOrigin, { kind: 'property' }>): Recipe {
  const chain = chainAround(kitchen, origin.binding.node);
  const callee: Callee = { fn: origin.fn, places: callsByName(kitchen, origin.path), takesHint: true };
  const object = kitchen.use?.text ?? origin.binding.name;
  return {
    ...plain(kitchen, chain),
    needs: [origin.binding],
    menu: kitchen.use === undefined ? { binding: origin.binding, key: origin.path } : undefined,
    calls: [...chainCalls(kitchen, chain, false), callee],
    result: (args) => `return ${object}.${origin.path}(${args.at(-1) ?? ''});`,
  };
}

function functionRecipes(kitchen: Kitchen, origin: Extract<ModelOrigin, { kind: 'function' }>): Recipe[] {
  const { script, entry, use } = kitchen;
  const { fn } = origin;
  const binding =
    (use === undefined ? undefined : script.scopes.bindingOf(use)) ?? bindingOfOrigin(origin, script);
  if (binding === undefined) return anonymousRecipes(kitchen, fn);
  const isHere = (node: Syntax): boolean => script.moduleOf(node) === entry && !fn.contains(node);
  const holders = holdersOf(binding, script.scopes).filter((holder) => isHere(holder.call));
  const holder = holders.length === 1 ? holders[0] : undefined;
  const chain = chainAround(kitchen, fn);
  const callee: Callee = {
    fn,
    places: callsOf(binding).filter((call) => !fn.contains(call)),
    takesHint: true,
  };
  const direct: Recipe = {
    ...plain(kitchen, chain),
    needs: [binding],
    calls: [...chainCalls(kitchen, chain, false), callee],
    result: (args) => `return ${use?.text ?? binding.name}(${args.at(-1) ?? ''});`,
  };
  if (holder === undefined) return [direct];
  // The variable that holds the model is where it is compiled, and its call has the arguments.
  const held = variableRecipe({ script, entry, use: undefined }, holder.binding, holder.call);
  return [{ ...held, calls: chainCalls(kitchen, held.chain, false) }, direct];
}

function bindingOfOrigin(
  origin: Extract<ModelOrigin, { kind: 'function' }>,
  { scopes }: ScriptProgram,
): Binding | undefined {
  return origin.binding ?? bindingOfFunction(origin.fn, scopes);
}

function anonymousRecipes(kitchen: Kitchen, fn: Syntax): Recipe[] {
  const parent = wrapOut(fn).parent?.type;
  if (parent === 'export_statement' || parent === 'assignment_expression') {
    const callee: Callee = { fn, places: [], takesHint: true };
    return [
      {
        ...plain(kitchen, functionsAround(fn)),
        expressions: [fn],
        calls: [callee],
        named: fn,
        result: (args) => `return __default(${args.at(-1) ?? ''});`,
      },
    ];
  }
  const chain = [...functionsAround(fn), fn];
  return [{ ...plain(kitchen, chain), returns: true }];
}

/** A class is made, its building methods are called, and the model is what they return or leave in a field. */
function classRecipe(
  kitchen: Kitchen,
  origin: Extract<ModelOrigin, { kind: 'method' | 'field' | 'instance' }>,
): Recipe {
  const { script, use } = kitchen;
  const { ofClass } = origin;
  const classBinding =
    bindingOfClass(ofClass, script.scopes) ?? (use === undefined ? undefined : script.scopes.bindingOf(use));
  const chain = chainAround(kitchen, ofClass);
  const [field, path] = origin.kind === 'field' ? [origin.member, origin.path] : [undefined, ''];
  const own = origin.kind === 'method' ? [origin.fn] : [];
  const methods = field === undefined ? own : findBuilders(script, ofClass, field);
  const names = methods.map((method) => memberName(memberOfFunction(method) ?? method));
  const constructor = script.scopes.memberOf(ofClass, 'constructor');
  const constructorTakes = methods.every((method) => parametersOf(method).length === 0);
  const calls: Callee[] = [
    {
      fn: constructor?.node,
      places: classBinding === undefined ? [] : constructionsOf(classBinding),
      takesHint: constructorTakes,
    },
    ...methods.map((fn, index) => ({
      fn,
      places: callsByName(kitchen, names[index] ?? ''),
      takesHint: parametersOf(fn).length > 0,
    })),
  ];
  const outer = chainCalls(kitchen, chain, false);
  const members = names.map((name) => script.scopes.memberOf(ofClass, name));
  const needs = [classBinding, constructor, field, ...members].filter((need) => need !== undefined);
  const isStatic = (field?.node ?? own.map(memberOfFunction)[0])?.child('static') !== undefined;
  const access = accessTo(ofClass, field?.name, names, isStatic);
  const className = use?.text ?? classBinding?.name ?? '__default';
  const result = (args: readonly string[]): string => {
    const [newArgs = '', ...methodArgs] = args.slice(outer.length);
    const object = isStatic ? className : `new ${className}(${newArgs})`;
    const made = names.map((name, index) => `await __object${memberPath(name)}(${methodArgs[index] ?? ''})`);
    const last = field === undefined ? made.pop() : `__object${memberPath(field.name)}${path}`;
    return [`const __object = ${object}`, ...made, `return ${last ?? '__object'};`].join('; ');
  };
  const named = use === undefined && classBinding === undefined ? ofClass : undefined;
  const expressions = [...(use === undefined ? [] : [use]), ...(named === undefined ? [] : [named])];
  const parts = { needs, expressions, named, access, calls: [...outer, ...calls], result };
  return { ...plain(kitchen, chain), ...parts, holder: holderAt(field, path) };
}

/** The methods that put something into a field and that no other method of the class calls, in source order. */
function findBuilders(script: ScriptProgram, ofClass: Syntax, field: Binding): Syntax[] {
  const changes = script.mutations.get(field) ?? [];
  const methods = (ofClass.field('body')?.namedChildren ?? []).flatMap(
    (node) => functionOfMember(node) ?? [],
  );
  return methods.filter((method) => {
    const name = memberName(memberOfFunction(method) ?? method);
    if (name === 'constructor' || !changes.some((change) => change.inFunction === method)) return false;
    const member = script.scopes.memberOf(ofClass, name);
    return member?.references.every((use) => method.contains(use)) ?? false;
  });
}

/** The callees of a chain; only the innermost takes the hint's arguments. */
function chainCalls({ script }: Kitchen, chain: readonly Syntax[], takesHint: boolean): Callee[] {
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

function constructionsOf(binding: Binding): Syntax[] {
  return binding.references.flatMap((use) => (use.parent?.type === 'new_expression' ? [use.parent] : []));
}

const methodCalls = piecewise((nodes) =>
  nodes.filter(
    (node) => node.type === 'call_expression' && node.field('function')?.type === 'member_expression',
  ),
);

/** Calls of anything's method of this name in the entry's file. */
function callsByName({ entry }: Kitchen, name: string): Syntax[] {
  return methodCalls(entry.root).filter((node) => node.field('function')?.field('property')?.text === name);
}
