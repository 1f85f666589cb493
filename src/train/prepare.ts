import { analyse, type Analysis, type Sizing } from '../core/analysis';
import { planCollection, replayEdits } from '../core/collect';
import { allowedWidth, NO_LIMITS, startWithin, type LimitsOf, type WidthLimits } from '../core/constraints';
import { countAlive } from '../core/cost';
import { badInput } from '../core/errors';
import type { LayerInfo } from '../core/events';
import { foldableSizing } from '../core/foldable';
import { readGraph, type Graph, type TensorRef } from '../core/graph';
import type { MetricsGiven } from '../core/metrics';
import type { LayerHint, Plan } from '../core/plan';
import { splitActivations } from '../core/split';
import type { LayerWeights } from '../core/tensor';
import type { Topology } from '../core/topology';
import { labelsOf, type Dataset } from '../data/dataset';
import type { Engine } from '../engine/engine';
import { withMetrics } from './chooseMeasures';
import { noteEnds } from './endActivation';
import { fitInputs } from './fitInput';
import { fitColumns } from './fitColumns';
import { chooseHead, type Head } from './head';
import { fitLabels } from './labels';
import { lossesOf, readLosses, type LossesGiven } from './losses';
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
  /** Losses that the source compiled the model with: one for all outputs, a list in their order, or by their names. */
  readonly loss?: LossesGiven;
  /** Metrics that the source names, in its spelling: for all outputs, or by their names. */
  readonly metrics?: MetricsGiven;
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
  /** Shape of one row of labels, output by output. */
  readonly labelShapes: readonly (readonly number[])[];
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
  const notes: string[] = [...data.notes];
  const ends = { inputs: namesOf(authored.inputs), outputs: namesOf(authored.outputs) };
  const wanted = graph.inputs.map((input, i) => {
    const name = ends.inputs[i];
    const isSingle = graph.inputs.length === 1 || name === undefined;
    return { shape: first.tensor(input).shape.slice(1), ...(isSingle ? {} : { name }) };
  });
  const fitted = fitInputs(fitColumns(data, ends), wanted, model.axes, notes);
  const outputShapes = graph.outputs.map((output) => first.tensor(output).shape.slice(1));
  const given = lossWanted === undefined ? model.loss : readLosses(lossWanted, ends.outputs);
  const losses = lossesOf(given, ends.outputs);
  const classNames = fitted.origin?.classes;
  const fitting = chooseHead(graph, outputShapes, labelsOf(fitted.train), losses, ends.outputs, classNames);
  notes.push(...noteEnds(graph, fitting.outputs));
  const dataset = fitLabels(fitted, fitting.outputs, notes);
  const head = withMetrics(fitting, labelsOf(dataset.train), model.metrics ?? [], notes);
  const limitsOf = (layer: string): WidthLimits => limitsFrom(hints.get(layer));
  const limited = applyLimits(head.graph, model.weights, sizing, limitsOf, notes);
  const analysis = analyse(limited.graph, sizing);
  for (const { layers, classes, fixed } of analysis.hubs) {
    const reason = fixed ?? (classes.length === 1 ? 'it has one channel, and one must stay' : undefined);
    if (reason !== undefined) notes.push(`${layers.map((l) => l.name).join(', ')}: width kept, ${reason}`);
  }
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
    labelShapes: labelShapesOf(dataset, outputShapes, head),
    layers: describeLayers(analysis, model.siteOf, first),
    notes,
  };
}

/** Names of the layers at a model's ends; a layer called twice is told apart by a number. */
function namesOf(refs: readonly TensorRef[]): string[] {
  return refs.map(({ layer }, i) => {
    const before = refs.slice(0, i).filter((other) => other.layer === layer).length;
    return before === 0 ? layer : `${layer}_${before}`;
  });
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

/**
 * Limits hold from the start: a layer over its maximum, or not a multiple, begins with fewer channels.
 *
 * @throws ShrinkError `no-width` where limits leave a layer none
 */
function applyLimits(
  graph: Graph,
  weights: LayerWeights,
  sizing: Sizing,
  limitsOf: LimitsOf,
  notes: string[],
): { graph: Graph; weights: LayerWeights } {
  const analysis = analyse(graph, sizing);
  const alive = startWithin(analysis, limitsOf);
  for (const { layers } of analysis.hubs)
    for (const { name, classes } of layers) {
      const width = countAlive(classes, alive);
      if (width === classes.length) continue;
      const own = width === allowedWidth(classes.length, limitsOf(name));
      notes.push(
        own
          ? `${name} starts with ${width} channels, as its hint says`
          : `${name} starts with ${width} channels, as the hints of the layers that it is joined with say`,
      );
    }
  if (alive.every((lives) => lives === 1)) return { graph, weights };
  const plan = planCollection(analysis, alive);
  return { graph: plan.graph, weights: replayEdits(weights, plan.edits) };
}

function labelShapesOf(
  dataset: Dataset,
  outputShapes: readonly (readonly (number | null)[])[],
  head: Head,
): readonly (readonly number[])[] {
  return labelsOf(dataset.train).map((y, i) => {
    if (y.kind === 'classes') return [head.outputs[i]?.width ?? 1];
    const { shape } = y.features;
    return shape.length === 0
      ? [1]
      : (outputShapes[i] ?? []).map((length, axis) => length ?? shape[axis] ?? 1);
  });
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
