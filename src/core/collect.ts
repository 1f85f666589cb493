import type { Analysis } from './analysis';
import { PINNED } from './channels';
import { countAlive, type Alive } from './cost';
import type { Graph } from './graph';
import { gatherAxis, type HostTensor, type LayerWeights } from './tensor';

/**
 * Neural garbage collection (draft §3.1, §6): removes dead channels for good. Planning and doing are apart: the plan
 * is a log of edits (tensor, axis, kept indices) that is replayed on weights and on every optimizer slot alike.
 */

export interface TensorEdit {
  readonly layer: string;
  /** Index into `layer.getWeights()`. */
  readonly weight: number;
  readonly axis: number;
  /** Indices that stay, ascending. */
  readonly keep: Int32Array;
}

export interface SwitchEdit {
  readonly hub: string;
  readonly keep: Int32Array;
}

export interface Collection {
  /** The smaller graph. */
  readonly graph: Graph;
  readonly edits: readonly TensorEdit[];
  readonly switches: readonly SwitchEdit[];
  /** Channels removed by layer; layers that lost none are absent. */
  readonly removed: Readonly<Record<string, number>>;
}

/**
 * Plans the removal of every class that is not alive.
 *
 * @throws RangeError when a layer would be left without channels: callers keep at least one alive
 */
export function planCollection(analysis: Analysis, alive: Alive): Collection {
  const lives = (id: number): boolean => {
    const c = analysis.classOf(id);
    return c === PINNED || alive[c] === 1;
  };
  // The kernels of neighbours and every weight of a layer share their channels.
  const kept = new Map<Int32Array, Int32Array>();
  const edits: TensorEdit[] = [];
  for (const [layer, facts] of analysis.facts)
    facts.weights.forEach((weight, index) => {
      weight.axes.forEach((ids, axis) => {
        if (ids === null) return;
        const keep = kept.get(ids) ?? indicesWhere(ids, lives);
        kept.set(ids, keep);
        if (keep.length < ids.length) edits.push({ layer, weight: index, axis, keep });
      });
    });
  const removed: Record<string, number> = {};
  const switches: SwitchEdit[] = [];
  for (const hub of analysis.hubs) {
    for (const layer of hub.layers) {
      const left = countAlive(layer.classes, alive);
      if (left === 0) throw new RangeError(`layer ${layer.name} would lose all its channels`);
      if (left < layer.classes.length) removed[layer.name] = layer.classes.length - left;
    }
    const keep = indicesWhere(hub.classes, (c) => alive[c] === 1);
    if (keep.length < hub.classes.length) switches.push({ hub: hub.name, keep });
  }
  return { graph: shrinkGraph(analysis, lives), edits, switches, removed };
}

function shrinkGraph(analysis: Analysis, lives: (id: number) => boolean): Graph {
  const count = (ids: Int32Array): number => ids.reduce((sum, id) => sum + (lives(id) ? 1 : 0), 0);
  return {
    ...analysis.graph,
    layers: analysis.graph.layers.map((layer) => {
      const resize = analysis.facts.get(layer.name)?.resize;
      return resize === undefined ? layer : { ...layer, config: { ...layer.config, ...resize(count) } };
    }),
  };
}

function indicesWhere(values: Int32Array, keep: (value: number) => boolean): Int32Array {
  const indices: number[] = [];
  values.forEach((value, index) => {
    if (keep(value)) indices.push(index);
  });
  return Int32Array.from(indices);
}

/** Replays the log on a set of tensors shaped like the weights: the weights themselves or one optimizer slot. */
export function replayEdits(weights: LayerWeights, edits: readonly TensorEdit[]): LayerWeights {
  const result: LayerWeights = Object.fromEntries(
    Object.entries(weights).map(([layer, tensors]) => [layer, [...tensors]]),
  );
  // Edits of different axes commute: on the first axis whole rows are copied, and the others then have fewer to do.
  for (const edit of edits.toSorted((a, b) => a.axis - b.axis)) {
    const tensors = result[edit.layer];
    const tensor: HostTensor | undefined = tensors?.[edit.weight];
    if (tensors === undefined || tensor === undefined) continue;
    tensors[edit.weight] = gatherAxis(tensor, edit.axis, edit.keep);
  }
  return result;
}
