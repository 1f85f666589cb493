import { analyse, type Analysis } from '../../src/core/analysis';
import { NO_LIMITS, type LimitsOf, type WidthLimits } from '../../src/core/constraints';
import { countAlive, type Alive } from '../../src/core/cost';
import { readGraph } from '../../src/core/graph';
import type { Topology } from '../../src/core/topology';

/** Small graphs whose layers share channels in different ways, for tests of limits. */

export type Layer = readonly [className: string, name: string, inputs: readonly string[], units?: number];

/** A network of layers by name, from 5 inputs `x` to 2 outputs behind the last of them. */
export function analysisOf(layers: readonly Layer[]): Analysis {
  const last = layers.at(-1)?.[1] ?? 'x';
  const made = [...layers, ['Dense', 'out', [last], 2] as const].map(([class_name, name, inputs, units]) => ({
    class_name,
    name,
    config: { name, trainable: true, ...(units === undefined ? {} : { units, use_bias: true }) },
    inbound_nodes: [inputs.map((input) => [input, 0, 0, {}])],
  }));
  const input = { class_name: 'InputLayer', name: 'x', config: { name: 'x', batch_input_shape: [null, 5] } };
  const config = {
    name: 'm',
    layers: [{ ...input, inbound_nodes: [] }, ...made],
    input_layers: [['x', 0, 0]],
    output_layers: [['out', 0, 0]],
  };
  return analyse(readGraph({ class_name: 'Model', config } as unknown as Topology));
}

/** a and b behind each other. */
export const chain = (a: number, b: number): Analysis =>
  analysisOf([
    ['Dense', 'a', ['x'], a],
    ['Dense', 'b', ['a'], b],
  ]);
/** a and b in a sum, and c behind it. */
export const sum = (width: number, c: number): Analysis =>
  analysisOf([
    ['Dense', 'a', ['x'], width],
    ['Dense', 'b', ['x'], width],
    ['Add', 'sum', ['a', 'b']],
    ['Dense', 'c', ['sum'], c],
  ]);
/** b is added to a and c side by side: it shares some channels with either. */
export const spliced = (a: number, c: number): Analysis =>
  analysisOf([
    ['Dense', 'a', ['x'], a],
    ['Dense', 'c', ['x'], c],
    ['Concatenate', 'side', ['a', 'c']],
    ['Dense', 'b', ['x'], a + c],
    ['Add', 'sum', ['side', 'b']],
  ]);

export const limited =
  (limits: Readonly<Record<string, Partial<WidthLimits>>>): LimitsOf =>
  (layer) => ({ ...NO_LIMITS, ...limits[layer] });

export const layersOf = (analysis: Analysis) => analysis.hubs.flatMap(({ layers }) => layers);
export const widthsOf = (analysis: Analysis, alive: Alive): Record<string, number> =>
  Object.fromEntries(layersOf(analysis).map(({ name, classes }) => [name, countAlive(classes, alive)]));
