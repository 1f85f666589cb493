import { chmod, realpath, rename, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { askBackend } from '../client/query';
import type { BackendSettings } from '../client/spawnBackend';
import { badInput, messageOf, ShrinkError, type TextEdit } from '../core/errors';
import { compactTopology } from '../core/compact';
import type { ResultEvent } from '../core/events';
import { readGraph } from '../core/graph';
import type { Plan } from '../core/plan';
import type { Topology } from '../core/topology';
import {
  applyEdits,
  makePlan,
  planEdits,
  showProblem,
  type FileEdits,
  type PlannedEdits,
  type SourceReading,
} from '../language';
import { changesOf } from './changesOf';
import { editsOfNotebook } from './notebooks';
import { backendScript } from './programs';
import { learnedBySite } from './results';
import { fileTextOf, readAnew } from './sources';

/** How to start the backend that checks an emission; of this process itself if left out. */
export type Starter = Pick<BackendSettings, 'nodePath' | 'env'>;

/** What is said where a source cannot be edited in place. */
export const OFFER_MODULE =
  'To have the learned architecture as a module of its own: shrinknets emit <run> --module <file>.';

/** What would become of one file. */
export interface FileChange {
  readonly file: string;
  readonly before: string;
  readonly after: string;
  readonly edits: readonly TextEdit[];
}

/** What emitting a run would do to its source file, and to those that it imports. */
export interface Emission extends FileChange {
  /** Other files that change. */
  readonly others: readonly FileChange[];
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
  const emission = emissionOfEdits(
    reading,
    planEdits(reading, plan.model, learnedBySite(result)),
    OFFER_MODULE,
  );
  await checkReadsBack(reading, emission, plan, compact, starter);
  return emission;
}

/**
 * What edits would do.
 *
 * @param advice what else can be done where they are refused
 * @throws ShrinkError `edit-refused`
 */
export function emissionOfEdits(reading: SourceReading, planned: PlannedEdits, advice: string): Emission {
  const [problem] = planned.problems;
  if (problem !== undefined)
    throw badInput('edit-refused', `${showProblem(reading, problem)} ${advice}`.trimEnd());
  const { file, text } = reading;
  const change = (entry: FileEdits): FileChange => ({
    file: entry.file,
    before: entry.text,
    after: applyEdits(entry.text, entry.edits),
    edits: entry.edits,
  });
  const whole = fileTextOf(reading);
  const edits = whole === text ? planned.edits : editsOfNotebook(file, whole, planned.edits);
  return { ...change({ file, text: whole, edits }), others: planned.elsewhere.map(change) };
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
  reading: SourceReading,
  { file, after, others }: Emission,
  trained: Plan,
  compact: Topology,
  starter: Starter,
): Promise<void> {
  const changed = new Map(others.map((change) => [change.file, change.after]));
  const edited = await readAnew(reading, after, (path) => changed.get(path));
  const plan = makePlan(edited, trained.model);
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
 * Writes the files of an emission: each is the old or the new one at every moment, with the permissions it had. Where
 * one cannot be written, those before it are put back.
 *
 * @throws ShrinkError `file-unwritable`
 */
export async function writeEmission(emission: Emission): Promise<void> {
  const written: FileChange[] = [];
  for (const change of changesOf(emission)) {
    try {
      await replaceFile(change.file, change.after);
    } catch (thrown) {
      for (const { file, before } of written) await replaceFile(file, before);
      throw thrown;
    }
    written.push(change);
  }
}

/**
 * Replaces a file in one step: its content is the old or the new one at every moment, with the permissions it had.
 *
 * @throws ShrinkError `file-unwritable`
 */
async function replaceFile(file: string, after: string): Promise<void> {
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
