import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { badInput } from '../core/errors';
import type { Point, ResultEvent } from '../core/events';
import type { Plan } from '../core/plan';
import { cloneTopology, isModel, nameOf, type NestedLayer, type Topology } from '../core/topology';
import { planEdits, type SourceReading } from '../language';
import { resolveInside, RUN_FILES } from '../run/paths';
import { parseJournalEvent } from '../run/eventSchema';
import { changesOf } from './changesOf';
import { emissionOfEdits, learnedBySite, type Emission } from './emission';

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

/**
 * Plans the edits that put the widths from before training back, wherever the learned ones stand now.
 *
 * @throws ShrinkError `nothing-to-revert` or `edit-refused`
 */
export function planRevert(reading: SourceReading, plan: Plan, result: ResultEvent): Emission {
  const model = reading.models.find((candidate) => candidate.name === plan.model);
  if (model?.sites.length !== plan.sites.length)
    throw badInput(
      'source-changed',
      `${plan.file}: the layers of ${plan.model} changed since the run; undo the changes or edit the widths by hand.`,
    );
  const learned = learnedBySite(result);
  const before: Record<number, number> = {};
  for (const site of plan.sites) {
    const now = model.sites[site.id]?.width;
    if (site.width === undefined || now === undefined) continue;
    before[site.id] = now === learned[site.id] ? site.width : now;
  }
  const emission = emissionOfEdits(reading, planEdits(reading, plan.model, before), '');
  if (changesOf(emission).length === 0)
    throw badInput('nothing-to-revert', `${plan.file} does not have the widths that this run learned.`);
  return emission;
}
