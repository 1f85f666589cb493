import { analyse, type Sizing } from './analysis';
import { placeFilters } from './filters';
import type { Graph } from './graph';

/**
 * The sizing without what could not be folded. Where a channel's Filter stands in front of the layer that reads it, that
 * layer's weights take the factor; a layer without such weights (a dot product of what a sigmoid made) cannot.
 */
export function foldableSizing(graph: Graph, sizing: Sizing): Sizing {
  const analysis = analyse(graph, sizing);
  const kept = new Map(sizing.kept);
  for (const { side, config, readers } of placeFilters(analysis)) {
    if (side === 'out') continue;
    const reader = readers.find(
      ({ layer }) => analysis.facts.get(layer)?.weights.some((weight) => weight.in !== undefined) !== true,
    );
    if (reader === undefined) continue;
    for (const hub of analysis.hubs)
      if (config.hubs.includes(hub.name))
        kept.set(
          hub.name,
          `${reader.layer} reads it and has no weights that its switches could be folded into`,
        );
  }
  return kept.size === (sizing.kept?.size ?? 0) ? sizing : { ...sizing, kept };
}
