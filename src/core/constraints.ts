import type { Analysis, Hub, HubLayer } from './analysis';
import { countAlive, type Alive } from './cost';

/** Limits on the widths of one layer, from its hint or from options. */
export interface WidthLimits {
  /** At least 1. */
  readonly min: number;
  /** At least `min`; Infinity where none was given. */
  readonly max: number;
  readonly multiple: number;
}

export const NO_LIMITS: WidthLimits = { min: 1, max: Number.POSITIVE_INFINITY, multiple: 1 };

export type LimitsOf = (layer: string) => WidthLimits;

/** The widest width within the limits that is not over `width`; the layer's own width when none is. */
export function allowedWidth(width: number, limits: WidthLimits): number {
  const capped = Math.min(width, limits.max);
  const rounded = Math.floor(capped / limits.multiple) * limits.multiple;
  return rounded >= Math.max(limits.min, 1) ? rounded : Math.min(width, capped);
}

/**
 * Chooses which channels really die of those that should, so that every layer keeps at least its minimum and a
 * multiple of what was asked. What is kept of the dying is always the strongest.
 *
 * @param dying candidates by class, in the order in which they should go: weakest first
 * @returns the classes that may go, a subset of `dying` in its order
 */
export function respectLimits(
  analysis: Analysis,
  alive: Alive,
  dying: readonly number[],
  limitsOf: LimitsOf,
): number[] {
  const left = Uint8Array.from(alive);
  const going: number[] = [];
  for (const c of dying) {
    const place = analysis.switchOf(c);
    if (place === undefined || left[c] !== 1 || !canLose(place.hub, left, c, limitsOf)) continue;
    left[c] = 0;
    going.push(c);
  }
  for (const hub of analysis.hubs) giveBack(hub, left, alive, going, limitsOf);
  return going;
}

function canLose(hub: Hub, left: Alive, c: number, limitsOf: LimitsOf): boolean {
  return hub.layers.every((layer) => {
    const loses = countOf(layer, c);
    if (loses === 0) return true;
    const limits = limitsOf(layer.name);
    const floor = Math.ceil(Math.max(limits.min, layer.least) / limits.multiple) * limits.multiple;
    return countAlive(layer.classes, left) - loses >= Math.min(floor, layer.classes.length);
  });
}

/** Takes back the strongest of the dying until every width of the hub is a multiple of what was asked. */
function giveBack(hub: Hub, left: Alive, before: Alive, going: number[], limitsOf: LimitsOf): void {
  const uneven = (): HubLayer | undefined =>
    hub.layers.find((layer) => {
      const { multiple } = limitsOf(layer.name);
      const count = countAlive(layer.classes, left);
      return count % multiple !== 0 && count < countAlive(layer.classes, before);
    });
  for (let layer = uneven(); layer !== undefined; layer = uneven()) {
    const classes = new Set(layer.classes);
    const strongest = going.findLastIndex((c) => classes.has(c));
    if (strongest < 0) return;
    left[going[strongest] ?? 0] = 1;
    going.splice(strongest, 1);
  }
}

function countOf(layer: HubLayer, c: number): number {
  let count = 0;
  for (const other of layer.classes) if (other === c) count += 1;
  return count;
}
