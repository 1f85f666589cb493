import { analyse, type Sizing } from '../../src/core/analysis';
import { readGraph, type Graph } from '../../src/core/graph';
import { normalSamples, seededRandom } from '../../src/core/random';
import { splitActivations } from '../../src/core/split';
import type { Engine } from '../../src/engine/engine';
import * as tf from '../../src/engine/tf';
import { labelsFor, type LossName } from '../../src/core/losses';
import type { Head } from '../../src/train/head';
import { readWeights, topologyOf } from '../../src/train/model';
import { Network } from '../../src/train/network';
import { Optimizer, type OptimizerName } from '../../src/train/optimizer';
import { disposeControls, makeControls } from '../../src/train/switchControls';
import { drawSwitches, type SwitchMode } from '../../src/train/switchModes';
import { compileTraining } from '../../src/train/trunkStep';

/** Small networks with Filters, ready to take steps, for tests of what a step does. */

export const EVERYTHING: Sizing = { off: new Set() };

export const OPTIMIZERS: readonly OptimizerName[] = [
  'sgd',
  'momentum',
  'nesterov',
  'adagrad',
  'adadelta',
  'adam',
  'adamax',
  'rmsprop',
];

/** A filtered network of a model, which is disposed. */
export async function filtered(
  model: tf.LayersModel,
  mode: SwitchMode,
  switches?: Readonly<Record<string, Float32Array>>,
): Promise<Network> {
  const topology = topologyOf(model);
  const weights = await readWeights(model);
  model.dispose();
  const graph = splitActivations(readGraph(topology));
  const drawn = switches ?? drawSwitches(mode, analyse(graph, EVERYTHING), 7);
  return Network.create(graph, weights, EVERYTHING, drawn, mode.form);
}

/** A network with its controls and optimizer, one batch, and a step over it. */
export async function stepper(
  engine: Engine,
  network: Network,
  mode: SwitchMode,
  optimizer: { readonly name: OptimizerName; readonly learningRate: number },
  options: { readonly decayPower?: 1 | 2; readonly rows?: number; readonly inputs: number; outputs: number },
) {
  const rows = options.rows ?? 8;
  const random = seededRandom(3);
  const x = normalSamples(rows * options.inputs, random);
  const y = normalSamples(rows * options.outputs, random);
  const controls = await makeControls(network, mode);
  const opt = new Optimizer({ ...optimizer, settings: {} }, network.optimizedVariables(mode.optimized));
  const head = headOf(network.graph, 'meanSquaredError', [options.outputs]);
  const { decayPower } = options;
  const step = await compileTraining(
    engine,
    network,
    head,
    opt,
    { mode, controls, ...(decayPower === undefined ? {} : { decayPower }) },
    [
      { shape: [rows, options.inputs], dtype: 'float32' },
      { shape: [rows, options.outputs], dtype: 'float32' },
    ],
  );
  return {
    controls,
    head,
    x,
    y,
    run: async (scalars: { lambda?: number; weightDecay?: number; seed?: number } = {}): Promise<number> => {
      const [loss] = await step.run([x, y], {
        learningRate: optimizer.learningRate,
        randomSeed: scalars.seed ?? 1,
        weightDecay: scalars.weightDecay ?? 0,
        lambda: scalars.lambda ?? 1,
      });
      return loss?.[0] ?? Number.NaN;
    },
    dispose: (): void => {
      step.dispose();
      opt.dispose();
      disposeControls(controls);
      network.dispose();
    },
  };
}

/** A head of outputs of these widths, all with one loss; logits where it has any. */
export function headOf(graph: Graph, loss: LossName, widths: readonly number[]): Head {
  const classifies = labelsFor(loss) !== 'numbers';
  const outputs = widths.map((width, i) => ({
    name: `out${i}`,
    loss,
    fromLogits: classifies,
    width,
    classifies,
    metrics: [],
  }));
  return { graph, outputs };
}

/** `inputs` → `width` (relu) → `outputs`, with weights from a seed. */
export function denseModel(inputs: number, width: number, outputs: number, seed = 1): tf.LayersModel {
  const model = tf.sequential();
  model.add(tf.layers.dense({ inputShape: [inputs], units: width, activation: 'relu', name: 'hidden' }));
  model.add(tf.layers.dense({ units: outputs, name: 'out' }));
  const random = seededRandom(seed);
  for (const layer of model.layers)
    tf.tidy(() =>
      layer.setWeights(
        layer.getWeights().map((w) => tf.tensor(normalSamples(w.size, random), w.shape).mul(0.5)),
      ),
    );
  return model;
}
