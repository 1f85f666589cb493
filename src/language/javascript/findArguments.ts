import { badInput, type ShrinkError } from '../../core/errors';
import type { Syntax } from '../syntax';
import { exampleFor } from './exampleValues';
import { memberName, memberOfFunction } from './classes';
import { argumentsOf } from './nodes';
import { parameterName, parametersOf } from './patterns';
import type { Callee, Recipe } from './recipes';
import { GIVEN_TF, placeholderFor } from './renderSlice';
import type { Binding } from './scopes';
import type { ScriptProgram } from './scriptProgram';
import type { Slice } from './slice';

/** What the functions that an entry calls are given. */
export interface FoundArguments {
  /** The text of the arguments, by callee. */
  readonly texts: readonly string[];
  /** Expressions of the source among them. */
  readonly expressions: readonly Syntax[];
  /** What parameters are given: an expression, or nothing. */
  readonly given: ReadonlyMap<Syntax, Syntax | undefined>;
  readonly error: ShrinkError | undefined;
}

/** The arguments of one callee, as far as the source says them. */
interface KnownArguments {
  readonly callee: Callee;
  readonly texts: readonly string[];
  readonly given: readonly (readonly [Syntax, Syntax | undefined])[];
  /** Parameters whose value is needed and not known. */
  readonly missing: readonly Syntax[];
}

/**
 * Finds what the callees of a recipe are given: what their calls in the source say, or the hint.
 *
 * @param hint the text of `args=[…]`; where several callees have values that are not known, the outermost takes its first
 */
export function findArguments(
  script: ScriptProgram,
  recipe: Recipe,
  slice: Slice,
  hint: string | undefined,
): FoundArguments {
  const known = recipe.calls.map((callee) => knownArguments(script, recipe, slice, callee));
  const values = hint === undefined ? undefined : valuesOf(hint);
  const own = known.map((entry) => {
    const { callee, missing } = entry;
    if (values === undefined || (!callee.takesHint && missing.length === 0)) return entry;
    const count = valueParameters(callee).length;
    const taken = callee.takesHint ? values : values.splice(0, count);
    return { callee, texts: [writeValues(callee, taken)], given: [], missing: [] };
  });
  const lacking = own.find(({ missing }) => missing.length > 0);
  return {
    texts: own.map(({ texts }) => texts.join(', ')),
    expressions: own.flatMap(({ given }) => given.flatMap(([, argument]) => argument ?? [])),
    given: new Map(own.flatMap(({ given }) => given)),
    error: lacking === undefined ? undefined : missingArgument(script, lacking, known),
  };
}

function knownArguments(script: ScriptProgram, recipe: Recipe, slice: Slice, callee: Callee): KnownArguments {
  const call = chooseCall(callee, script, recipe);
  const given: [Syntax, Syntax | undefined][] = [];
  const missing: Syntax[] = [];
  const texts = parametersOfCallee(callee).map((parameter, index) => {
    const isNeeded = script.scopes.declaredBy(parameter).some((binding) => slice.needed.has(binding));
    if (!isNeeded) return placeholderFor(parameter);
    if (isLibrary(parameter)) return GIVEN_TF;
    const written = call === undefined ? undefined : argumentsOf(call)[index];
    const argument = written === undefined ? undefined : valueInBlock(written, script);
    const isUsable = argument !== undefined && isStatic(argument, script, recipe, recipe.chain);
    given.push([parameter, isUsable ? argument : undefined]);
    if (isUsable) return argument.text;
    if (!isOptional(parameter)) missing.push(parameter);
    return 'undefined';
  });
  return { callee, texts, given, missing };
}

function parametersOfCallee({ fn }: Callee): readonly Syntax[] {
  return fn === undefined ? [] : parametersOf(fn);
}

/** A parameter that is how a helper is handed TensorFlow.js; no hint could write it. */
function isLibrary(parameter: Syntax): boolean {
  const name = parameter.type === 'identifier' ? parameter : parameter.field('pattern');
  return name?.type === 'identifier' && name.text === 'tf';
}

function valueParameters(callee: Callee): readonly Syntax[] {
  return parametersOfCallee(callee).filter((parameter) => !isLibrary(parameter));
}

/** The items of `args=[…]`, each as text. */
function valuesOf(hint: string): string[] {
  try {
    const values: unknown = JSON.parse(hint);
    if (Array.isArray(values)) return values.map((value) => JSON.stringify(value));
  } catch {
    // Hints are checked where they are read; what is no list is told there.
  }
  return [`...${hint}`];
}

/** Arguments of a call from what a hint gives, the library where the function asks for it. */
function writeValues(callee: Callee, values: readonly string[]): string {
  const rest = [...values];
  const parameters = parametersOfCallee(callee);
  const last = parameters.findLastIndex(isLibrary);
  const written = parameters.flatMap((parameter, index) =>
    isLibrary(parameter) ? [GIVEN_TF] : (rest.shift() ?? (index < last ? ['undefined'] : [])),
  );
  return [...written, ...rest].join(', ');
}

/** The one call whose arguments speak for all: calls that differ leave the choice to the author. */
function chooseCall(callee: Callee, script: ScriptProgram, recipe: Recipe): Syntax | undefined {
  const texts = new Set(callee.places.map((call) => call.field('arguments')?.text));
  if (texts.size <= 1) return callee.places[0];
  const statics = callee.places.filter((call) =>
    argumentsOf(call).every((arg) => isStatic(arg, script, recipe, [])),
  );
  const distinct = new Set(statics.map((call) => call.field('arguments')?.text));
  return distinct.size === 1 ? statics[0] : undefined;
}

/** The value of a constant of a block, which only the block can see; anything else as it stands. */
function valueInBlock(argument: Syntax, { scopes }: ScriptProgram): Syntax {
  const binding = argument.type === 'identifier' ? scopes.bindingOf(argument) : undefined;
  if (binding?.kind !== 'variable' || !isInBlock(binding)) return argument;
  const { node } = binding;
  const isConstant = node.parent?.child('const') !== undefined && node.field('name')?.type === 'identifier';
  return (isConstant ? node.field('value') : undefined) ?? argument;
}

/** Whether a name belongs to a block at the top of the module. */
function isInBlock(binding: Binding): boolean {
  if (binding.owner !== undefined) return false;
  return [...binding.node.ancestors()].some((node) => node.type === 'statement_block');
}

/** Whether an argument can be evaluated where the entry is: it reads names of the entry's file only. */
function isStatic(
  argument: Syntax,
  script: ScriptProgram,
  recipe: Recipe,
  chain: readonly Syntax[],
): boolean {
  if (argument.type === 'spread_element') return false;
  const isElsewhere = script.moduleOf(argument) !== recipe.entry;
  for (const node of argument.walk()) {
    if (node.type === 'this' || node.type === 'await_expression' || node.type === 'call_expression')
      return false;
    const binding = script.scopes.bindingOf(node);
    if (binding === undefined) {
      if (node.type === 'identifier' && node.text !== 'undefined') return false;
    } else if (
      isElsewhere ||
      isInBlock(binding) ||
      (binding.owner !== undefined && !chain.includes(binding.owner))
    ) {
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

function missingArgument(
  script: ScriptProgram,
  { callee, missing }: KnownArguments,
  all: readonly KnownArguments[],
): ShrinkError {
  const [parameter] = missing;
  if (parameter === undefined) throw new RangeError('An argument is missing.');
  const { file, positionOf } = script.moduleOf(parameter);
  const { line, column } = positionOf(parameter.start);
  const different = callee.places.length > 1 ? ' (its calls differ)' : '';
  const takers = all.filter((entry) => entry.missing.length > 0 || entry.callee.takesHint);
  const asked = takers.flatMap((entry) => {
    const parameters = valueParameters(entry.callee);
    const isLast = entry === takers.at(-1);
    const used = isLast
      ? parameters.slice(0, 1 + parameters.findLastIndex((one) => !isOptional(one)))
      : parameters;
    return used.length === 0 ? [] : [{ callee: entry.callee, used }];
  });
  const values = asked.flatMap(({ used }) => used.map((one) => exampleFor(one, script.scopes)));
  const order = asked.map(
    ({ callee: { fn }, used }) => `${used.map(parameterName).join(', ')} of ${nameOf(fn)}`,
  );
  const explained = order.length > 1 ? ` (${order.join(', then ')})` : '';
  return badInput(
    'missing-argument',
    `${file}:${line}:${column}: the value of the parameter ${parameterName(parameter)} is not known${different}; ` +
      `write args=[…] into the model’s @shrink-model hint, e.g. // @shrink-model args=[${values.join(', ')}]${explained}.`,
  );
}

function nameOf(fn: Syntax | undefined): string {
  const member = fn === undefined ? undefined : memberOfFunction(fn);
  const name = member === undefined ? fn?.field('name')?.text : memberName(member);
  return name === 'constructor' ? 'the constructor' : (name ?? 'the function around it');
}
