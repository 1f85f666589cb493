import { ChannelSets, PINNED, type ChannelIds } from './channels';
import { callsInOrder, type Graph, type GraphLayer, type TensorRef } from './graph';
import type { LayerFacts, LayerWidth, TensorInfo } from './rules/rule';
import { ruleFor } from './rules/table';

/** The channel graph of a model: which channels there are, which are joined, and which layers share them. */
export interface Analysis {
  readonly graph: Graph;
  /** Every call in an order in which inputs come first. */
  readonly calls: readonly AnalysedCall[];
  /** Facts of each layer's first call; weights are the same in every call. */
  readonly facts: ReadonlyMap<string, LayerFacts>;
  /** Groups of layers that lose the same channels, in order of their first layer. */
  readonly hubs: readonly Hub[];
  /** Largest class number plus one. */
  readonly classCount: number;
  tensor(ref: TensorRef): TensorInfo;
  /** The class of a channel id. */
  classOf(id: number): number;
  /** Position of a class in its hub's switches; undefined for classes that stay. */
  switchOf(channelClass: number): { readonly hub: Hub; readonly index: number } | undefined;
}

export interface AnalysedCall {
  readonly layer: GraphLayer;
  readonly call: number;
  readonly inputs: readonly TensorRef[];
  readonly facts: LayerFacts;
}

/** Layers whose channels are joined: they lose the same ones or none. */
export interface Hub {
  /** Name of its first layer. */
  readonly name: string;
  readonly layers: readonly HubLayer[];
  /** Channel classes, one switch each, in the order of the first layer's channels. Empty where the hub is fixed. */
  readonly classes: Int32Array;
  /** Why the widths stay as they are; undefined where they are learned. */
  readonly fixed?: string;
}

export interface HubLayer {
  readonly name: string;
  readonly className: string;
  /** Class of every channel of the layer's width. */
  readonly classes: Int32Array;
  /** How many of them must stay: one, or what the graph needs. */
  readonly least: number;
}

/** Which layers may be sized: all but `off`, or just `only` where that is given. */
export interface Sizing {
  readonly off: ReadonlySet<string>;
  readonly only?: ReadonlySet<string>;
  /** Layers that keep their width for another reason, with the reason. */
  readonly kept?: ReadonlyMap<string, string>;
}

const EVERYTHING: Sizing = { off: new Set() };

/**
 * Follows every channel through the graph.
 *
 * @throws ShrinkError `unknown-layer` for what cannot be followed
 */
export function analyse(graph: Graph, sizing: Sizing = EVERYTHING): Analysis {
  const channels = new ChannelSets();
  const tensors = new Map<string, TensorInfo>();
  const facts = new Map<string, LayerFacts>();
  const calls: AnalysedCall[] = [];
  const tensor = (ref: TensorRef): TensorInfo => {
    const info = tensors.get(keyOf(ref));
    if (info === undefined) throw new RangeError(`no tensor ${keyOf(ref)}`);
    return info;
  };
  for (const { layer, call, inputs } of callsInOrder(graph)) {
    const described = ruleFor(layer)(layer, inputs.map(tensor), channels);
    const first = facts.get(layer.name);
    if (first === undefined) facts.set(layer.name, described);
    else joinWeights(first, described, channels);
    described.outputs.forEach((output, index) =>
      tensors.set(keyOf({ layer: layer.name, call, tensor: index }), output),
    );
    calls.push({ layer, call, inputs, facts: described });
  }
  for (const output of graph.outputs) channels.pin(tensor(output).ids, 'its width is the task’s');
  const hubs = findHubs(graph, facts, channels, sizing);
  const switches = new Map<number, { hub: Hub; index: number }>();
  for (const hub of hubs)
    hub.classes.forEach((channelClass, index) => switches.set(channelClass, { hub, index }));
  let classCount = 1;
  for (const hub of hubs)
    for (const layer of hub.layers) for (const c of layer.classes) classCount = Math.max(classCount, c + 1);
  return {
    graph,
    calls,
    facts,
    hubs,
    classCount,
    tensor,
    classOf: (id) => channels.find(id),
    switchOf: (channelClass) => switches.get(channelClass),
  };
}

function keyOf(ref: TensorRef): string {
  return `${ref.layer}:${ref.call}:${ref.tensor}`;
}

/** A shared layer has the same weights in every call, so that the channels along their axes are the same. */
function joinWeights(a: LayerFacts, b: LayerFacts, channels: ChannelSets): void {
  a.weights.forEach((weight, i) => {
    weight.axes.forEach((ids, axis) => {
      const other = b.weights[i]?.axes[axis];
      if (ids !== null && other !== null && other !== undefined) channels.join(ids, other);
    });
  });
}

/** The widths of a layer: usually one, that of the output it makes. */
function widthsOf(facts: LayerFacts): readonly LayerWidth[] {
  if (facts.widths !== undefined) return facts.widths;
  const [output] = facts.outputs;
  return facts.widthKey === undefined || output === undefined ? [] : [{ label: '', ids: output.ids }];
}

function findHubs(
  graph: Graph,
  facts: ReadonlyMap<string, LayerFacts>,
  channels: ChannelSets,
  sizing: Sizing,
): Hub[] {
  const sized = graph.layers.flatMap((layer) => {
    const described = facts.get(layer.name);
    return (described === undefined ? [] : widthsOf(described)).map(({ label, ids }) => ({
      layer,
      name: layer.name + label,
      ids,
      classes: Int32Array.from(ids, (id) => channels.find(id)),
    }));
  });
  // Layers are connected when they share a class.
  const group = sized.map((_, i) => i);
  const find = (i: number): number => (group[i] === i ? i : find(group[i] ?? i));
  const owner = new Map<number, number>();
  sized.forEach(({ classes }, i) => {
    for (const c of classes) {
      if (c === PINNED) continue;
      const other = owner.get(c);
      if (other === undefined) owner.set(c, i);
      else {
        const [low, high] = [Math.min(find(i), find(other)), Math.max(find(i), find(other))];
        group[high] = low;
      }
    }
  });
  const hubs: Hub[] = [];
  sized.forEach((first, i) => {
    if (find(i) !== i) return;
    const members = sized.filter((_, j) => find(j) === i);
    const layers = members.map(({ layer, classes, ids }) => ({
      name: layer.name,
      className: layer.className,
      classes,
      least: channels.leastOf(ids),
    }));
    const fixed = whyFixed(members, channels, sizing);
    const classes = new Set<number>();
    for (const member of members) for (const c of member.classes) classes.add(c);
    hubs.push({
      name: first.name,
      layers,
      classes: fixed === undefined ? Int32Array.from(classes) : new Int32Array(0),
      ...(fixed === undefined ? {} : { fixed }),
    });
  });
  return hubs;
}

function whyFixed(
  members: readonly { layer: GraphLayer; name: string; ids: ChannelIds; classes: Int32Array }[],
  channels: ChannelSets,
  sizing: Sizing,
): string | undefined {
  for (const { layer, name, ids, classes } of members) {
    if (classes.includes(PINNED)) return channels.reasonFor(ids) ?? `it is joined with channels that stay`;
    if (sizing.off.has(name) || sizing.off.has(layer.name)) return `${name} is marked off`;
    const reason = sizing.kept?.get(name);
    if (reason !== undefined) return reason;
    if (layer.config['trainable'] === false) return `${layer.name} is frozen`;
  }
  const only = sizing.only;
  if (only !== undefined && !members.some(({ layer, name }) => only.has(name) || only.has(layer.name)))
    return 'it has no @shrink hint';
  return undefined;
}
