import type { HostTensor, LayerWeights } from '../core/tensor';
import type { Slots } from './optimizer';

/** Putting nested sets of tensors into the flat, named set that a checkpoint stores, and back. */

export type Flat = Record<string, HostTensor>;

/** Parts of a name; layer names may hold slashes, so that another sign parts them. */
const SEPARATOR = '|';

export function packWeights(into: Flat, prefix: string, weights: LayerWeights | Slots): void {
  for (const [layer, tensors] of Object.entries(weights))
    tensors.forEach((tensor, index) => {
      into[[prefix, layer, index].join(SEPARATOR)] = tensor;
    });
}

export function unpackWeights(from: Readonly<Flat>, prefix: string): LayerWeights {
  const weights: LayerWeights = {};
  for (const [name, tensor] of Object.entries(from)) {
    const [head, layer, index] = name.split(SEPARATOR);
    if (head === prefix && layer !== undefined) (weights[layer] ??= [])[Number(index)] = tensor;
  }
  return weights;
}

export function packVectors(
  into: Flat,
  prefix: string,
  vectors: Readonly<Record<string, Float32Array>>,
): void {
  for (const [name, data] of Object.entries(vectors))
    into[[prefix, name].join(SEPARATOR)] = { shape: [data.length], data };
}

export function unpackVectors(from: Readonly<Flat>, prefix: string): Record<string, Float32Array> {
  const vectors: Record<string, Float32Array> = {};
  for (const [name, tensor] of Object.entries(from)) {
    const [head, key] = name.split(SEPARATOR);
    if (head === prefix && key !== undefined) vectors[key] = tensor.data;
  }
  return vectors;
}
