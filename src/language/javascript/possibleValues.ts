import type { Syntax } from '../syntax';
import { argumentsOf, isFunction, entryValue, unwrap, wrapOut } from './nodes';
import { calledFunction, nameOfFunction, parameterBindings } from './mutations';
import { callsChangingMethod, callsOf, isAssigned, isValueUse, keyUses } from './uses';
import { parametersOf, patternNames } from './patterns';
import {
  joinValues,
  unknownValue,
  withConditions,
  type Condition,
  type PossibleValue,
} from './possibleValue';
import type { Binding, ProgramScopes } from './scopes';

/** What is known of how a model is made. */
export interface Circumstances {
  readonly scopes: ProgramScopes;
  /** The calls that are in the slice; others are never made. */
  readonly calls: ReadonlySet<Syntax>;
  /** What the entry gives its functions' parameters. */
  readonly given: ReadonlyMap<Syntax, Syntax | undefined>;
}

const MOST_VALUES = 200;
const MOST_STEPS = 24;

/** Finds all that an expression can be, following constants, parameters, loops and other files. Never empty. */
export function possibleValues(node: Syntax, circumstances: Circumstances): PossibleValue[] {
  const found = new Follower(circumstances).follow(node, MOST_STEPS);
  return found.length > 0 && found.length <= MOST_VALUES ? found : [unknownValue(node, 'is computed')];
}

/** The values of a key of an object literal, spread ones included. */
export function possibleProperty(object: Syntax, key: string, circumstances: Circumstances): PossibleValue[] {
  return new Follower(circumstances).property(object, key, MOST_STEPS);
}

class Follower {
  private readonly scopes: ProgramScopes;

  constructor(private readonly circumstances: Circumstances) {
    this.scopes = circumstances.scopes;
  }

  follow(node: Syntax, steps: number): PossibleValue[] {
    const inner = unwrap(node);
    return this.followInner(inner, steps).map((value) => ({ ...value, via: [...value.via, inner] }));
  }

  private followInner(inner: Syntax, steps: number): PossibleValue[] {
    if (steps === 0) return [unknownValue(inner, 'leads through too many constants')];
    switch (inner.type) {
      case 'identifier':
      case 'shorthand_property_identifier':
        return this.followName(inner, steps);
      case 'member_expression':
        return this.followMember(inner, steps);
      case 'subscript_expression':
        return this.followItem(inner, steps);
      default:
        return [{ node: inner, conditions: [], uses: [], via: [] }];
    }
  }

  private followName(node: Syntax, steps: number): PossibleValue[] {
    const binding = this.scopes.bindingOf(node);
    if (binding === undefined)
      return [unknownValue(node, `comes from ${node.text}, which is not declared in this file`)];
    return this.followBinding(binding, node, steps);
  }

  private followBinding(binding: Binding, node: Syntax, steps: number): PossibleValue[] {
    if (binding.kind === 'import')
      return [unknownValue(node, `comes from ${node.text}, which another file declares`)];
    if (this.isChanged(binding, 3))
      return [unknownValue(node, `comes from ${node.text}, which takes more than one value`)];
    if (binding.kind === 'export') return this.follow(binding.node, steps - 1);
    if (binding.kind === 'parameter') return this.followParameter(binding, node, steps);
    const loop = binding.node.parent;
    if (loop?.type === 'for_in_statement' && loop.field('left') === binding.node)
      return this.followLoop(loop, binding, steps);
    if (binding.kind !== 'variable' || binding.node.type !== 'variable_declarator')
      return [unknownValue(node, `comes from ${node.text}, which is computed`)];
    const [value, pattern] = [binding.node.field('value'), binding.node.field('name')];
    if (value === undefined || pattern === undefined)
      return [unknownValue(node, `comes from ${node.text}, which takes more than one value`)];
    return this.follow(value, steps - 1)
      .flatMap((whole) => this.takeApart(whole, pattern, binding.name, steps - 1))
      .map((whole): PossibleValue => {
        if (whole.unknown !== undefined)
          return { ...whole, node, unknown: `comes from ${node.text}, which is computed` };
        const uses = [...binding.references, ...whole.uses];
        return { ...whole, name: whole.name ?? node.text, uses };
      });
  }

  /** Whether a name, or the list or object behind it, is not what it was declared as. */
  private isChanged(binding: Binding, depth: number): boolean {
    return binding.references.some((use) => {
      if (isAssigned(use) || callsChangingMethod(use)) return true;
      const call = use.parent?.type === 'arguments' ? use.parent.parent : undefined;
      const fn = call === undefined || call === null ? undefined : calledFunction(call, this.scopes);
      if (call === undefined || call === null || fn === undefined || depth === 0) return false;
      const given = parameterBindings(fn, argumentsOf(call).indexOf(use), this.scopes);
      return given.some((parameter) => parameter !== binding && this.isFilled(parameter, depth - 1));
    });
  }

  /** Whether a function changes what a parameter holds; to give the parameter itself another value changes nothing. */
  private isFilled(parameter: Binding, depth: number): boolean {
    const plain = parameter.references.filter((use) => wrapOut(use).parent?.field('left') !== use);
    return this.isChanged({ ...parameter, references: plain }, depth);
  }

  /** What a pattern gives a name: the value itself for a plain name. */
  private takeApart(value: PossibleValue, pattern: Syntax, name: string, steps: number): PossibleValue[] {
    if (value.unknown !== undefined) return [value];
    switch (pattern.type) {
      case 'identifier':
        return [value];
      case 'required_parameter':
      case 'optional_parameter': {
        const inner = pattern.field('pattern');
        return inner === undefined ? [] : this.takeApart(value, inner, name, steps);
      }
      case 'assignment_pattern': {
        const inner = pattern.field('left');
        return inner === undefined ? [] : this.takeApart(value, inner, name, steps);
      }
      case 'object_pattern':
        return this.takeKey(value, pattern, name, steps);
      case 'array_pattern':
        return this.takeItem(value, pattern, name, steps);
      default:
        return [unknownValue(value.node, 'is computed')];
    }
  }

  private takeKey(value: PossibleValue, pattern: Syntax, name: string, steps: number): PossibleValue[] {
    for (const entry of pattern.namedChildren) {
      if (!patternNames(entry).some((inner) => inner.text === name)) continue;
      const isDefault = entry.type === 'object_assignment_pattern';
      const target = isDefault ? entry.field('left') : entry;
      const key = target?.type === 'pair_pattern' ? target.field('key')?.text : name;
      const inner = target?.type === 'pair_pattern' ? target.field('value') : undefined;
      const taken = this.property(value.node, key ?? name, steps);
      const fallback = isDefault ? entry.field('right') : inner?.field('right');
      const isMissing = taken.length === 1 && taken[0]?.unknown === MISSING;
      const found = isMissing && fallback !== undefined ? this.follow(fallback, steps - 1) : taken;
      const joined = found.map((part) => joinValues(value, part));
      return inner === undefined || inner.type === 'identifier'
        ? joined
        : joined.flatMap((part) => this.takeApart(part, inner, name, steps));
    }
    return [unknownValue(value.node, 'is computed')];
  }

  private takeItem(value: PossibleValue, pattern: Syntax, name: string, steps: number): PossibleValue[] {
    const index = pattern.namedChildren.findIndex((child) =>
      patternNames(child).some((inner) => inner.text === name),
    );
    const [item, inner] = [itemsOf(value.node)?.[index], pattern.namedChildren[index]];
    if (item === undefined || inner === undefined) return [unknownValue(value.node, 'is computed')];
    return this.follow(item, steps - 1).flatMap((part) =>
      this.takeApart(joinValues(value, part), inner, name, steps),
    );
  }

  /** `config.hidden`, or a name of another file. */
  private followMember(node: Syntax, steps: number): PossibleValue[] {
    const elsewhere = this.scopes.bindingOf(node);
    if (elsewhere !== undefined)
      return elsewhere.kind === 'member'
        ? this.followField(elsewhere, node, steps)
        : this.followBinding(elsewhere, node, steps);
    const [object, key] = [node.field('object'), node.field('property')?.text];
    if (object === undefined || key === undefined) return [unknownValue(node, 'is computed')];
    return this.follow(object, steps - 1).flatMap((whole) => {
      if (whole.unknown !== undefined) return [{ ...whole, node, unknown: 'is computed' }];
      return this.property(whole.node, key, steps - 1).map((value): PossibleValue => {
        if (value.unknown !== undefined) return unknownValue(node, 'is computed');
        const uses = [...keyUses(whole.uses, key), ...value.uses];
        const isNamed = whole.name !== undefined || value.name !== undefined;
        return {
          ...value,
          conditions: [...whole.conditions, ...value.conditions],
          uses,
          via: [...whole.via, ...value.via],
          ...(isNamed ? { name: node.text } : {}),
        };
      });
    });
  }

  /** `this.units`, where one place of the class sets it. */
  private followField(field: Binding, node: Syntax, steps: number): PossibleValue[] {
    const several = [unknownValue(node, `comes from ${node.text}, which takes more than one value`)];
    if (field.node.type === 'required_parameter') {
      const parameter = this.scopes.declaredBy(field.node).find((binding) => binding.kind === 'parameter');
      return parameter === undefined ? several : this.followParameter(parameter, node, steps);
    }
    const targets = field.references.filter((use) => isAssigned(use));
    const initial = field.node.field('value');
    const [only] = targets;
    if (targets.length + (initial === undefined ? 0 : 1) !== 1) return several;
    const value = initial ?? only?.parent?.field('right');
    return value === undefined ? several : this.follow(value, steps - 1);
  }

  property(object: Syntax, key: string, steps: number): PossibleValue[] {
    if (object.type !== 'object') return [unknownValue(object, 'is computed')];
    // What stands later overrides what stands before.
    for (const entry of [...object.namedChildren].reverse()) {
      const own = entryValue(entry, key);
      if (own !== undefined) return this.follow(own, steps - 1);
      if (entry.type !== 'spread_element') continue;
      const inner = entry.namedChildren[0];
      const wholes = inner === undefined ? [] : this.follow(inner, steps - 1);
      const found = wholes.flatMap((whole) =>
        whole.unknown === undefined
          ? this.property(whole.node, key, steps - 1).map((part) => joinValues(whole, part))
          : [whole],
      );
      if (found.some((part) => part.unknown !== MISSING)) return found;
    }
    return [unknownValue(object, MISSING)];
  }

  private followItem(node: Syntax, steps: number): PossibleValue[] {
    const [list, index] = [node.field('object'), node.field('index')];
    if (list === undefined || index === undefined) return [unknownValue(node, 'is computed')];
    const fixed = Number(index.type === 'number' ? index.text : Number.NaN);
    return this.follow(list, steps - 1).flatMap((whole) => {
      const items = itemsOf(whole.node);
      if (whole.unknown !== undefined || items === undefined) return [unknownValue(node, 'is computed')];
      return items.flatMap((item, at) => {
        if (!Number.isNaN(fixed) && fixed !== at) return [];
        const own: Condition[] = Number.isNaN(fixed) ? [{ owner: index, at }] : [];
        return this.follow(item, steps - 1).map((part) => withConditions(joinValues(whole, part), own));
      });
    });
  }

  /** `for (const width of [16, 32])`. */
  private followLoop(loop: Syntax, binding: Binding, steps: number): PossibleValue[] {
    const [list, pattern] = [loop.field('right'), binding.node];
    const isOf = loop.children.some((child) => child.type === 'of');
    if (list === undefined || !isOf) return [unknownValue(pattern, 'is computed')];
    return this.eachItem(list, loop, pattern, binding.name, steps);
  }

  /** The items of a list, one turn each; `list.entries()` gives pairs. */
  private eachItem(
    list: Syntax,
    owner: Syntax,
    pattern: Syntax,
    name: string,
    steps: number,
  ): PossibleValue[] {
    const callee = unwrap(list).type === 'call_expression' ? unwrap(list).field('function') : undefined;
    const isEntries = callee?.field('property')?.text === 'entries';
    const items = isEntries ? callee.field('object') : list;
    const inner = isEntries && pattern.type === 'array_pattern' ? pattern.namedChildren[1] : pattern;
    if (items === undefined || inner === undefined) return [unknownValue(pattern, 'is computed')];
    if (isEntries && !patternNames(inner).some((part) => part.text === name))
      return [unknownValue(pattern, 'is computed')];
    return this.follow(items, steps - 1).flatMap((whole) => {
      const list = whole.unknown === undefined ? itemsOf(whole.node) : undefined;
      if (list === undefined || list.length === 0) return [unknownValue(pattern, 'is computed')];
      return list.flatMap((item, at) =>
        this.follow(item, steps - 1)
          .flatMap((part) => this.takeApart(joinValues(whole, part), inner, name, steps - 1))
          .map((part) => withConditions(part, [{ owner, at }])),
      );
    });
  }

  private followParameter(binding: Binding, node: Syntax, steps: number): PossibleValue[] {
    const fn = binding.owner;
    const parameter = binding.node;
    const unknown = [unknownValue(node, `comes from the parameter ${node.text}`)];
    if (fn === undefined) return unknown;
    if (this.circumstances.given.has(parameter)) {
      const given = this.circumstances.given.get(parameter);
      return this.giveParameter(given, parameter, binding.name, steps, []);
    }
    const loop = this.followCallback(fn, parameter, binding, steps);
    if (loop !== undefined) return loop;
    const index = parametersOf(fn).indexOf(parameter);
    const own = nameOfFunction(fn, this.scopes);
    if (own === undefined || index === -1 || parameter.text.startsWith('...')) return unknown;
    const calls = callsOf(own).filter((call) => this.circumstances.calls.has(call));
    const isElsewhere = own.references.some((use) => isValueUse(use));
    const isAsync = fn.child('async') !== undefined && calls.length > 1;
    if (calls.length === 0 || isElsewhere || isAsync) return unknown;
    return calls.flatMap((call) => {
      const args = argumentsOf(call);
      if (args.slice(0, index + 1).some((argument) => argument.type === 'spread_element')) return unknown;
      const conditions = calls.length === 1 ? [] : [{ owner: fn, at: call }];
      return this.giveParameter(args[index], parameter, binding.name, steps, conditions);
    });
  }

  private giveParameter(
    argument: Syntax | undefined,
    parameter: Syntax,
    name: string,
    steps: number,
    conditions: readonly Condition[],
  ): PossibleValue[] {
    const fallback = parameter.field('value') ?? parameter.field('right');
    const isLeftOut = argument === undefined || argument.text === 'undefined';
    const given = isLeftOut ? fallback : argument;
    const values =
      given === undefined
        ? [unknownValue(parameter, `comes from the parameter ${name}`)]
        : this.follow(given, steps - 1).flatMap((value) => this.takeApart(value, parameter, name, steps - 1));
    return values.map((value) => {
      const reason = `comes from the parameter ${name}`;
      const known = value.unknown === undefined ? value : { ...value, unknown: reason };
      const via = given === undefined ? [] : [given];
      return withConditions({ ...known, via: [...known.via, ...via] }, conditions);
    });
  }

  /** `[16, 32].forEach((width) => …)`. */
  private followCallback(
    fn: Syntax,
    parameter: Syntax,
    binding: Binding,
    steps: number,
  ): PossibleValue[] | undefined {
    const call = callbackCall(fn);
    if (call === undefined || parametersOf(fn)[0] !== parameter) return undefined;
    const list = call.field('function')?.field('object');
    if (list === undefined) return undefined;
    return this.eachItem(list, fn, parameter, binding.name, steps);
  }
}

/** Why a key has no value: the object does not have it. */
const MISSING = 'is missing';

/** The call that runs a function for each item of a list. */
export function callbackCall(fn: Syntax): Syntax | undefined {
  const args = isFunction(fn) ? fn.parent : null;
  const call = args?.type === 'arguments' && args.namedChildren[0] === fn ? args.parent : undefined;
  const method = call?.field('function')?.field('property')?.text ?? '';
  return /^(?:forEach|map|flatMap)$/.test(method) ? (call ?? undefined) : undefined;
}

function itemsOf(node: Syntax): Syntax[] | undefined {
  if (node.type !== 'array') return undefined;
  return node.namedChildren.some((child) => child.type === 'spread_element') ? undefined : node.namedChildren;
}
