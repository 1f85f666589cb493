import * as tf from '../engine/tf';
import type { Graph } from '../core/graph';
import { toTopology } from '../core/graph';
import type { HostTensor, LayerWeights } from '../core/tensor';
import type { FunctionalTopology, Topology } from '../core/topology';
import { withBank, type SwitchBank } from './filterLayer';

/** Making TensorFlow.js models of graphs, and moving weights in and out of them. */

/**
 * Builds a model. Weights start at zero: whoever builds one has weights to put in, and drawing random ones (an
 * orthogonal matrix, say) costs more than everything else about it.
 */
export async function buildModel(
  graph: Graph,
  weights: LayerWeights,
  bank: SwitchBank,
): Promise<tf.LayersModel> {
  const topology = zeroInitializers(toTopology(graph));
  const model = await withBank(bank, () => tf.models.modelFromJSON({ modelTopology: topology as never }));
  setWeights(model, weights);
  return model;
}

function zeroInitializers(topology: FunctionalTopology): Topology {
  return JSON.parse(
    JSON.stringify(topology, (key, value: unknown) =>
      key.endsWith('_initializer') && value !== null ? { class_name: 'Zeros', config: {} } : value,
    ),
  ) as Topology;
}

/** Every layer of a model and of the models in it, by the name it has in the graph (`outer/inner`). */
export function layersOf(model: tf.LayersModel, prefix = ''): Map<string, tf.layers.Layer> {
  const layers = new Map<string, tf.layers.Layer>();
  for (const layer of model.layers) {
    if (layer instanceof tf.LayersModel)
      for (const [name, inner] of layersOf(layer, `${prefix}${layer.name}/`)) layers.set(name, inner);
    else layers.set(prefix + layer.name, layer);
  }
  return layers;
}

/** @throws RangeError when a layer's weights are of other shapes */
export function setWeights(model: tf.LayersModel, weights: LayerWeights): void {
  for (const [name, layer] of layersOf(model)) {
    const tensors = weights[name];
    if (tensors === undefined || layer.weights.length === 0) continue;
    tf.tidy(() => {
      layer.setWeights(tensors.map((tensor) => tf.tensor(tensor.data, [...tensor.shape])));
    });
  }
}

export async function readWeights(model: tf.LayersModel): Promise<LayerWeights> {
  const weights: LayerWeights = {};
  for (const [name, layer] of layersOf(model)) {
    if (layer.weights.length > 0)
      weights[name] = await Promise.all(layer.weights.map((weight) => readTensor(variableOf(weight))));
  }
  return weights;
}

export async function readTensor(tensor: tf.Tensor): Promise<HostTensor> {
  const data = await tensor.data();
  // The wasm backend gives a copy, others may give what they hold.
  const own = tf.getBackend() === 'wasm' && data instanceof Float32Array;
  return { shape: [...tensor.shape], data: own ? data : Float32Array.from(data) };
}

/**
 * Disposes a model with all its weights. TensorFlow.js counts the uses of a layer and takes one back, so that the weights
 * of a layer or model that is used more than once would stay.
 */
export function disposeModel(model: tf.LayersModel): void {
  const layers = [...layersOf(model).values()];
  model.dispose();
  for (const layer of layers) {
    const counted = layer as unknown as { readonly _refCount: number | null };
    while ((counted._refCount ?? 0) > 0) layer.dispose();
  }
}

/** The topology that a model has, as plain JSON. */
export function topologyOf(model: tf.LayersModel): Topology {
  return JSON.parse(JSON.stringify(model.toJSON(null, false))) as Topology;
}

/** The variable that a layer's weight is kept in. Its `read` may scale it ({@link scaleInternally}). */
export function variableOf(weight: tf.LayerVariable): tf.Variable {
  return (weight as unknown as { val: tf.Variable }).val;
}

/**
 * Makes a layer see one of its weights scaled along an axis, wherever it reads it: how a switch acts inside a layer.
 *
 * @param factors [length of the axis], read anew each time
 */
export function scaleInternally(weight: tf.LayerVariable, axis: number, factors: () => tf.Tensor1D): void {
  const variable = variableOf(weight);
  const shape = variable.shape.map((_, i) => (i === axis ? -1 : 1));
  weight.read = () => tf.mul(variable, tf.reshape(factors(), shape));
}
