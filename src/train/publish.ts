import { choosePoint } from '../core/choosePoint';
import { compactTopology } from '../core/compact';
import { describeData, explainData, type DataDescription } from '../data/describeData';
import { ShrinkError } from '../core/errors';
import type { ResultEvent, SiteAt } from '../core/events';
import type { RunContext } from '../core/job';
import type { SessionState } from './checkpoint';
import { exportModel } from './export';
import { sizeOfSnapshot } from './finish';
import { timeInference } from './inference';
import { sizeOfNetwork } from './network';
import type { SessionInputs } from './prepare';
import { exportSourceWeights } from './sourceWeights';
import { pointOf } from './points';

/** Chooses the size to emit, writes its weights, and says what was learned. */
export async function publishResult(
  context: RunContext,
  inputs: SessionInputs,
  state: SessionState,
  elapsedMs: number,
): Promise<void> {
  const { prepared, authored, engine } = inputs;
  const { options } = context;
  const baselineRun = state.finished.find((done) => done.snapshot.kind === 'start');
  const sized = state.finished
    .filter((done) => done.snapshot.kind === 'budget')
    .sort((a, b) => b.snapshot.budget - a.snapshot.budget);
  const points = sized.map((done) => pointOf(done, prepared));
  const baseline = baselineRun === undefined ? undefined : pointOf(baselineRun, prepared);
  const chosen = choosePoint(points, baseline?.validation, options.maxDrop);
  const winner = sized[chosen];
  const point = points[chosen];
  if (winner === undefined || point === undefined)
    throw new ShrinkError('training', 'nothing-finished', 'No size was reached; train for more epochs.');

  const topology = compactTopology(authored.topology, winner.snapshot.graph);
  for (const [name, content] of Object.entries(await exportModel(topology, winner.snapshot.weights)))
    await context.writeFile(`weights/${name}`, content);
  const source = await exportSourceWeights(context.plan.program, topology, winner.snapshot.weights);
  for (const [name, content] of Object.entries(source.files))
    await context.writeFile(`weights/${name}`, content);
  if (source.problem !== undefined)
    context.emit({ type: 'warning', code: 'source-weights', message: source.problem });

  const start = {
    kind: 'start',
    budget: 0,
    step: 0,
    graph: prepared.graph,
    weights: prepared.weights,
  } as const;
  const before = baselineRun?.snapshot ?? start;
  const inferenceMs = await timeInference(
    engine,
    prepared,
    prepared.dataset.test,
    options.batchSize,
    before,
    winner.snapshot,
  );
  const startSize = sizeOfNetwork(prepared.analysis);
  const endSize = sizeOfSnapshot(winner.snapshot, prepared);
  const result: ResultEvent = {
    type: 'result',
    run: context.run,
    model: context.plan.model,
    layers: prepared.layers.map((layer) => ({
      name: layer.name,
      site: siteAt(context, layer.site),
      siteId: layer.site ?? null,
      before: layer.width,
      after: point.widths[layer.name] ?? layer.width,
    })),
    params: { before: startSize.params, after: endSize.params },
    macs: { before: startSize.macs, after: endSize.macs },
    metrics: { test: point.test, validation: point.validation },
    ...(baseline === undefined ? {} : { baseline }),
    points,
    chosen,
    timings: { totalMs: elapsedMs, trunkMs: state.trunkMs, finishMs: state.finishMs, inferenceMs },
    outputDifference: state.largestDifference,
    engine: engine.name,
  };
  const description = describeData(prepared.dataset);
  await context.writeFile('weights/data.json', `${JSON.stringify(description, null, 1)}\n`);
  await context.writeFile(
    'weights/README.md',
    weightsReadme(context.plan, Object.keys(source.files), description),
  );
  await context.writeFile('weights/topology.json', `${JSON.stringify(topology, null, 1)}\n`);
  context.emit(result);
}

/** What lies in the folder of the weights, and how the network is used. */
function weightsReadme(
  { model, program }: RunContext['plan'],
  files: readonly string[],
  description: DataDescription,
): string {
  const loading = files.includes('load.py')
    ? 'Put the learned widths into the source (`shrinknets emit last --write`), then load the weights as `load.py` does.'
    : program.kind === 'slice'
      ? 'Load it with `tf.loadLayersModel` from `model.json`.'
      : 'The weights are those of `model.json`, in the format of TensorFlow.js.';
  return [`# The learned ${model}`, '', loading, '', ...explainData(description), ''].join('\n');
}

function siteAt(context: RunContext, id: number | undefined): SiteAt | null {
  const site = id === undefined ? undefined : context.plan.sites[id];
  return site === undefined ? null : { file: site.file, line: site.line, column: site.column };
}
