import type { Analysis, Hub, HubLayer } from './analysis';
import { allAlive, countAlive, type Alive } from './cost';
import { badInput, type ShrinkError } from './errors';

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

/** The limits of a layer, with what the graph needs; a layer that begins with less has what it needs. */
function limitsFor({ name, classes, least }: HubLayer, limitsOf: LimitsOf): WidthLimits {
  const limits = limitsOf(name);
  return { ...limits, min: Math.max(limits.min, Math.min(least, classes.length)) };
}

/** The widest width within the limits that is not over `width`; undefined where there is none. */
export function allowedWidth(width: number, { min, max, multiple }: WidthLimits): number | undefined {
  const rounded = Math.floor(Math.min(width, max) / multiple) * multiple;
  return rounded >= Math.max(min, 1) ? rounded : undefined;
}

/**
 * What is left when every layer begins within its limits; the last channels go. Layers that are joined come down
 * until all of them are satisfied.
 *
 * @throws ShrinkError `no-width` where no width satisfies a hub's layers
 */
export function startWithin(analysis: Analysis, limitsOf: LimitsOf): Alive {
  const alive = allAlive(analysis);
  for (const hub of analysis.hubs) {
    if (hub.fixed !== undefined) continue;
    const wrong = (): HubLayer | undefined =>
      hub.layers.find((layer) => {
        const width = countAlive(layer.classes, alive);
        return allowedWidth(width, limitsFor(layer, limitsOf)) !== width;
      });
    for (let layer = wrong(); layer !== undefined; layer = wrong()) {
      const wanted = allowedWidth(countAlive(layer.classes, alive), limitsFor(layer, limitsOf));
      if (wanted === undefined) throw noWidth(hub, limitsOf);
      for (let i = layer.classes.length - 1; countAlive(layer.classes, alive) > wanted; i -= 1)
        alive[layer.classes[i] ?? 0] = 0;
    }
  }
  return alive;
}

function noWidth(hub: Hub, limitsOf: LimitsOf): ShrinkError {
  const layers = hub.layers.map(({ name, classes }) => {
    const limits = limitsOf(name);
    const said = (['min', 'max', 'multiple'] as const)
      .filter((key) => limits[key] !== NO_LIMITS[key])
      .map((key) => `, ${key}=${limits[key]}`);
    return `${name} (${classes.length} channels${said.join('')})`;
  });
  return badInput(
    'no-width',
    layers.length === 1
      ? `No width fits ${layers.join('')}; change its @shrink hint.`
      : `No width fits ${layers.join(' and ')} together, which are joined and lose the same channels; change their @shrink hints.`,
  );
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
  const going = new Set(legalSteps(analysis, alive, dying, limitsOf).flat());
  return dying.filter((c) => going.has(c));
}

/**
 * What may go, in the smallest parts that leave every layer within its limits: one channel, or as many as the
 * multiples of the layers that share it ask for. A later step counts on the earlier ones of its layers.
 *
 * @param dying candidates by class, weakest first
 * @returns steps in the order in which they are complete; candidates that complete none are absent
 */
export function legalSteps(
  analysis: Analysis,
  alive: Alive,
  dying: readonly number[],
  limitsOf: LimitsOf,
): number[][] {
  return [...stepsOf(analysis, alive, dying, limitsOf)];
}

function* stepsOf(
  analysis: Analysis,
  alive: Alive,
  dying: readonly number[],
  limitsOf: LimitsOf,
): Generator<number[]> {
  const rooms = new Map<Hub, Room>();
  const seen = new Set<number>();
  for (const c of dying) {
    const hub = analysis.switchOf(c)?.hub;
    if (hub === undefined || alive[c] !== 1 || seen.has(c)) continue;
    seen.add(c);
    const room = rooms.get(hub) ?? roomOf(hub, alive, limitsOf);
    rooms.set(hub, room);
    const step = offer(room, c);
    if (step !== undefined) yield step;
  }
}

/** Living classes that cannot go as things are, whatever else goes: limits keep them. */
export function classesThatStay(analysis: Analysis, alive: Alive, limitsOf: LimitsOf): Set<number> {
  const staying = new Set<number>();
  for (const hub of analysis.hubs) {
    const living = [...hub.classes].filter((c) => alive[c] === 1);
    const alike = alikeIn(hub);
    const kinds = new Set(living.map((c) => alike.get(c))).size;
    const free = new Set<Losses | undefined>();
    for (const step of stepsOf(analysis, alive, living, limitsOf)) {
      for (const c of step) free.add(alike.get(c));
      // Mostly the first step says it all.
      if (free.size === kinds) break;
    }
    for (const c of living) if (!free.has(alike.get(c))) staying.add(c);
  }
  return staying;
}

/** Whether channels of a hub go several at a time. */
export function goesInGroups(hub: Hub, limitsOf: LimitsOf): boolean {
  return hub.classes.length > 0 && hub.layers.some(({ name }) => limitsOf(name).multiple > 1);
}

/** How many channels each layer of a hub loses with one class; the same object for all classes that are alike. */
type Losses = readonly number[];

const known = new WeakMap<Hub, ReadonlyMap<number, Losses>>();

function alikeIn(hub: Hub): ReadonlyMap<number, Losses> {
  const before = known.get(hub);
  if (before !== undefined) return before;
  const losses = new Map<number, number[]>();
  hub.layers.forEach(({ classes }, i) => {
    for (const c of classes) {
      const ofClass = losses.get(c) ?? hub.layers.map(() => 0);
      losses.set(c, ofClass);
      ofClass[i] = (ofClass[i] ?? 0) + 1;
    }
  });
  const shared = new Map<string, Losses>();
  const alike = new Map<number, Losses>();
  for (const [c, ofClass] of losses) {
    const key = ofClass.join();
    const same = shared.get(key) ?? ofClass;
    shared.set(key, same);
    alike.set(c, same);
  }
  known.set(hub, alike);
  return alike;
}

/** What the layers of one hub can still lose, and who waits for others to go with. */
interface Room {
  readonly alike: ReadonlyMap<number, Losses>;
  readonly limits: readonly WidthLimits[];
  /** Width of each layer without what has gone. */
  readonly widths: number[];
  readonly waiting: Map<Losses, number[]>;
}

function roomOf(hub: Hub, alive: Alive, limitsOf: LimitsOf): Room {
  return {
    alike: alikeIn(hub),
    limits: hub.layers.map((layer) => limitsFor(layer, limitsOf)),
    widths: hub.layers.map(({ classes }) => countAlive(classes, alive)),
    waiting: new Map(),
  };
}

/** @returns the classes that go now that this one should as well, if they may */
function offer(room: Room, c: number): number[] | undefined {
  const { alike, waiting } = room;
  const losses = alike.get(c) ?? [];
  const same = waiting.get(losses) ?? [];
  waiting.set(losses, same);
  same.push(c);
  if (lose(room, [[losses, same]])) return same;
  // Layers of other channels may share a layer with these, as where two are concatenated: together they may be even.
  const all = [...waiting];
  return all.length > 1 && lose(room, all) ? all.flatMap(([, classes]) => classes) : undefined;
}

/** Lets classes go if every layer that loses channels stays within its limits. */
function lose(room: Room, parts: readonly (readonly [Losses, readonly number[]])[]): boolean {
  const { limits, widths, waiting } = room;
  const left = widths.map((width, i) =>
    parts.reduce((rest, [losses, classes]) => rest - (losses[i] ?? 0) * classes.length, width),
  );
  const legal = left.every((width, i) => {
    const { min, multiple } = limits[i] ?? NO_LIMITS;
    return width === widths[i] || (width >= Math.max(1, min) && width % multiple === 0);
  });
  if (!legal) return false;
  left.forEach((width, i) => (widths[i] = width));
  for (const [losses] of parts) waiting.delete(losses);
  return true;
}
