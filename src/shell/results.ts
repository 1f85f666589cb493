import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { badInput } from '../core/errors';
import type { Point, ResultEvent } from '../core/events';
import { cloneTopology, isModel, nameOf, type NestedLayer, type Topology } from '../core/topology';
import type { LearnedWidths } from '../language';
import { resolveInside, RUN_FILES } from '../run/paths';
import { parseJournalEvent } from '../run/eventSchema';

/** What a finished run left on disk, and other sizes of its path. */

/** @throws ShrinkError `run-unfinished` */
export async function readRunResult(folder: string): Promise<ResultEvent> {
  const id = path.basename(folder);
  let text: string;
  try {
    text = await readFile(path.join(folder, RUN_FILES.result), 'utf8');
  } catch (thrown) {
    throw badInput('run-unfinished', `${id} has no result yet: let it finish, or resume it.`, thrown);
  }
  // result.json is the event without its place in the journal.
  const event = parseJournalEvent({ seq: 0, at: 0, ...(JSON.parse(text) as object) });
  if (event?.type !== 'result')
    throw badInput('run-damaged', `The result of ${id} cannot be understood; train again.`);
  return event;
}

/** The learned topology of a finished run. @throws ShrinkError `run-unfinished` */
export async function readCompactTopology(folder: string): Promise<Topology> {
  const file = resolveInside(folder, `${RUN_FILES.weights}/topology.json`);
  try {
    return JSON.parse(await readFile(file, 'utf8')) as Topology;
  } catch (thrown) {
    throw badInput('run-unfinished', `${file} cannot be read; let the run finish.`, thrown);
  }
}

/** The result as it would be had another size of the path been chosen. */
export function resultAt(result: ResultEvent, index: number): ResultEvent {
  const point = result.points[index];
  if (point === undefined) throw badInput('no-such-size', `The run has no size number ${index + 1}.`);
  return {
    ...result,
    chosen: index,
    layers: result.layers.map((layer) => ({ ...layer, after: point.widths[layer.name] ?? layer.after })),
    params: { ...result.params, after: point.params },
    macs: { ...result.macs, after: point.macs },
    metrics: { test: point.test, validation: point.validation },
  };
}

const WIDTH_KEYS = ['units', 'filters', 'output_dim'] as const;

/** A topology with the widths of a size of the path. @param compact the topology of another size */
export function topologyAt(compact: Topology, point: Point): Topology {
  const topology = cloneTopology(compact);
  const visit = (model: NestedLayer, prefix: string): void => {
    const config = model.config as { layers?: NestedLayer[] } | NestedLayer[];
    for (const layer of Array.isArray(config) ? config : (config.layers ?? [])) {
      const name = prefix + nameOf(layer);
      const width = point.widths[name];
      if (isModel(layer.class_name)) visit(layer, `${name}/`);
      else if (width !== undefined)
        for (const key of WIDTH_KEYS) if (key in layer.config) layer.config[key] = width;
    }
  };
  visit(topology, '');
  return topology;
}

/** Learned widths by site; layers of one site that learned different widths are a conflict. What kept its width is left out. */
export function learnedBySite(result: ResultEvent): LearnedWidths {
  const bySite = new Map<number, { widths: Set<number>; changed: boolean }>();
  for (const { siteId, before, after } of result.layers) {
    if (siteId === null) continue;
    const known = bySite.get(siteId) ?? { widths: new Set(), changed: false };
    known.widths.add(after);
    bySite.set(siteId, { ...known, changed: known.changed || before !== after });
  }
  return Object.fromEntries(
    [...bySite].flatMap(([site, { widths, changed }]) => {
      const [first = 0] = widths;
      return changed ? [[site, widths.size === 1 ? first : { conflict: [...widths] }] as const] : [];
    }),
  );
}

/** Every size of a run's path as the result would be with it, the chosen one first. */
export function allSizes(result: ResultEvent): ResultEvent[] {
  const others = result.points.map((_, index) => index).filter((index) => index !== result.chosen);
  return [result, ...others.map((index) => resultAt(result, index))];
}

/** Whether widths by site are the learned ones: all that changed, and at least one. */
export function hasWidths(now: readonly { readonly width?: number }[], learned: LearnedWidths): boolean {
  const wanted = Object.entries(learned);
  return wanted.length > 0 && wanted.every(([site, width]) => now[Number(site)]?.width === width);
}
