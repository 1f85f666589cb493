import type { Graph } from './graph';
import {
  cloneTopology,
  isModel,
  nameOf,
  type LayerConfig,
  type NestedLayer,
  type Topology,
} from './topology';

/** Configuration entries that say how wide something is. */
const WIDTH_KEYS = ['units', 'filters', 'output_dim', 'target_shape'] as const;

/**
 * The author's own topology with the learned widths in it: same layers, same names, same nesting.
 *
 * @param graph the graph that training ended with
 */
export function compactTopology(original: Topology, graph: Graph): Topology {
  const topology = cloneTopology(original);
  const learned = new Map(graph.layers.map((layer) => [layer.name, layer.config]));
  const visit = (model: NestedLayer, prefix: string): void => {
    const config = model.config as { layers?: NestedLayer[] } | NestedLayer[];
    for (const layer of Array.isArray(config) ? config : (config.layers ?? [])) {
      const name = prefix + nameOf(layer);
      if (isModel(layer.class_name)) visit(layer, `${name}/`);
      else copyWidths(learned.get(name), layer.config);
    }
  };
  visit(topology, '');
  return topology;
}

function isNested(value: unknown): value is NestedLayer {
  return typeof value === 'object' && value !== null && 'config' in value;
}

function copyWidths(from: LayerConfig | undefined, to: LayerConfig): void {
  if (from === undefined) return;
  for (const key of WIDTH_KEYS) if (key in to && key in from) to[key] = from[key];
  // Wrappers and recurrent cells hold widths one level deeper.
  for (const key of ['layer', 'cell'] as const)
    if (isNested(from[key]) && isNested(to[key])) copyWidths(from[key].config, to[key].config);
  const [learned, own] = [from['cells'], to['cells']];
  if (Array.isArray(learned) && Array.isArray(own))
    own.forEach((cell: unknown, i) => {
      const other: unknown = learned[i];
      if (isNested(cell) && isNested(other)) copyWidths(other.config, cell.config);
    });
}
