import type { Graph, GraphLayer, TensorRef } from './graph';
import { activationName } from './rules/activation';

/** Layers whose configuration holds an elementwise activation that can as well stand behind them. */
const WITH_ACTIVATION = new Set([
  'Dense',
  'Conv1D',
  'Conv2D',
  'Conv3D',
  'Conv2DTranspose',
  'Conv3DTranspose',
  'DepthwiseConv2D',
  'SeparableConv2D',
]);

/** Name of the layer that holds a split-off activation. */
export function activationLayerName(layer: string): string {
  return `${layer}/activation`;
}

/**
 * Takes the activations out of the layers that carry them inside, so that a Filter can stand in between. The main
 * layer keeps its name and its weights.
 */
export function splitActivations(graph: Graph): Graph {
  const split = new Set<string>();
  const layers: GraphLayer[] = graph.layers.flatMap((layer): GraphLayer[] => {
    const name = activationName(layer.config['activation']);
    if (!WITH_ACTIVATION.has(layer.className) || name === 'linear') return [layer];
    split.add(layer.name);
    const activation: GraphLayer = {
      name: activationLayerName(layer.name),
      className: 'Activation',
      config: {
        name: activationLayerName(layer.name),
        activation: layer.config['activation'],
        trainable: true,
      },
      calls: layer.calls.map((_, call) => [{ layer: layer.name, call, tensor: 0 }]),
    };
    return [{ ...layer, config: { ...layer.config, activation: 'linear' } }, activation];
  });
  const redirect = (ref: TensorRef): TensorRef =>
    split.has(ref.layer) ? { ...ref, layer: activationLayerName(ref.layer) } : ref;
  return {
    ...graph,
    layers: layers.map((layer) =>
      layer.className === 'Activation' &&
      layer.name.endsWith('/activation') &&
      split.has(layer.name.slice(0, -11))
        ? layer
        : { ...layer, calls: layer.calls.map((inputs) => inputs.map(redirect)) },
    ),
    outputs: graph.outputs.map(redirect),
  };
}
