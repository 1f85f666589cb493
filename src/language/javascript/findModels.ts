import type { ModelKind } from '../reading';
import type { Syntax } from '../syntax';
import { isClassExpression, memberName, memberOfFunction } from './classes';
import { argumentsOf, enclosingFunction, isFunction, unwrap, wrapOut } from './nodes';
import { isComplete, isHandedOn, modelClasses, placeName, placeOf } from './modelPlaces';
import type { Binding, ProgramScopes, ScopeTable } from './scopes';
import type { ScriptModule } from './scriptProgram';

/** Where the model comes out. */
export type ModelOrigin =
  /** A variable holds it; the creation stands in `inFunction`, or at the top of the module. */
  | {
      readonly kind: 'variable';
      readonly binding: Binding;
      readonly inFunction: Syntax | undefined;
      /** Where the variable holds it, if it is not the model itself: `.current`. */
      readonly path: string;
    }
  /** A function returns it. */
  | { readonly kind: 'function'; readonly fn: Syntax; readonly binding: Binding | undefined }
  /** A method returns it. */
  | { readonly kind: 'method'; readonly fn: Syntax; readonly ofClass: Syntax }
  /** A method, or the constructor, puts it into a field. */
  | {
      readonly kind: 'field';
      readonly member: Binding;
      readonly fn: Syntax;
      readonly ofClass: Syntax;
      readonly path: string;
    }
  /** A class is the model: `class Net extends tf.Sequential`. */
  | { readonly kind: 'instance'; readonly ofClass: Syntax }
  /** A function in an object returns it; `path` is how the object's name leads to it. */
  | { readonly kind: 'property'; readonly fn: Syntax; readonly binding: Binding; readonly path: string }
  /** An expression: `export default tf.sequential(…)`, `resolve(tf.sequential(…))`. */
  | { readonly kind: 'expression'; readonly expression: Syntax };

/** A model as the source makes it. */
export interface MadeModel {
  readonly name: string;
  readonly kind: ModelKind;
  readonly origin: ModelOrigin;
  readonly nameNode: Syntax;
  /** The calls that make it: several where branches differ. */
  readonly creations: readonly Syntax[];
  /** How the file that is read has it, where another file makes it. */
  readonly via?: ModelPath;
}

/** How a file reaches a model that another file makes. */
export interface ModelPath {
  /** A use of its name; absent where the file only hands the name on. */
  readonly use?: Syntax;
}

/** The node where a model comes out: it tells the file. */
export function originNode(origin: ModelOrigin): Syntax {
  switch (origin.kind) {
    case 'variable':
      return origin.binding.node;
    case 'function':
    case 'method':
    case 'field':
    case 'property':
      return origin.fn;
    case 'instance':
      return origin.ofClass;
    case 'expression':
      return origin.expression;
  }
}

/** Finds the models that a file makes, in source order; their names may be the same. */
export function findMadeModels(
  { root, tfCalls }: Pick<ScriptModule, 'root' | 'tfCalls'>,
  scopes: ProgramScopes,
): MadeModel[] {
  const made = new Map<unknown, { model: MadeModel; creations: Syntax[] }>();
  for (const [node, path] of tfCalls) {
    const kind = creationKind(node, path);
    if (kind === undefined) continue;
    const outer = wrapOutOfChoice(node);
    const isExpression = isComplete(node, kind) && isHandedOn(outer, tfCalls);
    const origin = findOrigin(node, scopes, isExpression);
    if (origin === undefined) continue;
    const key = keyOf(origin);
    const known = made.get(key);
    if (known !== undefined) {
      known.creations.push(node);
      continue;
    }
    const creations = [node];
    const named = nameOrigin(origin, scopes);
    made.set(key, { model: { ...named, kind, origin, creations }, creations });
  }
  const instances = modelClasses(root, scopes).map(({ ofClass, kind }): MadeModel => {
    const origin: ModelOrigin = { kind: 'instance', ofClass };
    return { ...nameOrigin(origin, scopes), kind, origin, creations: [ofClass] };
  });
  return [...[...made.values()].map((entry) => entry.model), ...instances];
}

/** The kind of model that a call makes, if it makes one. */
export function creationKind(node: Syntax, path: readonly string[]): ModelKind | undefined {
  const isNew = node.type === 'new_expression';
  if (path.length !== 1) return undefined;
  const name = path[0];
  if (name === (isNew ? 'Sequential' : 'sequential')) return 'sequential';
  return name === 'model' && !isNew && argumentsOf(node).length > 0 ? 'functional' : undefined;
}

/** @param isExpression whether the expression is a model of its own, whatever is done with it */
function findOrigin(creation: Syntax, scopes: ScopeTable, isExpression: boolean): ModelOrigin | undefined {
  const outer = wrapOutOfChoice(creation);
  const parent = outer.parent;
  if (parent === null) return undefined;
  switch (parent.type) {
    case 'variable_declarator': {
      const name = parent.field('name');
      const binding = name === undefined ? undefined : scopes.bindingOf(name);
      return binding === undefined || name?.type !== 'identifier'
        ? undefined
        : variableOrigin(binding, creation, scopes);
    }
    case 'assignment_expression':
    case 'augmented_assignment_expression':
      return assignedOrigin(parent, creation, scopes);
    case 'return_statement': {
      const fn = enclosingFunction(parent);
      return fn === undefined ? undefined : functionOrigin(fn, scopes);
    }
    case 'arrow_function':
      return functionOrigin(parent, scopes);
    case 'public_field_definition':
    case 'field_definition': {
      const member = scopes.declaredBy(parent)[0];
      return member?.ofClass === undefined
        ? undefined
        : { kind: 'field', member, fn: parent, ofClass: member.ofClass, path: '' };
    }
    case 'export_statement':
      return { kind: 'expression', expression: outer };
    case 'arguments':
    case 'array':
    case 'pair':
      return isExpression ? { kind: 'expression', expression: outer } : undefined;
    default:
      return undefined;
  }
}

function assignedOrigin(assignment: Syntax, creation: Syntax, scopes: ScopeTable): ModelOrigin | undefined {
  const left = assignment.field('left');
  if (left === undefined) return undefined;
  const place = placeOf(left, scopes);
  const { binding, path = '' } = place ?? { binding: scopes.bindingOf(left) };
  if (binding?.kind === 'member' && binding.ofClass !== undefined) {
    const fn = methodAround(assignment);
    return fn === undefined
      ? undefined
      : { kind: 'field', member: binding, fn, ofClass: binding.ofClass, path };
  }
  if (binding !== undefined && path !== '')
    return { kind: 'variable', binding, inFunction: enclosingFunction(creation), path };
  if (binding !== undefined) return variableOrigin(binding, creation, scopes);
  const right = assignment.field('right');
  const isExport = /^(?:module\.exports|exports)\b/.test(left.text);
  return isExport && right !== undefined && enclosingFunction(assignment) === undefined
    ? { kind: 'expression', expression: right }
    : undefined;
}

/** A variable's model belongs to the function that returns the variable, if one does. */
function variableOrigin(binding: Binding, creation: Syntax, scopes: ScopeTable): ModelOrigin {
  const inFunction = enclosingFunction(creation);
  const returned = binding.references.some((use) => {
    const parent = wrapOutOfChoice(use).parent;
    return parent?.type === 'return_statement' && enclosingFunction(parent) === inFunction;
  });
  if (returned && inFunction !== undefined && binding.owner === inFunction)
    return functionOrigin(inFunction, scopes);
  return { kind: 'variable', binding, inFunction, path: '' };
}

function functionOrigin(fn: Syntax, scopes: ScopeTable): ModelOrigin {
  return refineFunction({ kind: 'function', fn, binding: undefined }, scopes);
}

function refineFunction(origin: Extract<ModelOrigin, { kind: 'function' }>, scopes: ScopeTable): ModelOrigin {
  const { fn } = origin;
  const outer = wrapOut(fn);
  const parent = outer.parent;
  const ofClass = memberOfFunction(fn)?.parent?.parent;
  if (ofClass) return { kind: 'method', fn, ofClass };
  if (fn.type === 'function_declaration') {
    return { ...origin, binding: scopes.declaredBy(fn).find((binding) => binding.kind === 'function') };
  }
  if (parent?.type === 'variable_declarator') return { ...origin, binding: scopes.declaredBy(parent)[0] };
  return propertyOrigin(fn, scopes) ?? origin;
}

/** `const models = { small() {…}, big: () => … }`. */
function propertyOrigin(fn: Syntax, scopes: ScopeTable): ModelOrigin | undefined {
  const entry = fn.type === 'method_definition' ? fn : wrapOut(fn).parent;
  const object = entry?.parent;
  const declarator = object === null || object === undefined ? null : wrapOut(object).parent;
  if (object?.type !== 'object' || declarator?.type !== 'variable_declarator') return undefined;
  const binding = scopes.declaredBy(declarator)[0];
  const key = entry?.field('key') ?? entry?.field('name');
  if (binding === undefined || key?.type !== 'property_identifier') return undefined;
  return { kind: 'property', fn, binding, path: key.text };
}

function methodAround(node: Syntax): Syntax | undefined {
  return [...node.ancestors()].find(
    (ancestor) => isFunction(ancestor) && memberOfFunction(ancestor) !== undefined,
  );
}

/** Out of parentheses, casts, `?:` and `known ?? made`. */
function wrapOutOfChoice(node: Syntax): Syntax {
  const outer = wrapOut(node);
  const parent = outer.parent;
  const isFallback = parent?.type === 'binary_expression' && parent.field('right') === outer;
  const chosen =
    (parent?.type === 'ternary_expression' && parent.field('condition') !== outer) ||
    (isFallback && parent.children.some(({ type }) => type === '??' || type === '||'));
  return parent !== null && chosen ? wrapOutOfChoice(parent) : outer;
}

function keyOf(origin: ModelOrigin): unknown {
  switch (origin.kind) {
    case 'variable':
      return placeKey(origin.binding, origin.path);
    case 'function':
    case 'method':
    case 'property':
      return origin.fn;
    case 'field':
      return placeKey(origin.member, origin.path);
    case 'instance':
      return origin.ofClass;
    case 'expression':
      return origin.expression;
  }
}

/** The same for the same place. */
function placeKey(binding: Binding, path: string): unknown {
  return path === '' ? binding : `${binding.node.start} ${binding.name}${path}`;
}

function nameOrigin(origin: ModelOrigin, scopes: ScopeTable): { name: string; nameNode: Syntax } {
  switch (origin.kind) {
    case 'variable':
      return { name: placeName(origin), nameNode: nameNodeOf(origin.binding) };
    case 'expression': {
      const { expression } = origin;
      const isExport = !/^(?:arguments|array|pair)$/.test(expression.parent?.type ?? '');
      const name = isExport ? 'default' : (nameOfPlace(expression) ?? 'model');
      return { name, nameNode: expression };
    }
    case 'instance': {
      const nameNode = origin.ofClass.field('name') ?? origin.ofClass;
      return { name: classNameOf(origin.ofClass), nameNode };
    }
    case 'function': {
      const refined = refineFunction(origin, scopes);
      if (refined.kind !== 'function') return nameOrigin(refined, scopes);
      const { binding, fn } = refined;
      const own = fn.field('name');
      if (binding === undefined)
        return { name: own?.text ?? nameOfPlace(fn) ?? 'model', nameNode: own ?? fn };
      return { name: binding.name, nameNode: nameNodeOf(binding) };
    }
    case 'method': {
      const member = memberOfFunction(origin.fn) ?? origin.fn;
      const nameNode = member.field('name') ?? member.field('property') ?? member;
      return { name: `${classNameOf(origin.ofClass)}.${memberName(member)}`, nameNode };
    }
    case 'field':
      return {
        name: `${classNameOf(origin.ofClass)}.${origin.member.name}${origin.path}`,
        nameNode: origin.ofClass.field('name') ?? origin.ofClass,
      };
    case 'property': {
      const nameNode = origin.fn.field('name') ?? wrapOut(origin.fn).parent?.field('key') ?? origin.fn;
      return { name: `${origin.binding.name}.${origin.path}`, nameNode };
    }
  }
}

/** What a function or class without a name is put into. */
function nameOfPlace(node: Syntax): string | undefined {
  const parent = wrapOut(node).parent;
  if (parent?.type === 'export_statement') return 'default';
  const place = parent?.field('name') ?? parent?.field('key') ?? parent?.field('left');
  const name = place?.text.split('.').at(-1);
  return name === 'exports' ? 'default' : name;
}

/** The name by which a class is known around it, or where it is put. */
function classNameOf(node: Syntax): string {
  const own = node.field('name')?.text;
  const place = isClassExpression(node) ? nameOfPlace(node) : undefined;
  return (place === 'default' ? undefined : place) ?? own ?? 'default';
}

function nameNodeOf(binding: Binding): Syntax {
  return binding.node.field('name') ?? binding.node;
}

/** Two functions may each have a `model`: such names are told apart by the function, or by their order. */
export function giveUniqueNames(models: readonly MadeModel[]): MadeModel[] {
  const counts = new Map<string, number>();
  for (const model of models) counts.set(model.name, (counts.get(model.name) ?? 0) + 1);
  const used = new Set<string>();
  return models.map((model) => {
    let name = model.name;
    if ((counts.get(name) ?? 0) > 1 && model.origin.kind === 'variable') {
      const around = functionName(model.origin.inFunction);
      if (around !== undefined) name = `${around}.${name}`;
    }
    for (let count = 2; used.has(name); count += 1) name = `${model.name}${count}`;
    used.add(name);
    return { ...model, name };
  });
}

/** The name by which people would call a function. */
export function functionName(fn: Syntax | undefined): string | undefined {
  if (fn === undefined) return undefined;
  const name =
    fn.field('name') ?? (fn.parent?.type === 'variable_declarator' ? fn.parent.field('name') : undefined);
  return name?.text;
}

/** Whether a call of a function is all of a variable's value; then the variable holds the model too. */
export function holdersOf(fn: Binding, scopes: ScopeTable): { binding: Binding; call: Syntax }[] {
  return fn.references.flatMap((use) => {
    const call = use.parent;
    if (call?.type !== 'call_expression' || call.field('function') !== use) return [];
    const parent = wrapOut(call).parent;
    const target =
      parent?.type === 'variable_declarator'
        ? parent.field('name')
        : parent?.type === 'assignment_expression'
          ? parent.field('left')
          : undefined;
    const binding = target === undefined ? undefined : scopes.bindingOf(unwrap(target));
    // A field is set in a constructor, which is not run for its sake.
    const isHolder = binding !== undefined && binding.kind !== 'member' && target?.type !== 'object_pattern';
    return isHolder ? [{ binding, call }] : [];
  });
}
