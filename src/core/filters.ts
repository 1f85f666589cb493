import type { AnalysedCall, Analysis } from './analysis';
import type { ChannelIds } from './channels';
import type { Graph, GraphLayer, TensorRef } from './graph';
import type { LayerFacts } from './rules/rule';
import { registerRule } from './rules/table';

/**
 * Where the Filters stand. A switch at zero must mean that nothing of its channel reaches the next layer that
 * consumes it. So a Filter follows every layer that can make something of nothing (a bias, a shift, a(0) ≠ 0) and
 * from which a path of layers that keep zeros leads to a consumer. Joined channels have one switch, applied at
 * each such place.
 */

export const FILTER_CLASS = 'ShrinkFilter';

/** The switches of the channels along an axis. */
export interface AxisSwitches {
  /** Hubs whose switches it applies, in the order in which they are concatenated. */
  readonly hubs: readonly string[];
  /**
   * For every index of the channel axis, its place in the concatenated switches; -1 for channels that stay. `null`
   * when it is one hub's switches in order.
   */
  readonly index: readonly number[] | null;
}

/** What a Filter layer does. */
export interface FilterConfig extends AxisSwitches {
  readonly name: string;
  readonly axis: number;
}

export interface FilterPlace {
  readonly config: FilterConfig;
  /** The tensor it is applied to. */
  readonly ref: TensorRef;
  /** `out`: on everything that reads the tensor, folded into its layer. `in`: on `readers`, folded into them. */
  readonly side: 'out' | 'in';
  /** Calls that read the filtered tensor, for side `in`. */
  readonly readers: readonly { readonly layer: string; readonly call: number }[];
}

// For the analysis of a graph that holds Filters: they keep zeros and have no weights of their own.
registerRule(FILTER_CLASS, (_layer, inputs) => ({
  outputs: inputs.slice(0, 1),
  weights: [],
  macs: [],
  flow: { kind: 'carries', zero: true, scaling: 'linear' },
}));

/** @returns the Filters of a graph whose activations have been split off */
export function placeFilters(analysis: Analysis): FilterPlace[] {
  const readers = new Map<string, AnalysedCall[]>();
  for (const call of analysis.calls)
    for (const input of call.inputs) {
      const list = readers.get(keyOf(input));
      if (list === undefined) readers.set(keyOf(input), [call]);
      else if (!list.includes(call)) list.push(call);
    }
  const places = new Map<string, FilterPlace>();
  const gatedLayers = new Set<string>();
  for (const call of analysis.calls) {
    if (!makesSomethingOfNothing(call.facts)) continue;
    call.facts.outputs.forEach((_, tensor) => {
      const ref = { layer: call.layer.name, call: call.call, tensor };
      if (!hasSwitches(analysis, ref)) return;
      const edges = consumersOf(ref, readers);
      if (edges.length === 0) return;
      if (foldsIntoOutput(call.facts)) gatedLayers.add(call.layer.name);
      else
        for (const { reader } of edges)
          // The calls of a shared layer share the weights that a switch is folded into: all are filtered or none.
          for (const other of analysis.calls)
            if (other.layer.name === reader.layer.name)
              other.inputs.forEach((input) => {
                if (readsWithKernel(other, input)) addReader(places, analysis, input, other);
              });
    });
  }
  for (const call of analysis.calls) {
    if (!gatedLayers.has(call.layer.name)) continue;
    call.facts.outputs.forEach((_, tensor) => {
      const ref = { layer: call.layer.name, call: call.call, tensor };
      if (hasSwitches(analysis, ref))
        places.set(`out:${keyOf(ref)}`, {
          config: configFor(analysis, ref, 'filter'),
          ref,
          side: 'out',
          readers: [],
        });
    });
  }
  return [...places.values()];
}

/** Puts the Filter layers into the graph. */
export function insertFilters(graph: Graph, places: readonly FilterPlace[]): Graph {
  const outs = new Map(places.filter((p) => p.side === 'out').map((p) => [keyOf(p.ref), p]));
  const ins = new Map(places.filter((p) => p.side === 'in').map((p) => [keyOf(p.ref), p]));
  const filtered = (ref: TensorRef): TensorRef => {
    const place = outs.get(keyOf(ref));
    return place === undefined ? ref : { layer: place.config.name, call: 0, tensor: 0 };
  };
  const read = (ref: TensorRef, layer: string, call: number): TensorRef => {
    const place = ins.get(keyOf(ref));
    const mine = place?.readers.some((reader) => reader.layer === layer && reader.call === call) === true;
    return place !== undefined && mine ? { layer: place.config.name, call: 0, tensor: 0 } : filtered(ref);
  };
  const filterLayer = (place: FilterPlace, input: TensorRef): GraphLayer => ({
    name: place.config.name,
    className: FILTER_CLASS,
    config: { name: place.config.name },
    calls: [[input]],
  });
  const layers = graph.layers.map((layer) => ({
    ...layer,
    calls: layer.calls.map((inputs, call) => inputs.map((input) => read(input, layer.name, call))),
  }));
  const filters = places.map((place) =>
    filterLayer(place, place.side === 'out' ? place.ref : filtered(place.ref)),
  );
  return { ...graph, layers: [...layers, ...filters], outputs: graph.outputs.map(filtered) };
}

function makesSomethingOfNothing(facts: LayerFacts): boolean {
  return facts.flow.kind === 'makes' || !facts.flow.zero;
}

/** Whether scaling some of the layer's weights scales its output, channel by channel and by any factor. */
function foldsIntoOutput(facts: LayerFacts): boolean {
  const scaled = facts.weights.filter((weight) => weight.out !== undefined);
  if (facts.flow.kind === 'makes') return scaled.length > 0;
  // A normalisation needs both its gamma and its beta; a depthwise convolution has its kernel.
  const names = new Set(scaled.map((weight) => weight.name));
  return names.has('depthwise_kernel') || (names.has('gamma') && names.has('beta'));
}

/** The inputs of consuming calls that a tensor's zeros reach through layers that keep zeros. */
function consumersOf(
  start: TensorRef,
  readers: ReadonlyMap<string, readonly AnalysedCall[]>,
): { ref: TensorRef; reader: AnalysedCall }[] {
  const edges: { ref: TensorRef; reader: AnalysedCall }[] = [];
  const seen = new Set<string>();
  const walk = (ref: TensorRef): void => {
    if (seen.has(keyOf(ref))) return;
    seen.add(keyOf(ref));
    for (const reader of readers.get(keyOf(ref)) ?? []) {
      if (reader.facts.flow.kind === 'makes') {
        if (readsWithKernel(reader, ref)) edges.push({ ref, reader });
      } else if (reader.facts.flow.zero)
        reader.facts.outputs.forEach((_, tensor) =>
          walk({ layer: reader.layer.name, call: reader.call, tensor }),
        );
    }
  };
  walk(start);
  return edges;
}

/** First states of a recurrent layer belong to its own units, whose switches stand elsewhere. */
function readsWithKernel(reader: AnalysedCall, ref: TensorRef): boolean {
  return reader.inputs.some(
    (input, position) => keyOf(input) === keyOf(ref) && reader.facts.ungated?.includes(position) !== true,
  );
}

function addReader(
  places: Map<string, FilterPlace>,
  analysis: Analysis,
  ref: TensorRef,
  by: AnalysedCall,
): void {
  if (!hasSwitches(analysis, ref)) return;
  const key = `in:${keyOf(ref)}`;
  const place = places.get(key);
  const readers = place?.readers ?? [];
  if (readers.some((reader) => reader.layer === by.layer.name && reader.call === by.call)) return;
  places.set(key, {
    config: place?.config ?? configFor(analysis, ref, 'filter_in'),
    ref,
    side: 'in',
    readers: [...readers, { layer: by.layer.name, call: by.call }],
  });
}

function hasSwitches(analysis: Analysis, ref: TensorRef): boolean {
  return analysis.tensor(ref).ids.some((id) => analysis.switchOf(analysis.classOf(id)) !== undefined);
}

function configFor(analysis: Analysis, ref: TensorRef, suffix: string): FilterConfig {
  const { ids, axis } = analysis.tensor(ref);
  const name =
    ref.call === 0 && ref.tensor === 0
      ? `${ref.layer}/${suffix}`
      : `${ref.layer}/${suffix}_${ref.call}_${ref.tensor}`;
  return { name, axis, ...switchesOf(analysis, ids) };
}

/** Which switches belong to the channels of an axis. */
export function switchesOf(analysis: Analysis, ids: ChannelIds): AxisSwitches {
  const at = Array.from(ids, (id) => analysis.switchOf(analysis.classOf(id)));
  const hubs = [...new Set(at.flatMap((place) => (place === undefined ? [] : [place.hub])))];
  const starts = new Map<string, number>();
  let total = 0;
  for (const hub of hubs) {
    starts.set(hub.name, total);
    total += hub.classes.length;
  }
  const index = at.map((place) =>
    place === undefined ? -1 : (starts.get(place.hub.name) ?? 0) + place.index,
  );
  const inOrder = index.length === total && index.every((place, i) => place === i) && hubs.length === 1;
  return { hubs: hubs.map((hub) => hub.name), index: inOrder ? null : index };
}

function keyOf(ref: TensorRef): string {
  return `${ref.layer}:${ref.call}:${ref.tensor}`;
}
