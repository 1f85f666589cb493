import { analyse } from '../core/analysis';
import { ShrinkError } from '../core/errors';
import { readGraph } from '../core/graph';
import type { Program } from '../core/plan';
import type { HostTensor, LayerWeights } from '../core/tensor';
import type { Topology } from '../core/topology';
import * as tf from '../engine/tf';
import { disposeModel, layersOf } from './model';
import { writeNpz } from './npz';
import { writeSafetensors } from './safetensors';
import { torchState } from './torchState';

/** The learned weights as a Python source's own library loads them, by file name. */
export interface SourceWeights {
  readonly files: Readonly<Record<string, Uint8Array | string>>;
  /** Why there are none. */
  readonly problem?: string;
}

/** Weights for Keras or PyTorch; none for a TensorFlow.js source, whose weights are the run's own. */
export async function exportSourceWeights(
  program: Program,
  topology: Topology,
  weights: LayerWeights,
): Promise<SourceWeights> {
  if (program.kind === 'slice') return { files: {} };
  const pathOf = program.pathOf ?? {};
  if (program.axes === 'channels-last')
    return {
      files: {
        'model.npz': writeNpz(await kerasWeights(topology, weights, pathOf)),
        'load.py': kerasLoader(topology, pathOf),
      },
    };
  try {
    const state = torchState(topology, weights, pathOf);
    return {
      files: { 'model.safetensors': writeSafetensors(state), 'load.py': torchLoader(program.unused ?? []) },
    };
  } catch (thrown) {
    if (thrown instanceof ShrinkError) return { files: {}, problem: thrown.message };
    throw thrown;
  }
}

/** @param pathOf of a subclassed model, whose layers have no weights before they see their input */
function kerasLoader(topology: Topology, pathOf: Readonly<Record<string, readonly string[]>>): string {
  const input = topology.config.layers.find((layer) => layer.class_name === 'InputLayer');
  const shape = input?.config['batch_input_shape'];
  const lengths = Array.isArray(shape) ? shape.map((length) => String(length ?? 1)) : [];
  const isSubclassed = Object.keys(pathOf).length > 0 && lengths.length > 0;
  return [
    '# Puts the learned weights into the model with the learned widths.',
    'import numpy as np',
    '',
    'arrays = np.load("model.npz")',
    ...(isSubclassed ? [`model(np.zeros((${lengths.join(', ')}), "float32"))`] : []),
    'model.set_weights([arrays[name] for name in arrays.files])',
    '',
  ].join('\n');
}

/** @param unused layers that the model holds and does not call: nothing was learned for them */
function torchLoader(unused: readonly string[]): string {
  const strict = unused.length === 0 ? '' : ', strict=False';
  const why =
    unused.length === 0 ? [] : [`# Not called by the model, so left as they are: ${unused.join(', ')}.`];
  return [
    '# Puts the learned weights into the model with the learned widths.',
    'from safetensors.torch import load_file',
    '',
    ...why,
    `model.load_state_dict(load_file("model.safetensors")${strict})`,
    '',
  ].join('\n');
}

/**
 * Weights in the order of Keras's `model.get_weights()`: layer by layer, trainable ones first within a layer. Layers of
 * a subclassed model come in the order of its attributes, others in the model's.
 */
export async function kerasWeights(
  topology: Topology,
  weights: LayerWeights,
  pathOf: Readonly<Record<string, readonly string[]>>,
): Promise<(HostTensor & { readonly name: string })[]> {
  const model = await tf.models.modelFromJSON({ modelTopology: topology as never });
  const order = [...new Set([...Object.keys(pathOf), ...layersOf(model).keys()])];
  disposeModel(model);
  const { facts } = analyse(readGraph(topology));
  let index = 0;
  return order.flatMap((layer) =>
    (weights[layer] ?? []).map((tensor, i) => {
      const what = facts.get(layer)?.weights[i]?.name ?? String(i);
      const number = String(index++).padStart(3, '0');
      return { ...tensor, name: `${number}_${`${layer}_${what}`.replaceAll(/[^\w.-]+/g, '_')}` };
    }),
  );
}
