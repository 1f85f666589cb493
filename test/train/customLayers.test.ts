import { beforeAll, describe, expect, it } from 'vitest';
import { analyse } from '../../src/core/analysis';
import { readGraph } from '../../src/core/graph';
import type { Engine } from '../../src/engine/engine';
import { findEngine } from '../../src/engine/registry';
import * as tf from '../../src/engine/tf';
import { registerCustomLayers } from '../../src/train/customLayers';
import { topologyOf } from '../../src/train/model';
import { expectSameAnswers, expectSameSteps, maskModel } from '../support/masked';
import { randomise } from '../support/randomModels';

type Tensors = tf.Tensor | tf.Tensor[];
const one = (inputs: Tensors): tf.Tensor => {
  const x = Array.isArray(inputs) ? inputs[0] : inputs;
  if (x === undefined) throw new TypeError('no input');
  return x;
};

/** y = γ x + δ, a number a channel each, as LayerScale with a shift. */
class ScaleAndShift extends tf.layers.Layer {
  static className = 'ScaleAndShift';
  static shrinkRule: unknown = { channels: 'keeps', zero: false, weights: [['channels'], ['channels']] };
  private gamma?: tf.LayerVariable;
  private delta?: tf.LayerVariable;

  override build(shape: tf.Shape): void {
    const ones = tf.initializers.ones();
    this.gamma = this.addWeight('gamma', [shape.at(-1) ?? 1], 'float32', ones);
    this.delta = this.addWeight('delta', [shape.at(-1) ?? 1], 'float32', ones);
    this.built = true;
  }

  override call(inputs: Tensors): tf.Tensor {
    return tf.tidy(() => {
      if (this.gamma === undefined || this.delta === undefined) throw new TypeError('not built');
      return tf.add(tf.mul(one(inputs), this.gamma.read()), this.delta.read());
    });
  }

  override computeOutputShape(shape: tf.Shape): tf.Shape {
    return shape;
  }
}

/** x · |x|: keeps a zero, lets no factor through. */
class SignedSquare extends tf.layers.Layer {
  static className = 'SignedSquare';
  static shrinkRule = { channels: 'keeps', zero: true, scaling: 'none' };

  override call(inputs: Tensors): tf.Tensor {
    return tf.tidy(() => tf.mul(one(inputs), tf.abs(one(inputs))));
  }

  override computeOutputShape(shape: tf.Shape): tf.Shape {
    return shape;
  }
}

/** A dense layer of the author's own, with its kernel the other way around. */
class OwnDense extends tf.layers.Layer {
  static className = 'OwnDense';
  static shrinkRule = { channels: 'mixes', weights: [[null, 'channels'], [null]] };
  private readonly units: number;
  private kernel?: tf.LayerVariable;
  private bias?: tf.LayerVariable;

  constructor(config: { units: number; name?: string }) {
    super(config);
    this.units = config.units;
  }

  override build(shape: tf.Shape): void {
    const zeros = tf.initializers.zeros();
    this.kernel = this.addWeight('kernel', [this.units, shape.at(-1) ?? 1], 'float32', zeros);
    this.bias = this.addWeight('bias', [this.units], 'float32', zeros);
    this.built = true;
  }

  override call(inputs: Tensors): tf.Tensor {
    return tf.tidy(() => {
      if (this.kernel === undefined || this.bias === undefined) throw new TypeError('not built');
      return tf.add(tf.matMul(one(inputs), this.kernel.read(), false, true), this.bias.read());
    });
  }

  override computeOutputShape(shape: tf.Shape): tf.Shape {
    return [...shape.slice(0, -1), this.units];
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), units: this.units };
  }
}

let engine: Engine;
beforeAll(async () => {
  engine = await findEngine('wasm').load();
});

function build(...between: tf.layers.Layer[]): tf.LayersModel {
  const model = tf.sequential();
  model.add(tf.layers.dense({ inputShape: [5], units: 8, activation: 'relu' }));
  for (const layer of between) model.add(layer);
  model.add(tf.layers.dense({ units: 3 }));
  randomise(model, 3);
  return model;
}

describe('a layer class of the author’s own', () => {
  it.each<[string, () => tf.layers.Layer[], number]>([
    ['keeps channels and has weights of them', () => [new ScaleAndShift({})], 1],
    ['keeps zeros but no factors', () => [new SignedSquare({}), tf.layers.dense({ units: 6 })], 2],
    [
      'mixes channels',
      () => [new OwnDense({ units: 4 }), new SignedSquare({}), tf.layers.dense({ units: 6 })],
      2,
    ],
  ])('that %s: collected and folded without a change, trained alike', async (_, between, hubs) => {
    const model = build(...between());
    registerCustomLayers(model);
    const masked = await maskModel(model, [[5]], 11);
    expect(masked.analysis.hubs.filter((hub) => hub.classes.length > 0)).toHaveLength(hubs);
    expect(await expectSameAnswers(masked)).toBeGreaterThan(0);
    await expectSameSteps(engine, masked, 'adam', [3]);
    masked.network.dispose();
  });

  const refusalOf = (rule: unknown): string => {
    class Odd extends ScaleAndShift {
      static override className = `Odd${Math.abs(JSON.stringify(rule).length)}`;
      static override shrinkRule = rule;
    }
    const model = build(new Odd({ name: 'odd' }));
    try {
      registerCustomLayers(model);
      analyse(readGraph(topologyOf(model)));
      return 'nothing';
    } catch (thrown) {
      return (thrown as Error).message;
    } finally {
      model.dispose();
    }
  };

  it.each([
    [7, /shrinkRule is no object/],
    [{ channels: 'makes' }, /needs channels: "keeps" or "mixes"/],
    [{ channels: 'keeps', zeros: true }, /has "zeros"; it knows channels, zero, scaling, weights/],
    [{ channels: 'keeps', scaling: 'some' }, /needs scaling: "linear" or "positive" or "none"/],
    [{ channels: 'keeps', weights: ['channels'] }, /for each weight a list of its axes/],
    [
      { channels: 'keeps', weights: [['channels']] },
      /"odd".*describes no weight 1, which has the shape \[8\]/,
    ],
    [{ channels: 'keeps', weights: [[null, null], [null]] }, /describes 2 axes of weight 0/],
    [{ channels: 'mixes', weights: [[null], [null]] }, /names no weight with an axis 'channels'/],
  ])('whose rule %j is wrong is told so', (rule, message) => {
    expect(refusalOf(rule)).toMatch(message);
    expect(refusalOf(rule)).toMatch(/docs\/custom-layers\.md/);
  });
});
