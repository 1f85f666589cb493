import { analyse, type Analysis, type Sizing } from '../core/analysis';
import { planCollection, replayEdits } from '../core/collect';
import { allowedWidth, NO_LIMITS, type LimitsOf, type WidthLimits } from '../core/constraints';
import { allAlive } from '../core/cost';
import { badInput } from '../core/errors';
import type { LayerInfo } from '../core/events';
import { foldableSizing } from '../core/foldable';
import { readGraph, type Graph } from '../core/graph';
import { chooseMetrics, describeMetrics } from '../core/metrics';
import type { LayerHint, Plan } from '../core/plan';
import { splitActivations } from '../core/split';
import type { LayerWeights } from '../core/tensor';
import type { Topology } from '../core/topology';
import type { Dataset } from '../data/dataset';
import type { Engine } from '../engine/engine';
import { fitInput } from './fitInput';
import { chooseHead, type Head } from './head';
import type { OptimizerSpec } from './optimizer';
import type { SwitchMode } from './switchModes';

/** A model, as its author wrote it, with what is known about where its layers come from. */
export interface AuthoredModel {
  readonly topology: Topology;
  readonly weights: LayerWeights;
  /** Site that made a layer, by layer name. */
  readonly siteOf: Readonly<Record<string, number>>;
  /** Axis order of the rows that its author gives it; the topology itself is channels last. */
  readonly axes?: 'channels-first' | 'channels-last';
  /** Loss that the source compiled the model with. */
  readonly loss?: string;
  /** Metrics that the source names, in its spelling. */
  readonly metrics?: readonly string[];
}

export interface Prepared {
  readonly head: Head;
  /** The graph to train: activations split off, limits applied, without Filters. */
  readonly graph: Graph;
  readonly weights: LayerWeights;
  readonly sizing: Sizing;
  readonly limitsOf: LimitsOf;
  /** λ of a layer's own hint. */
  readonly hintLambda: (layer: string) => number | undefined;
  readonly analysis: Analysis;
  readonly dataset: Dataset;
  /** Shape of one row of labels. */
  readonly labelShape: readonly number[];
  readonly layers: readonly LayerInfo[];
  readonly notes: readonly string[];
}

/** Everything a run starts from. */
export interface SessionInputs {
  readonly engine: Engine;
  readonly authored: AuthoredModel;
  readonly prepared: Prepared;
  readonly optimizer: OptimizerSpec;
  readonly mode: SwitchMode;
}

/**
 * Turns an authored model and a data set into what is trained.
 *
 * @param lossWanted from options; the source's or the fitting one otherwise
 * @throws ShrinkError for layers, data, labels or hints that do not go together
 */
export function prepareTraining(
  plan: Pick<Plan, 'sites' | 'onlyHinted'>,
  model: AuthoredModel,
  data: Dataset,
  lossWanted: string | undefined,
): Prepared {
  const authored = readGraph(model.topology);
  const hints = hintsByLayer(plan, model.siteOf);
  const graph = splitActivations(authored);
  const sizing = foldableSizing(graph, sizingOf(plan, hints, authored));
  const first = analyse(graph, sizing);
  const [input] = graph.inputs;
  const [output] = graph.outputs;
  if (input === undefined || output === undefined || graph.inputs.length > 1)
    throw badInput(
      'several-inputs',
      `The model has ${graph.inputs.length} inputs; ShrinkNets trains models with one.`,
    );
  const notes: string[] = [...data.notes];
  const dataset = fitInput(data, first.tensor(input).shape.slice(1), model.axes, notes);
  const outputShape = first.tensor(output).shape.slice(1);
  const fitting = chooseHead(graph, outputShape, dataset.train.y, lossWanted ?? model.loss);
  const chosen = chooseMetrics(model.metrics ?? [], kindOf(fitting));
  const head = { ...fitting, metrics: chosen.measured };
  const measured = describeMetrics(model.metrics ?? [], chosen);
  if (measured !== undefined) notes.push(measured);
  const limitsOf = (layer: string): WidthLimits => limitsFrom(hints.get(layer));
  const limited = applyLimits(head.graph, model.weights, sizing, limitsOf, notes);
  const analysis = analyse(limited.graph, sizing);
  for (const hub of analysis.hubs)
    if (hub.fixed !== undefined)
      notes.push(`${hub.layers.map((l) => l.name).join(', ')}: width kept, ${hub.fixed}`);
  if (!analysis.hubs.some((hub) => hub.classes.length > 1))
    throw badInput(
      'nothing-to-size',
      `No layer of this model can be sized: ${notes.filter((note) => note.includes('width kept')).join('; ')}.`,
    );
  return {
    head,
    graph: limited.graph,
    weights: limited.weights,
    sizing,
    limitsOf,
    hintLambda: (layer) => hints.get(layer)?.lambda,
    analysis,
    dataset,
    labelShape: labelShapeOf(dataset, outputShape, head),
    layers: describeLayers(analysis, model.siteOf, first),
    notes,
  };
}

function kindOf({ classifies, loss }: Head): 'two' | 'several' | 'values' {
  if (!classifies) return 'values';
  return loss === 'binaryCrossentropy' ? 'two' : 'several';
}

function hintsByLayer(
  plan: Pick<Plan, 'sites'>,
  siteOf: Readonly<Record<string, number>>,
): Map<string, LayerHint> {
  const hints = new Map<string, LayerHint>();
  for (const [layer, site] of Object.entries(siteOf)) {
    const hint = plan.sites[site]?.hint;
    if (hint !== undefined) hints.set(layer, hint);
  }
  return hints;
}

function sizingOf(
  plan: Pick<Plan, 'onlyHinted'>,
  hints: ReadonlyMap<string, LayerHint>,
  graph: Graph,
): Sizing {
  const named = graph.layers.map((layer) => layer.name);
  const off = new Set(named.filter((name) => hints.get(name)?.off === true));
  if (!plan.onlyHinted) return { off };
  return { off, only: new Set(named.filter((name) => hints.has(name) && !off.has(name))) };
}

function limitsFrom(hint: LayerHint | undefined): WidthLimits {
  return {
    min: hint?.min ?? NO_LIMITS.min,
    max: hint?.max ?? NO_LIMITS.max,
    multiple: hint?.multiple ?? NO_LIMITS.multiple,
  };
}

/** Limits hold from the start: a layer over its maximum, or not a multiple, begins with fewer channels. */
function applyLimits(
  graph: Graph,
  weights: LayerWeights,
  sizing: Sizing,
  limitsOf: LimitsOf,
  notes: string[],
): { graph: Graph; weights: LayerWeights } {
  const analysis = analyse(graph, sizing);
  const alive = allAlive(analysis);
  for (const hub of analysis.hubs) {
    if (hub.fixed !== undefined) continue;
    for (const layer of hub.layers) {
      const wanted = allowedWidth(layer.classes.length, limitsOf(layer.name));
      let surplus = layer.classes.reduce((sum, c) => sum + (alive[c] ?? 0), 0) - wanted;
      for (let i = layer.classes.length - 1; i >= 0 && surplus > 0; i -= 1) {
        const c = layer.classes[i] ?? 0;
        if (alive[c] !== 1) continue;
        alive[c] = 0;
        surplus -= 1;
      }
      if (wanted < layer.classes.length)
        notes.push(`${layer.name} starts with ${wanted} channels, as its hint says`);
    }
  }
  if (alive.every((lives) => lives === 1)) return { graph, weights };
  const plan = planCollection(analysis, alive);
  return { graph: plan.graph, weights: replayEdits(weights, plan.edits) };
}

function labelShapeOf(
  dataset: Dataset,
  outputShape: readonly (number | null)[],
  head: Head,
): readonly number[] {
  const { y } = dataset.train;
  if (y.kind === 'classes') return [head.width];
  return y.features.shape.length === 0
    ? [1]
    : outputShape.map((length, i) => length ?? y.features.shape[i] ?? 1);
}

/** @param authored analysis of the model before limits were applied, for the widths in the source */
function describeLayers(
  analysis: Analysis,
  siteOf: Readonly<Record<string, number>>,
  authored: Analysis,
): LayerInfo[] {
  const before = new Map(
    authored.hubs.flatMap((hub) => hub.layers.map((layer) => [layer.name, layer.classes.length] as const)),
  );
  return analysis.hubs.flatMap((hub, group) =>
    hub.layers.map((layer): LayerInfo => {
      const site = siteOf[layer.name];
      return {
        name: layer.name,
        className: layer.className,
        width: before.get(layer.name) ?? layer.classes.length,
        ...(site === undefined ? {} : { site }),
        group,
      };
    }),
  );
}
