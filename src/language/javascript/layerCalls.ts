import type { Syntax } from '../syntax';
import { argumentsOf } from './nodes';

/** The key that writes the width, by layer constructor. Layers that are not here have no width of their own. */
const WIDTH_KEYS: Readonly<Record<string, string>> = {
  dense: 'units',
  conv1d: 'filters',
  conv2d: 'filters',
  conv3d: 'filters',
  conv2dTranspose: 'filters',
  conv3dTranspose: 'filters',
  separableConv2d: 'filters',
  simpleRNN: 'units',
  gru: 'units',
  lstm: 'units',
  embedding: 'outputDim',
};

/** A call of a layer constructor. */
export interface LayerCall {
  readonly node: Syntax;
  readonly layerType: string;
  /** The key of its configuration that writes the width; undefined for layers without one. */
  readonly widthKey: string | undefined;
  readonly config: Syntax | undefined;
}

/** Finds every layer call of a file, in source order. */
export function findLayerCalls(tfCalls: ReadonlyMap<Syntax, readonly string[]>): LayerCall[] {
  const calls: LayerCall[] = [];
  for (const [node, path] of tfCalls) {
    if (node.type !== 'call_expression' || path.length !== 2 || path[0] !== 'layers') continue;
    const layerType = path[1] ?? '';
    if (!/^[a-z]/.test(layerType) || layerType === 'input') continue;
    calls.push({ node, layerType, widthKey: WIDTH_KEYS[layerType], config: argumentsOf(node)[0] });
  }
  return calls;
}
