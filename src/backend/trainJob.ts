import type { RunContext } from '../core/job';
import { ShrinkError } from '../core/errors';
import type { TrainOptions } from '../core/options';
import { describeLeftOut, describeSourceOptions } from '../core/sourceOptions';
import { mixSeed, seededRandom } from '../core/random';
import { findEngine } from '../engine/registry';
import type { Selection } from '../engine/select';
import { chooseEngine } from '../train/chooseEngine';
import type { Head } from '../train/head';
import { standardizesTargets } from '../train/losses';
import { disposeModel, topologyOf, readWeights } from '../train/model';
import type { OptimizerName, OptimizerSpec } from '../train/optimizer';
import { sizeOfNetwork } from '../train/network';
import { prepareTraining, type AuthoredModel } from '../train/prepare';
import { runSession } from '../train/session';
import { GROUP_SPARSITY, PROXIMAL, subgradientMode, type SwitchMode } from '../train/switchModes';
import { Stopped } from '../data/stored/conversion';
import { compileSettings, settingsAsText } from './compileSettings';
import { loadData } from './loadData';
import { evaluatePlan } from './userCode';

/** What the backend process does for a run: the author's model and data, an engine, then the session. */
export async function trainJob(context: RunContext): Promise<'done' | 'stopped'> {
  const { plan, options } = context;
  // Building a model needs some engine; which one trains it is measured on the model.
  await findEngine('wasm').load();
  const { authored, optimizer, compiled, note } = await makeModel(context);
  const scaled = standardizesTargets(authored.topology, authored.loss, options.loss);
  const data = await loadData(context, scaled).catch((thrown: unknown) => {
    if (thrown instanceof Stopped) return undefined;
    throw thrown;
  });
  if (data === undefined) return 'stopped';
  const prepared = prepareTraining(plan, authored, data, options.loss);
  const spec: OptimizerSpec = {
    ...(options.optimizer === undefined
      ? optimizer
      : { ...optimizer, name: options.optimizer as OptimizerName, settings: {} }),
    ...(options.learningRate === undefined ? {} : { learningRate: options.learningRate }),
  };
  const mode = switchModeOf(options);
  const begun = context.begunOn;
  const choose = (name: string, avoid: readonly string[] = context.avoidEngines ?? []) =>
    chooseEngine(name, prepared, spec, mode, options.batchSize, options.seed, avoid);
  const chosen = await choose(engineFor(context, begun)).catch((thrown: unknown) => {
    // A run does not end because the graphics card that it began on is gone.
    if (begun === undefined || !isUnavailable(thrown)) throw thrown;
    context.emit({
      type: 'warning',
      code: 'engine-gone',
      message: `${thrown.message} The run goes on without it.`,
    });
    return choose('auto', [...(context.avoidEngines ?? []), begun]);
  });
  const { engine } = chosen;
  if (context.resumeFrom === undefined) announce(context, chosen, prepared, spec, compiled, note);
  else if (engine.name !== begun) announceEngine(context, chosen);
  return runSession(context, { engine, authored, prepared, optimizer: spec, mode });
}

/** How switches are trained: the paper's way in mode `original`, else the proximal way. */
function switchModeOf(options: TrainOptions): SwitchMode {
  const { mode, regularizer, form, strategy, gamma, threshold } = options;
  if (mode !== 'original') return PROXIMAL;
  return regularizer === 'group' ? GROUP_SPARSITY : subgradientMode(form, { strategy, gamma, threshold });
}

/** A run that goes on does so on the engine it began with: another one rounds differently. */
function engineFor({ options, avoidEngines = [] }: RunContext, begun: string | undefined): string {
  const name = begun ?? options.engine;
  // An engine that broke down under this run is passed over, whoever asked for it.
  return avoidEngines.includes(name) ? 'auto' : name;
}

function isUnavailable(thrown: unknown): thrown is ShrinkError {
  return thrown instanceof ShrinkError && thrown.code === 'engine-unavailable';
}

function announceEngine(context: RunContext, { engine, why, trials }: Selection): void {
  const { name, device } = engine.describe();
  context.emit({ type: 'engine', name, device, why, trials });
}

/** @param notes of preparing; what the source says, and what of it is left out, comes first */
function noteSource(
  { plan, options }: RunContext,
  compiled: Readonly<Record<string, string>>,
  notes: readonly string[],
): readonly string[] {
  const taken = [describeSourceOptions(plan, options, compiled), describeLeftOut(plan, options)];
  const { program } = plan;
  const augmentation = program.kind === 'topology' ? (program.augmentation ?? []) : [];
  const without =
    augmentation.length === 0
      ? []
      : [`widths are learned without ${augmentation.join(', ')}, which change the data only in training`];
  return [...taken.filter((text) => text !== undefined), ...without, ...notes];
}

function announce(
  context: RunContext,
  chosen: Selection,
  prepared: ReturnType<typeof prepareTraining>,
  spec: OptimizerSpec,
  compiled: Readonly<Record<string, string>>,
  note: string | undefined,
): void {
  announceEngine(context, chosen);
  const { dataset, analysis, head } = prepared;
  const metrics = [...new Set(head.outputs.flatMap((output) => output.metrics))];
  context.emit({
    type: 'data',
    train: dataset.train.count,
    validation: dataset.validation.count,
    test: dataset.test.count,
    notes: dataset.notes,
  });
  context.emit({
    type: 'model',
    layers: prepared.layers,
    ...sizeOfNetwork(analysis),
    optimizer: spec.name,
    learningRate: spec.learningRate,
    loss: describeLosses(head),
    ...(metrics.length === 0 ? {} : { metrics }),
    notes: noteSource(context, compiled, note === undefined ? prepared.notes : [note, ...prepared.notes]),
  });
}

/** The loss, of several outputs each with its name. */
function describeLosses({ outputs }: Head): string {
  return outputs.length === 1
    ? outputs.map(({ loss }) => loss).join('')
    : outputs.map(({ name, loss }) => `${name}: ${loss}`).join(', ');
}

/**
 * The author's model. What is random in it (first weights) is drawn from the run's seed: `Math.random` is seeded
 * while the slice runs, which may await, so that nothing else may run in this process meanwhile.
 */
async function makeModel(context: RunContext): Promise<{
  authored: AuthoredModel;
  optimizer: OptimizerSpec;
  /** What its source compiled it with, as text by option key. */
  compiled: Readonly<Record<string, string>>;
  note: string | undefined;
}> {
  const before = Math.random;
  Math.random = seededRandom(mixSeed(context.options.seed, 61));
  let evaluated: Awaited<ReturnType<typeof evaluatePlan>>;
  try {
    evaluated = await evaluatePlan(context.plan);
  } finally {
    Math.random = before;
  }
  const { model, siteOf, note } = evaluated;
  const { program } = context.plan;
  const axes = program.kind === 'topology' && program.sequence !== true ? program.axes : undefined;
  const compiled = compileSettings(model);
  const authored: AuthoredModel = {
    topology: topologyOf(model),
    weights: await readWeights(model),
    siteOf,
    ...(axes === undefined ? {} : { axes }),
    ...(compiled.loss === undefined ? {} : { loss: compiled.loss }),
    metrics: context.plan.sourceMetrics ?? compiled.metrics,
  };
  disposeModel(model);
  const optimizer = compiled.optimizer ?? { name: 'adam', learningRate: 0.001, settings: {} };
  return { authored, optimizer, compiled: settingsAsText(compiled), note };
}
