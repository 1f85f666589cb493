import { chmod, realpath, rename, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { askBackend } from '../client/query';
import type { BackendSettings } from '../client/spawnBackend';
import { badInput, lineAndColumn, messageOf, ShrinkError, type TextEdit } from '../core/errors';
import { compactTopology } from '../core/compact';
import type { ResultEvent } from '../core/events';
import { readGraph } from '../core/graph';
import type { Plan } from '../core/plan';
import type { Topology } from '../core/topology';
import { applyEdits, makePlan, planEdits, type LearnedWidths, type SourceReading } from '../language';
import { backendScript, readModelText } from './sources';

/** How to start the backend that checks an emission; of this process itself if left out. */
export type Starter = Pick<BackendSettings, 'nodePath' | 'env'>;

/** What is said where a source cannot be edited in place. */
export const OFFER_MODULE =
  'To have the learned architecture as a module of its own: shrinknets emit <run> --module <file>.';

/** What emitting a run would do to its source file. */
export interface Emission {
  readonly file: string;
  readonly before: string;
  readonly after: string;
  readonly edits: readonly TextEdit[];
}

/** Learned widths by site; layers of one site that learned different widths are a conflict. */
export function learnedBySite(result: ResultEvent): LearnedWidths {
  const bySite = new Map<number, number[]>();
  for (const layer of result.layers)
    if (layer.siteId !== null) bySite.set(layer.siteId, [...(bySite.get(layer.siteId) ?? []), layer.after]);
  return Object.fromEntries(
    [...bySite].map(([site, widths]) => [
      site,
      new Set(widths).size === 1 ? (widths[0] ?? 0) : { conflict: [...new Set(widths)] },
    ]),
  );
}

/**
 * Plans the edits of a source that was not changed where it matters since training, and checks that the edited source
 * makes exactly the compact topology.
 *
 * @param compact the learned topology
 * @throws ShrinkError `source-changed`, `edit-refused` or `read-back`, saying what and where
 */
export async function planEmission(
  reading: SourceReading,
  plan: Plan,
  result: ResultEvent,
  compact: Topology,
  starter: Starter = {},
): Promise<Emission> {
  checkUnchanged(reading, plan, result);
  const { edits, problems } = planEdits(reading, plan.model, learnedBySite(result));
  const [problem] = problems;
  if (problem !== undefined) {
    const { line, column } = lineAndColumn(reading.text, problem.range.start);
    throw badInput('edit-refused', `${reading.file}:${line}:${column}: ${problem.message} ${OFFER_MODULE}`);
  }
  const after = applyEdits(reading.text, edits);
  await checkReadsBack(reading.file, after, plan, compact, starter);
  return { file: reading.file, before: reading.text, after, edits };
}

/** Every site must still be the layer it was, with the width from before training or the learned one. */
function checkUnchanged(reading: SourceReading, plan: Plan, result: ResultEvent): void {
  const now = makePlan(reading, plan.model).sites;
  const learned = new Map(result.layers.map((layer) => [layer.siteId, layer.after]));
  plan.sites.forEach((site, id) => {
    const present = now[id];
    const known = present?.width === site.width || present?.width === learned.get(id);
    if (present?.layerType !== site.layerType || !known)
      throw badInput(
        'source-changed',
        `${site.file}:${site.line}:${site.column}: the ${site.layerType} layer here changed since the run; train again.`,
      );
  });
  if (now.length !== plan.sites.length)
    throw badInput(
      'source-changed',
      `${reading.file}: ${plan.model} has ${now.length} layers now and had ${plan.sites.length} when it was trained; train again.`,
    );
}

/** Python is compared as it is read; TensorFlow.js source has to be run. */
async function checkReadsBack(
  file: string,
  text: string,
  trained: Plan,
  compact: Topology,
  starter: Starter,
): Promise<void> {
  const plan = makePlan(await readModelText(file, text), trained.model);
  const { wanted, found } =
    trained.program.kind === 'topology' && plan.program.kind === 'topology'
      ? {
          wanted: compactTopology(trained.program.topology, readGraph(compact)),
          found: plan.program.topology,
        }
      : { wanted: compact, found: await evaluate(plan, starter) };
  if (shapeOf(wanted) !== shapeOf(found))
    throw new ShrinkError(
      'bad-input',
      'read-back',
      `${file}: the edited source would not make the learned model; nothing was written. ${OFFER_MODULE}`,
    );
}

async function evaluate(plan: Plan, starter: Starter): Promise<Topology> {
  const query = { kind: 'evaluate', plan } as const;
  return (await askBackend(query, { ...starter, backendScript: backendScript() })).topology;
}

/** Layers and their sizes; names count only by their order, since TensorFlow.js numbers them. */
function shapeOf(topology: Topology): string {
  const { layers } = readGraph(topology);
  const order = new Map(layers.map((layer, i) => [layer.name, i]));
  return JSON.stringify(
    layers.map((layer) => {
      const { name: _name, ...config } = layer.config;
      return [
        layer.className,
        config,
        layer.calls.map((call) => call.map((ref) => [order.get(ref.layer), ref.call, ref.tensor])),
      ];
    }),
  );
}

/**
 * Replaces a file in one step: its content is the old or the new one at every moment, with the permissions it had.
 *
 * @throws ShrinkError `file-unwritable`
 */
export async function replaceFile(file: string, after: string): Promise<void> {
  try {
    const real = await realpath(file);
    const { mode } = await stat(real);
    const temporary = path.join(path.dirname(real), `.${path.basename(real)}.shrinknets-${process.pid}`);
    await writeFile(temporary, after, { flag: 'wx' });
    await chmod(temporary, mode);
    await rename(temporary, real);
  } catch (thrown) {
    throw badInput('file-unwritable', `${file} cannot be written: ${messageOf(thrown)}.`, thrown);
  }
}
