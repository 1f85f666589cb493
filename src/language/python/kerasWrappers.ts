import type { Syntax } from '../syntax';
import type { CallArguments } from './evaluation';
import type { Graph } from './graph';
import * as ops from './ops';
import type { ChannelSum, Tensor } from './tensor';
import { inputConfig } from './kerasLayers';
import { firstOf } from './torchLayers';
import { stopAt, type LayerValue, type Value } from './values';

/** Layers of Keras that hold another layer. Its site is the site: its width is what is written. */

/** @returns undefined for what is no such layer, or holds none that is known */
export function makeKerasWrapper(
  graph: Graph,
  type: string,
  args: CallArguments,
  node: Syntax,
): LayerValue | undefined {
  if (type !== 'Bidirectional' && type !== 'TimeDistributed') return undefined;
  const inner = args.positional[0] ?? args.named.get('layer');
  if (inner?.kind !== 'layer' || inner.plain === undefined) return undefined;
  const name = args.named.get('name');
  const base = {
    kind: 'layer' as const,
    type,
    node,
    site: inner.site,
    name: name?.kind === 'string' ? name.value : undefined,
    config: { ...inner.config, ...inputConfig(args.named, node) },
  };
  if (type === 'TimeDistributed')
    return { ...base, apply: (inputs, at, call) => overTime(graph, inner, firstOf(inputs, call), at, call) };
  const mode = mergeMode(args, node);
  return {
    ...base,
    apply: (inputs, at, call) => bothWays(graph, inner, mode, firstOf(inputs, call), at, call),
  };
}

function mergeMode(args: CallArguments, node: Syntax): string {
  const mode: Value = args.positional[1] ??
    args.named.get('merge_mode') ?? { kind: 'string', value: 'concat' };
  if (mode.kind === 'string') return mode.value;
  throw stopAt(
    node,
    'unsupported',
    'Bidirectional layers are read with merge_mode="concat", "sum", "mul" or "ave".',
  );
}

function nested(inner: LayerValue): { class_name: string; config: Record<string, unknown> } {
  const { className = inner.type, config = {} } = inner.plain ?? {};
  return { class_name: className, config: { ...config, name: inner.name ?? className.toLowerCase() } };
}

function bothWays(
  graph: Graph,
  inner: LayerValue,
  mode: string,
  input: Tensor,
  name: string,
  node: Syntax,
): Tensor {
  const layer = nested(inner);
  const units = Number(layer.config['units']);
  if (!/^(?:LSTM|GRU|SimpleRNN)$/.test(layer.class_name))
    throw stopAt(node, 'unsupported', `Bidirectional ${layer.class_name} layers are not supported.`);
  const width = mode === 'concat' ? 2 * units : units;
  const features = ops.featuresOf(input, node);
  const shape = layer.config['return_sequences'] === true ? [...features.slice(0, -1), width] : [width];
  const channels: ChannelSum = {
    terms: new Map(inner.site === undefined ? [] : [[inner.site, width / units]]),
    constant: 0,
  };
  return graph.add('Bidirectional', name, { merge_mode: mode, layer }, [input], { shape, channels });
}

function overTime(graph: Graph, inner: LayerValue, input: Tensor, name: string, node: Syntax): Tensor {
  const layer = nested(inner);
  if (layer.class_name !== 'Dense')
    throw stopAt(node, 'unsupported', `TimeDistributed ${layer.class_name} layers are not supported.`);
  const features = ops.featuresOf(input, node);
  const shape = [...features.slice(0, -1), Number(layer.config['units'])];
  const channels: ChannelSum = {
    terms: new Map(inner.site === undefined ? [] : [[inner.site, 1]]),
    constant: 0,
  };
  return graph.add('TimeDistributed', name, { layer }, [input], { shape, channels });
}
