import type { Graph } from '../core/graph';
import { activationName } from '../core/rules/activation';

/** The activation that a layer is, `linear` for any other layer. @param graph with activations split off */
export function endActivation(graph: Graph, name: string): string {
  const layer = graph.layers.find((candidate) => candidate.name === name);
  if (layer?.className === 'Softmax') return 'softmax';
  return layer?.className === 'Activation' ? activationName(layer.config['activation']) : 'linear';
}
