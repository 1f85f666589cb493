import type { Graph, GraphLayer, TensorRef } from './graph';
import { activationName } from './rules/activation';
import type { LayerConfig, NestedLayer } from './topology';

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
  const made = new Set<GraphLayer>();
  const layers: GraphLayer[] = graph.layers.flatMap((layer): GraphLayer[] => {
    const parts = splitConfig(layer.className, layer.config);
    if (parts === undefined) return [layer];
    split.add(layer.name);
    const name = activationLayerName(layer.name);
    const activation: GraphLayer = {
      name,
      className: 'Activation',
      config: { name, activation: parts.activation, trainable: true },
      calls: layer.calls.map((_, call) => [{ layer: layer.name, call, tensor: 0 }]),
    };
    made.add(activation);
    return [{ ...layer, config: parts.rest }, activation];
  });
  const redirect = (ref: TensorRef): TensorRef =>
    split.has(ref.layer) ? { ...ref, layer: activationLayerName(ref.layer) } : ref;
  return {
    ...graph,
    layers: layers.map((layer) =>
      made.has(layer) ? layer : { ...layer, calls: layer.calls.map((inputs) => inputs.map(redirect)) },
    ),
    outputs: graph.outputs.map(redirect),
  };
}

/** A configuration without its activation, and the activation; undefined where there is none to take out. */
function splitConfig(
  className: string,
  config: LayerConfig,
): { readonly rest: LayerConfig; readonly activation: unknown } | undefined {
  if (className === 'TimeDistributed') {
    const inner = config['layer'] as NestedLayer;
    const parts = splitConfig(inner.class_name, inner.config);
    return (
      parts && { rest: { ...config, layer: { ...inner, config: parts.rest } }, activation: parts.activation }
    );
  }
  const { activation } = config;
  if (!WITH_ACTIVATION.has(className) || activationName(activation) === 'linear') return undefined;
  return { rest: { ...config, activation: 'linear' }, activation };
}
