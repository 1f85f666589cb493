import type { AnalysedCall, Analysis } from '../core/analysis';
import type { Graph, GraphLayer } from '../core/graph';
import {
  latencyAxes,
  smoothGrid,
  widthsToMeasure,
  type LatencyGrid,
  type LatencyTable,
} from '../core/latency';
import { sizeOf } from '../core/tensor';
import type { Engine } from '../engine/engine';
import * as tf from '../engine/tf';
import { SwitchBank } from './filterLayer';
import { median } from './median';
import { buildModel, disposeModel, variableOf } from './model';
import { Optimizer, type OptimizerSpec } from './optimizer';
import { STEP_SCALARS } from './trunkStep';

/** Steps that are timed, after a few that are not. */
const RUNS = 7;
const WARM_UP = 3;
const SCALARS = { learningRate: 1e-3, randomSeed: 1, weightDecay: 0, lambda: 0 };

interface Piece {
  readonly analysis: Analysis;
  readonly call: AnalysedCall;
  readonly optimizer: OptimizerSpec;
  readonly batchSize: number;
}

/**
 * Times every layer by itself on an engine, in a training step (forwards, backwards, its weights moved by the run's
 * optimizer), at a few widths. Layers that are alike are timed once.
 *
 * @returns milliseconds by call and widths
 */
export async function measureLatency(
  engine: Engine,
  analysis: Analysis,
  optimizer: OptimizerSpec,
  batchSize: number,
): Promise<LatencyTable> {
  const known = new Map<string, Pick<LatencyGrid, 'widths' | 'ms'>>();
  const table: LatencyGrid[] = [];
  for (const call of analysis.calls) {
    const axes = latencyAxes(analysis, call);
    if (axes.length === 0) continue;
    const widths = axes.map((ids) => widthsToMeasure(analysis, ids));
    const piece = { analysis, call, optimizer, batchSize };
    const key = JSON.stringify([
      call.layer.className,
      { ...call.layer.config, name: undefined },
      call.inputs.map((input) => analysis.tensor(input).shape),
      call.inputs.every((input) => isGiven(analysis, input.layer)),
      widths,
    ]);
    const grid = known.get(key) ?? { widths, ms: await timeGrid(engine, piece, axes, widths) };
    known.set(key, grid);
    table.push(smoothGrid({ layer: call.layer.name, call: call.call, ...grid }));
  }
  return table;
}

async function timeGrid(
  engine: Engine,
  piece: Piece,
  axes: readonly Int32Array[],
  [rows = [], columns = [0]]: readonly (readonly number[])[],
): Promise<number[]> {
  const [read, own] = axes;
  const ms: number[] = [];
  for (const row of rows)
    for (const column of columns) {
      const reads = row / Math.max(1, read?.length ?? 1);
      ms.push(await timePiece(engine, piece, reads, own === undefined ? reads : column / own.length));
    }
  return ms;
}

/** Whether a layer is an input of the model, whose gradient nobody needs. */
function isGiven(analysis: Analysis, layer: string): boolean {
  return analysis.graph.inputs.some((input) => input.layer === layer);
}

const shareOf = (length: number, share: number): number => Math.max(1, Math.round(length * share));

/** @param reads, makes shares of the channels that the layer reads and makes */
async function timePiece(
  engine: Engine,
  { analysis, call, optimizer: spec, batchSize }: Piece,
  reads: number,
  makes: number,
): Promise<number> {
  const shapes = call.inputs.map((input, position) => {
    const { shape, axis } = analysis.tensor(input);
    // First states of a recurrent layer have its own width.
    const share = call.facts.ungated?.includes(position) === true ? makes : reads;
    return shape.map((length, i) => (i === axis ? shareOf(length ?? 1, share) : (length ?? 1))).slice(1);
  });
  const model = await buildModel(pieceOf(call, shapes, makes), {}, new SwitchBank('signed', []));
  const weights = model.trainableWeights.map(variableOf);
  const optimizer = new Optimizer(spec, weights);
  const given = call.inputs.every((input) => isGiven(analysis, input.layer));
  const batch = shapes.map((shape) => ({ shape: [batchSize, ...shape], dtype: 'float32' as const }));
  const compiled = await engine.compile(
    (inputs, scalars) => {
      const loss = (): tf.Scalar => {
        const outputs = model.apply(inputs.length === 1 ? (inputs[0] ?? []) : [...inputs], {
          training: true,
        });
        const [output] = [outputs].flat();
        return tf.mean(tf.square(output as tf.Tensor));
      };
      const wanted = [...(given ? [] : inputs), ...weights];
      if (wanted.length === 0) return [loss()];
      const { value, grads } = tf.valueAndGrads(loss)(wanted);
      optimizer.apply(grads.slice(wanted.length - weights.length), scalars['learningRate'] ?? 0);
      // Read, so that an engine does not leave them out.
      return [value, ...grads.slice(0, wanted.length - weights.length).map((gradient) => tf.sum(gradient))];
    },
    [...model.weights.map(variableOf), ...optimizer.stateVariables()],
    batch,
    STEP_SCALARS,
  );
  try {
    const data = batch.map(({ shape }) => new Float32Array(sizeOf(shape)).fill(1));
    const times: number[] = [];
    for (let run = -WARM_UP; run < RUNS; run += 1) {
      const started = performance.now();
      await compiled.run(data, SCALARS);
      if (run >= 0) times.push(performance.now() - started);
    }
    return median(times);
  } finally {
    compiled.dispose();
    optimizer.dispose();
    disposeModel(model);
  }
}

/** A model of one call alone. @param shapes of a row of each input @param makes share of the channels it makes */
function pieceOf(
  { layer, facts }: AnalysedCall,
  shapes: readonly (readonly number[])[],
  makes: number,
): Graph {
  const inputs = shapes.map((shape, i): GraphLayer => {
    const name = `input_${i}`;
    const config = { name, batch_input_shape: [null, ...shape], dtype: 'float32', sparse: false };
    return { name, className: 'InputLayer', config, calls: [[]] };
  });
  const refs = inputs.map(({ name }) => ({ layer: name, call: 0, tensor: 0 }));
  const resized = facts.resize?.((ids) => shareOf(ids.length, makes)) ?? {};
  const config = { ...layer.config, ...resized, name: 'piece' };
  return {
    name: 'piece',
    layers: [...inputs, { name: 'piece', className: layer.className, config, calls: [refs] }],
    inputs: refs,
    outputs: [{ layer: 'piece', call: 0, tensor: 0 }],
  };
}
