import type { Analysis } from './analysis';
import type { FilterPlace } from './filters';
import { sizeOf, type HostTensor, type LayerWeights } from './tensor';

/**
 * Multiplies every Filter into its neighbour ("preparing for inference", PAPER.md §4): the output stays the same and
 * the Filters can go.
 *
 * @param switches β of every hub, in the order of `hub.classes`
 * @returns new weights of the graph without Filters
 */
export function foldSwitches(
  analysis: Analysis,
  places: readonly FilterPlace[],
  weights: LayerWeights,
  switches: Readonly<Record<string, Float32Array>>,
): LayerWeights {
  const result: LayerWeights = Object.fromEntries(
    Object.entries(weights).map(([layer, tensors]) => [layer, [...tensors]]),
  );
  const factor = (id: number): number => {
    const place = analysis.switchOf(analysis.classOf(id));
    return place === undefined ? 1 : (switches[place.hub.name]?.[place.index] ?? 1);
  };
  const scale = (layer: string, side: 'out' | 'in' | 'internal'): void => {
    analysis.facts.get(layer)?.weights.forEach((weight, index) => {
      const axis = weight[side];
      const ids = axis === undefined ? null : weight.axes[axis];
      const tensor = result[layer]?.[index];
      if (axis === undefined || ids === null || ids === undefined || tensor === undefined) return;
      (result[layer] ?? [])[index] = scaleAxis(tensor, axis, Float32Array.from(ids, factor));
    });
  };
  // A shared layer has a Filter a call, but one set of weights.
  const done = new Set<string>();
  const once = (layer: string, side: 'out' | 'in'): void => {
    if (done.has(`${side}:${layer}`)) return;
    done.add(`${side}:${layer}`);
    scale(layer, side);
  };
  for (const place of places)
    if (place.side === 'out') once(place.ref.layer, 'out');
    else for (const reader of place.readers) once(reader.layer, 'in');
  // Where a layer reads its own channels, their switches scale the weight.
  for (const layer of analysis.facts.keys()) scale(layer, 'internal');
  return result;
}

/** `out[..., i, ...] = tensor[..., i, ...] · factors[i]` along one axis. */
function scaleAxis(tensor: HostTensor, axis: number, factors: Float32Array): HostTensor {
  const inner = sizeOf(tensor.shape.slice(axis + 1));
  const length = tensor.shape[axis] ?? 1;
  const data = tensor.data.map((value, i) => value * (factors[Math.floor(i / inner) % length] ?? 1));
  return { shape: tensor.shape, data };
}
