/**
 * The intermediate form: the Keras-format topology JSON that `tf.LayersModel.toJSON(null, false)` writes
 * (DESIGN.md). These types name the parts of it that the project reads.
 */

export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** Keras layer configuration; keys are snake_case as in the file format. */
export type LayerConfig = Record<string, unknown>;

/** One inbound tensor of a node: `[layer, nodeIndex, tensorIndex, callArguments]`. */
export type InboundTensor = [string, number, number, Record<string, unknown>?];

/** A layer of a functional model. */
export interface FunctionalLayer {
  class_name: string;
  name: string;
  config: LayerConfig;
  /** One entry a call of the layer; each lists the tensors it was called on. */
  inbound_nodes: InboundTensor[][];
}

/** A layer of a sequential model, or one wrapped inside another layer. */
export interface NestedLayer {
  class_name: string;
  config: LayerConfig;
}

export interface FunctionalTopology {
  class_name: 'Model' | 'Functional';
  config: {
    name: string;
    layers: FunctionalLayer[];
    input_layers: [string, number, number][];
    output_layers: [string, number, number][];
  };
  keras_version?: string;
  backend?: string;
}

export interface SequentialTopology {
  class_name: 'Sequential';
  config: { name: string; layers: NestedLayer[] };
  keras_version?: string;
  backend?: string;
}

export type Topology = FunctionalTopology | SequentialTopology;

/** The name of a layer in either form: functional models write it beside the configuration as well. */
export function nameOf(layer: NestedLayer & { name?: string }): string {
  return layer.name ?? String(layer.config['name']);
}

/** Whether a class is that of a model that holds layers. */
export function isModel(className: string): boolean {
  return className === 'Sequential' || className === 'Model' || className === 'Functional';
}

/** A deep copy that can be changed freely. */
export function cloneTopology<T extends Topology>(topology: T): T {
  return structuredClone(topology);
}
