import type { Graph } from '../core/graph';
import { activationName } from '../core/rules/activation';
import type { OutputHead } from './outputHead';

/** The activation that a layer is, `linear` for any other layer. @param graph with activations split off */
export function endActivation(graph: Graph, name: string): string {
  const layer = graph.layers.find((candidate) => candidate.name === name);
  if (layer?.className === 'Softmax') return 'softmax';
  if (layer?.className === 'ReLU') return 'relu';
  return layer?.className === 'Activation' ? activationName(layer.config['activation']) : 'linear';
}

const NEVER_BELOW_0 = ['relu', 'relu6', 'sigmoid', 'hardSigmoid', 'softmax', 'softplus', 'exponential'];

/** What may go wrong between a loss and the end of its output, as notes. @param graph as in {@link endActivation} */
export function noteEnds(graph: Graph, outputs: readonly OutputHead[]): string[] {
  return outputs.flatMap(({ name, loss }, i) => {
    const end = endActivation(graph, graph.outputs[i]?.layer ?? '');
    if (loss !== 'poisson' || NEVER_BELOW_0.includes(end)) return [];
    return [
      `poisson takes the logarithm of ${name}, which is no number where ${end} makes it negative: end it in softplus or relu`,
    ];
  });
}
