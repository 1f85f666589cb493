import { extname } from 'node:path';
import type { Plan, Site } from '../../core/plan';
import { badInput, messageOf } from '../../core/errors';
import * as tf from '../../engine/tf';
import { registerCustomLayers } from '../../train/customLayers';
import { describeThrown } from './describeThrown';
import { jitiFor } from './jitiFor';
import { SiteMarks } from './siteMarks';

/** A model and which site made each of its layers. */
export interface EvaluatedPlan {
  readonly model: tf.LayersModel;
  /** Site id by layer name. */
  readonly siteOf: Readonly<Record<string, number>>;
  /** What could not be done as the source says. */
  readonly note?: string;
}

/**
 * Makes the model of a plan: runs its slice, or builds its topology.
 *
 * @throws ShrinkError bad-input `model-throws` when the user's code throws or gives something else than a model
 */
export async function evaluatePlan(plan: Plan): Promise<EvaluatedPlan> {
  if (plan.program.kind === 'topology') {
    const json: unknown = { modelTopology: plan.program.topology };
    const model = await tf.models.modelFromJSON(json as Parameters<typeof tf.models.modelFromJSON>[0]);
    return { model, siteOf: plan.program.siteOf };
  }
  const { program, file } = plan;
  let marks = new SiteMarks();
  let result: unknown;
  let note: string | undefined;
  try {
    result = await runSlices(program, file, marks);
  } catch (thrown) {
    const failure = describeThrown(thrown, plan, siteAt(plan, marks.latest));
    if (program.uncompiled === undefined) throw failure;
    marks = new SiteMarks();
    try {
      result = await runSlices(program.uncompiled, file, marks);
    } catch {
      throw failure;
    }
    note = `model.compile was left out (${messageOf(failure)}) say loss= and optimizer= in the hint`;
  }
  if (!(result instanceof tf.LayersModel))
    throw badInput(
      'model-throws',
      `${plan.file}: ${plan.model} gives ${describeValue(result)}, not a model; make it return a tf.LayersModel.`,
    );
  registerCustomLayers(result);
  const siteOf = collectSites(result, marks.made);
  return { model: result, siteOf, ...(note === undefined ? {} : { note }) };
}

type SliceProgram = Pick<Extract<Plan['program'], { kind: 'slice' }>, 'code' | 'modules'>;

/** Runs the slices of the files that a model needs, its own last, and calls what makes the model. */
async function runSlices(program: SliceProgram, file: string, marks: SiteMarks): Promise<unknown> {
  const virtual: Record<string, unknown> = {
    'shrinknets:sites': { __shrinkSite: marks.site, __shrinkMark: marks },
  };
  const run = (path: string, code: string): unknown =>
    jitiFor(path, virtual).evalModule(code, {
      filename: path,
      ext: extname(path),
      async: true,
      forceTranspile: true,
    });
  for (const module of program.modules ?? []) virtual[module.id] = await run(module.file, module.code);
  const made = (await run(file, program.code)) as { default: () => unknown };
  return made.default();
}

function siteAt(plan: Plan, id: number | undefined): Site | undefined {
  return id === undefined ? undefined : plan.sites[id];
}

/**
 * Sites by layer name, as the channel graph names layers: those of nested models `outer/inner`. A wrapper (time
 * distributed, bidirectional) stands for the layer in it, whose width is the one that is written.
 */
function collectSites(model: tf.LayersModel, made: ReadonlyMap<object, number>): Record<string, number> {
  const siteOf: Record<string, number> = {};
  const visit = (layer: object, prefix: string): void => {
    const { name, layers, layer: wrapped } = layer as { name?: string; layers?: object[]; layer?: object };
    const id = (wrapped === undefined ? undefined : made.get(wrapped)) ?? made.get(layer);
    if (id !== undefined && name !== undefined) siteOf[prefix + name] = id;
    for (const inner of layers ?? []) visit(inner, layer === model ? prefix : `${prefix}${name ?? ''}/`);
  };
  visit(model, '');
  return siteOf;
}

function describeValue(value: unknown): string {
  if (value === undefined || value === null) return String(value);
  if (Array.isArray(value)) return 'an array';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}
