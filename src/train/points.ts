import type { Point } from '../core/events';
import { sizeOfSnapshot, type Finished } from './finish';
import type { Prepared } from './prepare';
import type { Snapshot } from './snapshot';

/** A finished size as the journal tells it. */
export function pointOf(finished: Finished, prepared: Prepared): Point {
  const { snapshot, validation, test } = finished;
  const widths: Record<string, number> = {};
  for (const layer of readLayers(snapshot)) widths[layer.name] = layer.width;
  return { budget: snapshot.budget, widths, ...sizeOfSnapshot(snapshot, prepared), validation, test };
}

function readLayers(snapshot: Snapshot): { name: string; width: number }[] {
  return snapshot.graph.layers.flatMap((layer) => {
    const width = layer.config['units'] ?? layer.config['filters'] ?? layer.config['output_dim'];
    return typeof width === 'number' ? [{ name: layer.name, width }] : [];
  });
}
