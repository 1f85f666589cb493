import { badInput } from '../../core/errors';
import type { InboundTensor, LayerConfig, Topology } from '../../core/topology';

/** One call of a layer, in an order in which everything is there before it is used. */
export interface LayerCallStep {
  readonly className: string;
  /** Name in the topology. */
  readonly layer: string;
  readonly config: LayerConfig;
  /** Which call of the layer it is. */
  readonly node: number;
  /** Whether the layer is called more than once. */
  readonly isShared: boolean;
  readonly inputs: readonly { readonly layer: string; readonly node: number }[];
}

export interface ModelSteps {
  readonly steps: readonly LayerCallStep[];
  readonly inputs: readonly string[];
  readonly outputs: readonly { readonly layer: string; readonly node: number }[];
}

/**
 * The calls that build a topology, inputs first.
 *
 * @throws ShrinkError `module` for models inside models
 */
export function listSteps(topology: Topology): ModelSteps {
  return topology.class_name === 'Sequential'
    ? listSequential(topology.config.layers)
    : listFunctional(topology);
}

function listSequential(layers: readonly { class_name: string; config: LayerConfig }[]): ModelSteps {
  const steps: LayerCallStep[] = [];
  const first = layers[0];
  if (first === undefined)
    throw badInput('module', 'The model has no layers, so there is no module to write.');
  if (first.class_name !== 'InputLayer') {
    const config = { name: 'input', batch_input_shape: first.config['batch_input_shape'] };
    steps.push({ className: 'InputLayer', layer: 'input', config, node: 0, isShared: false, inputs: [] });
  }
  for (const { class_name: className, config } of layers) {
    refuseNested(className, config);
    const before = steps.at(-1)?.layer;
    const inputs = before === undefined ? [] : [{ layer: before, node: 0 }];
    steps.push({ className, layer: String(config['name']), config, node: 0, isShared: false, inputs });
  }
  const [input, output] = [steps[0]?.layer ?? '', steps.at(-1)?.layer ?? ''];
  return { steps, inputs: [input], outputs: [{ layer: output, node: 0 }] };
}

function listFunctional(topology: Exclude<Topology, { class_name: 'Sequential' }>): ModelSteps {
  const { layers, input_layers, output_layers } = topology.config;
  const steps: LayerCallStep[] = [];
  const done = new Set<string>();
  const visit = (name: string, node: number): void => {
    const key = `${name} ${node}`;
    if (done.has(key)) return;
    done.add(key);
    const layer = layers.find((candidate) => candidate.name === name);
    if (layer === undefined) throw badInput('module', `The model has no layer ${name}.`);
    refuseNested(layer.class_name, layer.config);
    const inputs = readInbound(layer.inbound_nodes[node]);
    for (const input of inputs) visit(input.layer, input.node);
    steps.push({
      className: layer.class_name,
      layer: name,
      config: layer.config,
      node,
      isShared: layer.inbound_nodes.length > 1,
      inputs,
    });
  };
  for (const [name, node] of asList(input_layers)) visit(name, node);
  for (const [name, node] of asList(output_layers)) visit(name, node);
  return {
    steps,
    inputs: asList(input_layers).map(([name]) => name),
    outputs: asList(output_layers).map(([layer, node]) => ({ layer, node })),
  };
}

/** Keras writes a single place without a list around it. */
function asList(places: readonly [string, number, number][]): readonly [string, number, number][] {
  return typeof places[0] === 'string' ? [places as unknown as [string, number, number]] : places;
}

function readInbound(node: readonly InboundTensor[] | undefined): { layer: string; node: number }[] {
  return (node ?? []).map(([layer, index]) => ({ layer, node: index }));
}

function refuseNested(className: string, config: LayerConfig): void {
  if (Array.isArray(config['layers']))
    throw badInput(
      'module',
      `${className} is a model inside a model; such models cannot be written as a module yet.`,
    );
}

/** The layer that another one holds: `Bidirectional`, `TimeDistributed`. */
export function innerLayer(config: LayerConfig): { className: string; config: LayerConfig } | undefined {
  const inner = config['layer'] as { class_name: string; config: LayerConfig } | undefined;
  return inner === undefined ? undefined : { className: inner.class_name, config: inner.config };
}

/** Longer names say no more, and fill lines. */
const LONGEST_NAME = 32;

/** Names for variables: words of the layer's name, each used once. */
export function makeNamer(reserved: readonly string[], style: 'camel' | 'snake'): (name: string) => string {
  const used = new Set(reserved);
  return (name) => {
    const words = name.split(/[^A-Za-z0-9]+/).filter((word) => word !== '');
    const joined =
      style === 'snake'
        ? words.join('_').toLowerCase()
        : words
            .map((word, index) =>
              index === 0 ? lowerFirst(word) : word.charAt(0).toUpperCase() + word.slice(1),
            )
            .join('');
    const named = /^[A-Za-z]/.test(joined) ? joined : `layer${style === 'snake' ? '_' : ''}${joined}`;
    const base = named.length <= LONGEST_NAME ? named : 'layer';
    let wanted = base;
    for (let count = 2; used.has(wanted); count += 1)
      wanted = `${base}${style === 'snake' ? '_' : ''}${count}`;
    used.add(wanted);
    return wanted;
  };
}

export function lowerFirst(word: string): string {
  return word.charAt(0).toLowerCase() + word.slice(1);
}

/** Configuration worth writing: plain values that are not what they would be anyway. */
export function plainConfig(config: LayerConfig): [string, unknown][] {
  return Object.entries(config).filter(([key, value]) => {
    if (LEFT_OUT.has(key) || value === null || value === undefined) return false;
    // Recurrent layers are hyperbolic by default.
    const isOther = key === 'activation' && 'return_sequences' in config;
    if (key === 'name' || isOther || DEFAULTS[key] === undefined) return isPlain(value);
    return JSON.stringify(value) !== JSON.stringify(DEFAULTS[key]) && isPlain(value);
  });
}

const LEFT_OUT: ReadonlySet<string> = new Set([
  'dtype',
  'trainable',
  'batch_input_shape',
  'sparse',
  'seed',
  'input_dtype',
]);

const DEFAULTS: Readonly<Record<string, unknown>> = {
  activation: 'linear',
  use_bias: true,
  data_format: 'channels_last',
  dilation_rate: [1, 1],
  center: true,
  scale: true,
};

function isPlain(value: unknown): boolean {
  return typeof value !== 'object' || (Array.isArray(value) && value.every(isPlain));
}
