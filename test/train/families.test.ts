import { beforeAll, describe, expect, it } from 'vitest';
import { analyse } from '../../src/core/analysis';
import { readGraph } from '../../src/core/graph';
import { listRuledClasses } from '../../src/core/rules/table';
import type { Engine } from '../../src/engine/engine';
import { findEngine } from '../../src/engine/registry';
import * as tf from '../../src/engine/tf';
import { topologyOf } from '../../src/train/model';
import { sizeOfNetwork } from '../../src/train/network';
import { end, FAMILIES, type Family, type Tensor } from '../support/familyModels';
import { expectSameAnswers, expectSameSteps, maskModel } from '../support/masked';
import { drawModel, randomise } from '../support/randomModels';

/** Every layer family that the random graphs (exactness.test.ts) do not draw, and the proof that the two leave none out. */
let engine: Engine;

beforeAll(async () => {
  engine = await findEngine('wasm').load();
});

function modelOf({ inputs, build }: Family): tf.LayersModel {
  const given = inputs.map((shape) => tf.input({ shape: [...shape] }));
  const model = tf.model({ inputs: given, outputs: build(...given) });
  randomise(model, 5);
  return model;
}

describe.each(Object.entries(FAMILIES))('%s', (name, family) => {
  it('collects and folds without a change, and trains alike', { timeout: 60_000 }, async () => {
    const model = modelOf(family);
    // What a truncated model left out stays as well.
    const before = tf.memory().numTensors - new Set(model.weights).size;
    const share = family.everything === true ? 1 : undefined;
    const masked = await maskModel(model, family.inputs, 11, share);
    if (name === 'Embedding' || name === 'categories')
      for (const { x } of masked.inputs) x.forEach((_, i) => (x[i] = i % 4));
    const removed = await expectSameAnswers(masked);
    if (family.keepsWidths === true) expect(removed).toBe(0);
    else expect(removed).toBeGreaterThan(0);
    if (family.random !== true && family.untrainable !== true)
      expect(await expectSameSteps(engine, masked, 'adam', family.outputs ?? [3])).toBe(true);
    masked.network.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });
});

/** Layer classes of a model, those inside wrappers and nested models included. */
function classesOf(model: tf.LayersModel): string[] {
  const text = JSON.stringify(model.toJSON(null, false));
  return [...text.matchAll(/"class_name":"(\w+)"/g)].map((match) => match[1] ?? '');
}

it('counts the parameters of a model whose input has its channels first', () => {
  const x = tf.input({ shape: [2, 6, 6] });
  const layer = tf.layers.conv2d({ filters: 5, kernelSize: 3, dataFormat: 'channelsFirst' });
  const model = tf.model({ inputs: x, outputs: end(layer.apply(x) as Tensor) });
  const { params } = sizeOfNetwork(analyse(readGraph(topologyOf(model))));
  expect(params).toBe(model.countParams());
  model.dispose();
});

describe('the rules', () => {
  it('cover every layer of TensorFlow.js but those that it cannot train itself', () => {
    const registered = tf.serialization.SerializationMap.getMap().classNameMap;
    const isLayer = (name: string): boolean => {
      const made = registered[name]?.[0] as unknown as { prototype: unknown } | undefined;
      return made?.prototype instanceof tf.layers.Layer;
    };
    const ruled = new Set(listRuledClasses());
    const without = Object.keys(registered).filter((name) => isLayer(name) && !ruled.has(name));
    expect(without.sort()).toEqual([
      // Takes the first picture of a batch alone.
      'CenterCrop',
      // Cells are parts of an RNN layer; one of convolutions is refused there by name.
      'ConvLSTM2DCell',
      // Models are taken apart.
      'Functional',
      'GRUCell',
      'LSTMCell',
      'Model',
      // Draws another width in every step.
      'RandomWidth',
      // Says another shape than it has.
      'Resizing',
      'Sequential',
      'SimpleRNNCell',
      'StackedRNNCells',
    ]);
  });

  it('are all tried, here or by the random graphs', () => {
    const tried = new Set<string>();
    const note = (model: tf.LayersModel): void => {
      for (const name of classesOf(model)) tried.add(name);
      model.dispose();
    };
    Object.values(FAMILIES).forEach((family) => note(modelOf(family)));
    for (let seed = 1; seed <= 250; seed += 1) note(drawModel(seed * 7919).model);
    // Every graph with Filters has one, and what is not of TensorFlow.js's own has tests of its own.
    tried.add('ShrinkFilter');
    expect(listRuledClasses().filter((name) => !tried.has(name))).toEqual([]);
  });
});
