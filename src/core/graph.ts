import { isModel, nameOf } from './topology';
import type { FunctionalTopology, InboundTensor, LayerConfig, NestedLayer, Topology } from './topology';
import { badInput } from './errors';

/**
 * A model as a flat graph of layers, the form in which everything is computed. Sequential models, functional ones
 * and models nested in them all become one graph; {@link toTopology} writes it as a functional model again.
 */

/** Output `tensor` of the `call`-th call of `layer`. */
export interface TensorRef {
  readonly layer: string;
  readonly call: number;
  readonly tensor: number;
}

export interface GraphLayer {
  /** Unique; layers of a nested model are named `outer/inner`. */
  readonly name: string;
  readonly className: string;
  readonly config: LayerConfig;
  /** Inputs of each call; a shared layer has several calls, an input layer one without inputs. */
  readonly calls: readonly (readonly TensorRef[])[];
}

export interface Graph {
  readonly name: string;
  /** In topological order of first calls. */
  readonly layers: readonly GraphLayer[];
  readonly inputs: readonly TensorRef[];
  readonly outputs: readonly TensorRef[];
}

interface MutableLayer {
  name: string;
  className: string;
  config: LayerConfig;
  calls: TensorRef[][];
}

/** @throws ShrinkError `topology-unreadable` when the topology is not one of a Keras-format model */
export function readGraph(topology: Topology): Graph {
  const layers = new Map<string, MutableLayer>();
  const root = inline(topology, '', [], layers);
  return {
    name: topology.config.name,
    layers: sortLayers(layers),
    inputs: root.inputs,
    outputs: root.outputs,
  };
}

/** Adds a model's layers (or one more call of each) to `layers`; `args` are the tensors a nested model is called on. */
function inline(
  model: NestedLayer,
  prefix: string,
  args: readonly TensorRef[],
  layers: Map<string, MutableLayer>,
): { inputs: TensorRef[]; outputs: TensorRef[] } {
  return model.class_name === 'Sequential'
    ? inlineSequential(model, prefix, args, layers)
    : inlineFunctional(model, prefix, args, layers);
}

function inlineSequential(
  model: NestedLayer,
  prefix: string,
  args: readonly TensorRef[],
  layers: Map<string, MutableLayer>,
): { inputs: TensorRef[]; outputs: TensorRef[] } {
  const config = model.config as { layers?: NestedLayer[] } | NestedLayer[];
  const list = Array.isArray(config) ? config : (config.layers ?? []);
  let current = [...args];
  let inputs: TensorRef[] = [...args];
  for (const layer of list) {
    if (current.length === 0 && isModel(layer.class_name)) {
      ({ inputs, outputs: current } = inline(layer, `${prefix}${nameOf(layer)}/`, [], layers));
      continue;
    }
    if (current.length === 0) {
      const shape: unknown = layer.config['batch_input_shape'];
      if (shape === undefined)
        throw badInput(
          'topology-unreadable',
          `The first layer of the sequential model has no inputShape; add one.`,
        );
      const name =
        layer.class_name === 'InputLayer' ? prefix + nameOf(layer) : `${prefix}${nameOf(layer)}_input`;
      const dtype = layer.config['dtype'] ?? 'float32';
      addCall(layers, name, 'InputLayer', { batch_input_shape: shape, dtype, sparse: false, name }, []);
      current = [{ layer: name, call: 0, tensor: 0 }];
      inputs = current;
    }
    if (layer.class_name === 'InputLayer') continue;
    current = callLayer(layer, prefix, current, layers);
  }
  return { inputs, outputs: current };
}

function inlineFunctional(
  model: NestedLayer,
  prefix: string,
  args: readonly TensorRef[],
  layers: Map<string, MutableLayer>,
): { inputs: TensorRef[]; outputs: TensorRef[] } {
  const config = model.config as unknown as FunctionalTopology['config'];
  /** Outputs of every call inside the model: `layer:node` → tensors in the flat graph. */
  const produced = new Map<string, TensorRef[]>();
  const inputRefs = config.input_layers.map(([name], index): TensorRef => {
    const layer = config.layers.find((candidate) => candidate.name === name);
    if (layer === undefined)
      throw badInput('topology-unreadable', `The model names an input "${name}" that it has not.`);
    const given = args[index];
    if (given !== undefined) {
      produced.set(`${name}:0`, [given]);
      return given;
    }
    addCall(layers, prefix + name, 'InputLayer', { ...layer.config, name: prefix + name }, []);
    const ref = { layer: prefix + name, call: 0, tensor: 0 };
    produced.set(`${name}:0`, [ref]);
    return ref;
  });
  const resolve = ([layer, node, tensor]: InboundTensor | [string, number, number]): TensorRef | undefined =>
    produced.get(`${layer}:${node}`)?.[tensor];

  const firstNode = findFirstNodes(config);
  let pending = config.layers.flatMap((layer) =>
    layer.inbound_nodes.map((inbound, i) => ({ layer, inbound, node: i + (firstNode.get(layer.name) ?? 0) })),
  );
  pending = pending.filter(({ layer, node }) => !produced.has(`${layer.name}:${node}`));
  while (pending.length > 0) {
    const left: typeof pending = [];
    for (const item of pending) {
      const inputs = item.inbound.map(resolve);
      // Calls of one layer must be made in order, so that call numbers agree.
      const first = firstNode.get(item.layer.name) ?? 0;
      const earlier = item.node > first && !produced.has(`${item.layer.name}:${item.node - 1}`);
      if (inputs.some((ref) => ref === undefined) || earlier) left.push(item);
      else {
        const outputs = callLayer(item.layer, prefix, inputs as TensorRef[], layers);
        produced.set(`${item.layer.name}:${item.node}`, outputs);
      }
    }
    if (left.length === pending.length)
      throw badInput(
        'topology-unreadable',
        `The layers ${left.map((i) => i.layer.name).join(', ')} are not connected.`,
      );
    pending = left;
  }
  const outputs = config.output_layers.map((output) => {
    const ref = resolve(output);
    if (ref === undefined) throw badInput('topology-unreadable', `The model has no output "${output[0]}".`);
    return ref;
  });
  return { inputs: inputRefs, outputs };
}

/**
 * The number of each nested model's first call. TensorFlow.js counts the making of the model as its call 0, which it does
 * not list; others do not count it.
 */
function findFirstNodes(config: FunctionalTopology['config']): Map<string, number> {
  const read = [...config.layers.flatMap((layer) => layer.inbound_nodes.flat()), ...config.output_layers];
  return new Map(
    config.layers.flatMap((layer): [string, number][] => {
      if (!isModel(layer.class_name)) return [];
      const nodes = read.flatMap(([name, node]) => (name === layer.name ? [node] : []));
      return [[layer.name, Math.max(...nodes, 0) < layer.inbound_nodes.length ? 0 : 1]];
    }),
  );
}

function callLayer(
  layer: NestedLayer,
  prefix: string,
  inputs: readonly TensorRef[],
  layers: Map<string, MutableLayer>,
): TensorRef[] {
  const name = prefix + nameOf(layer);
  if (isModel(layer.class_name)) return inline(layer, `${name}/`, inputs, layers).outputs;
  const call = addCall(layers, name, layer.class_name, { ...layer.config, name }, inputs);
  return Array.from({ length: outputCount(layer) }, (_, tensor) => ({ layer: name, call, tensor }));
}

/** Recurrent layers that return their state have several outputs, as two directions apart do; all other layers have one. */
function outputCount(layer: NestedLayer): number {
  if (layer.class_name === 'Bidirectional' && layer.config['merge_mode'] === null) return 2;
  if (layer.config['return_state'] !== true) return 1;
  return layer.class_name === 'LSTM' || layer.class_name === 'ConvLSTM2D' ? 3 : 2;
}

function addCall(
  layers: Map<string, MutableLayer>,
  name: string,
  className: string,
  config: LayerConfig,
  inputs: readonly TensorRef[],
): number {
  const present = layers.get(name);
  if (present === undefined) {
    layers.set(name, { name, className, config, calls: [[...inputs]] });
    return 0;
  }
  present.calls.push([...inputs]);
  return present.calls.length - 1;
}

/** Orders layers so that everything a layer's first call reads stands before it. */
function sortLayers(layers: ReadonlyMap<string, MutableLayer>): GraphLayer[] {
  const sorted: GraphLayer[] = [];
  const done = new Set<string>();
  const visit = (layer: MutableLayer): void => {
    if (done.has(layer.name)) return;
    done.add(layer.name);
    for (const ref of layer.calls[0] ?? []) {
      const before = layers.get(ref.layer);
      if (before !== undefined) visit(before);
    }
    sorted.push(layer);
  };
  for (const layer of layers.values()) visit(layer);
  return sorted;
}

/** The graph as a functional model, which TensorFlow.js can build. */
export function toTopology(graph: Graph): FunctionalTopology {
  const ref = (tensor: TensorRef): [string, number, number] => [tensor.layer, tensor.call, tensor.tensor];
  return {
    class_name: 'Model',
    config: {
      name: graph.name,
      layers: graph.layers.map((layer) => ({
        class_name: layer.className,
        name: layer.name,
        config: { ...layer.config, name: layer.name },
        inbound_nodes:
          layer.className === 'InputLayer'
            ? []
            : layer.calls.map((inputs) => inputs.map((input): InboundTensor => [...ref(input), {}])),
      })),
      input_layers: graph.inputs.map(ref),
      output_layers: graph.outputs.map(ref),
    },
    keras_version: 'tfjs-layers 4.22.0',
    backend: 'tensor_flow.js',
  };
}

/** Every call of every layer in an order in which inputs come first. */
export function callsInOrder(
  graph: Graph,
): { layer: GraphLayer; call: number; inputs: readonly TensorRef[] }[] {
  const order: { layer: GraphLayer; call: number; inputs: readonly TensorRef[] }[] = [];
  const done = new Set<string>();
  const byName = new Map(graph.layers.map((layer) => [layer.name, layer]));
  const visit = (name: string, call: number): void => {
    const key = `${name}:${call}`;
    if (done.has(key)) return;
    done.add(key);
    const layer = byName.get(name);
    const inputs = layer?.calls[call];
    if (layer === undefined || inputs === undefined) throw new RangeError(`no call ${key}`);
    for (const input of inputs) visit(input.layer, input.call);
    order.push({ layer, call, inputs });
  };
  for (const layer of graph.layers) layer.calls.forEach((_, call) => visit(layer.name, call));
  return order;
}
