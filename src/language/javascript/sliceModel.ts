import { badInput, type ShrinkError } from '../../core/errors';
import type { Syntax } from '../syntax';
import type { MadeModel } from './findModels';
import { argumentsOf } from './nodes';
import { listRecipes, type Callee, type Recipe } from './recipes';
import { parameterName, parametersOf } from './patterns';
import {
  partsOfProgram,
  renderProgram,
  type ProgramRequest,
  type RenderedProgram,
  type SlicedParts,
  type SiteMarks,
} from './renderProgram';
import { NO_MARKS, placeholderFor, type ChainLink } from './renderSlice';
import type { Binding } from './scopes';
import type { ScriptProgram } from './scriptProgram';
import { computeSlice, type Slice, type SliceRoot } from './slicer';

/** A slice that can be rendered, or why not. */
export interface SlicedModel {
  readonly slice: Slice;
  /** Present where an argument is missing. */
  readonly error?: ShrinkError;
  /** What the parameters of the functions that the entry calls are given: an expression, or nothing. */
  readonly given: ReadonlyMap<Syntax, Syntax | undefined>;
  /** The calls and files that are in it. */
  readonly parts: SlicedParts;
  /** @throws ShrinkError `slice` for files that need each other in a circle */
  render(marks: SiteMarks): RenderedProgram;
}

/**
 * Takes the slice of a file, and of those it imports, that a model needs.
 *
 * @param args the text of `args=[…]` of the model's hint
 * @param compiled whether to keep what compiles the model, where that can be
 */
export function sliceModel(
  script: ScriptProgram,
  made: MadeModel,
  args: string | undefined,
  compiled = true,
): SlicedModel {
  let last: SlicedModel | undefined;
  const recipes = listRecipes(script, made);
  // A model that cannot be compiled here (its learning rate comes from the page, say) can still be made.
  for (const from of compiled ? [() => script, script.uncompiled] : [script.uncompiled])
    for (const recipe of recipes) {
      const sliced = followRecipe(from(), recipe, args);
      if (sliced.error === undefined) return sliced;
      last ??= sliced;
    }
  if (last === undefined) throw new RangeError('A model has a recipe.');
  return last;
}

function followRecipe(script: ScriptProgram, recipe: Recipe, args: string | undefined): SlicedModel {
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
  const { texts, given, error } = found;
  const chain = recipe.chain.map((fn): ChainLink => {
    const index = recipe.calls.findIndex((callee) => callee.fn === fn);
    return { fn, args: texts[index] ?? '' };
  });
  const { entry, named, access } = recipe;
  const request = (marks: SiteMarks): ProgramRequest => ({
    ...{ script, slice, entry, chain, named, access, marks },
    result: recipe.result(texts),
  });
  return {
    slice,
    given,
    ...(error === undefined ? {} : { error }),
    get parts() {
      return partsOfProgram(request(NO_MARKS));
    },
    render: (marks) => renderProgram(request(marks)),
  };
}

interface FoundArguments {
  readonly texts: string[];
  readonly expressions: Syntax[];
  readonly given: Map<Syntax, Syntax | undefined>;
  error: ShrinkError | undefined;
}

function findArguments(
  script: ScriptProgram,
  recipe: Recipe,
  slice: Slice,
  hint: string | undefined,
): FoundArguments {
  const found: FoundArguments = { texts: [], expressions: [], given: new Map(), error: undefined };
  for (const callee of recipe.calls) {
    if (hint !== undefined && callee.takesHint) {
      found.texts.push(`...${hint}`);
      continue;
    }
    const parameters = callee.fn === undefined ? [] : parametersOf(callee.fn);
    const call = chooseCall(callee, script, recipe);
    const texts = parameters.map((parameter, index) => {
      const isNeeded = script.scopes.declaredBy(parameter).some((binding) => slice.needed.has(binding));
      if (!isNeeded) return placeholderFor(parameter);
      const written = call === undefined ? undefined : argumentsOf(call)[index];
      const argument = written === undefined ? undefined : valueInBlock(written, script);
      const isUsable = argument !== undefined && isStatic(argument, script, recipe, recipe.chain);
      found.given.set(parameter, isUsable ? argument : undefined);
      if (isUsable) {
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

function missingArgument(script: ScriptProgram, callee: Callee, parameter: Syntax): ShrinkError {
  const { file, positionOf } = script.moduleOf(parameter);
  const { line, column } = positionOf(parameter.start);
  const different = callee.places.length > 1 ? ' (its calls differ)' : '';
  return badInput(
    'missing-argument',
    `${file}:${line}:${column}: the value of the parameter ${parameterName(parameter)} is not known${different}; ` +
      'write args=[…] into the model’s @shrink-model hint, e.g. // @shrink-model args=[784].',
  );
}
