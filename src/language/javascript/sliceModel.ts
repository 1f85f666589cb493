import type { ShrinkError } from '../../core/errors';
import type { Syntax } from '../syntax';
import type { MadeModel } from './findModels';
import { findArguments } from './findArguments';
import { listRecipes, type Recipe } from './recipes';
import {
  partsOfProgram,
  renderProgram,
  type ProgramRequest,
  type RenderedProgram,
  type SlicedParts,
  type SiteMarks,
} from './renderProgram';
import { NO_MARKS, type ChainLink } from './renderSlice';
import type { ScriptProgram } from './scriptProgram';
import type { Slice, SliceRoot } from './slice';
import { computeSlice } from './slicer';

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
  let slice = computeSlice(root, script);
  let found = findArguments(script, recipe, slice, args);
  // The arguments of a call may need more of the file, which may need more arguments.
  for (let round = 0; round < 4; round += 1) {
    const more = found.expressions.filter((expression) => !root.expressions.includes(expression));
    if (more.length === 0) break;
    root = { ...root, expressions: [...root.expressions, ...more] };
    slice = computeSlice(root, script);
    found = findArguments(script, recipe, slice, args);
  }
  const { texts, given, error } = found;
  const chain = recipe.chain.map((fn): ChainLink => {
    const index = recipe.calls.findIndex((callee) => callee.fn === fn);
    return { fn, args: texts[index] ?? '' };
  });
  const { entry, named, access, boxes } = recipe;
  const request = (marks: SiteMarks): ProgramRequest => ({
    ...{ script, slice, entry, chain, named, access, boxes, marks },
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
