import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { findEngine } from '../../src/engine/registry';
import * as tf from '../../src/engine/tf';
import { FilterLayer, SwitchBank, withBank } from '../../src/train/filterLayer';
import { Network } from '../../src/train/network';
import { denseModel, EVERYTHING, filtered } from '../support/smallNet';
import { PROXIMAL, subgradientMode } from '../../src/train/switchModes';
import { outputsOf } from '../../src/train/evaluate';

beforeAll(async () => {
  await findEngine('wasm').load();
});

/** x ∘ gate along an axis, index by index. */
function gated(x: Float32Array, shape: readonly number[], axis: number, gate: readonly number[]): number[] {
  const inner = shape.slice(axis + 1).reduce((product, length) => product * length, 1);
  return Array.from(x, (v, i) => Math.fround(v * (gate[Math.floor(i / inner) % gate.length] ?? Number.NaN)));
}

describe('a Filter', () => {
  it('multiplies channel by channel, in both forms, on any rank, channels first and last', () => {
    const ranks = new Set<string>();
    fc.assert(
      fc.property(
        fc.constantFrom('signed', 'relu'),
        fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 0, maxLength: 3 }),
        fc.integer({ min: 1, max: 4 }),
        fc.boolean(),
        fc.noBias(fc.nat(1000)),
        (form, spatial, channels, first, seed) => {
          const shape = first ? [2, channels, ...spatial] : [2, ...spatial, channels];
          const axis = first ? 1 : shape.length - 1;
          ranks.add(`${shape.length} ${first ? 'first' : 'last'}`);
          const name = `f/filter${seed}`;
          const bank = new SwitchBank(form, [{ name, hubs: ['h'], index: null, axis }]);
          const beta = Array.from({ length: channels }, (_, i) => Math.fround(Math.sin(seed + 2 * i)));
          bank.add('h', Float32Array.from(beta));
          const x = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) =>
            Math.cos(i + seed),
          );
          const layer = withBank(bank, () => new FilterLayer({ name }));
          const out = tf.tidy(() => layer.apply(tf.tensor(x, shape)) as tf.Tensor);
          const gate = beta.map((v) => (form === 'relu' ? Math.max(0, v) : v));
          expect(out.shape).toEqual(shape);
          expect([...out.dataSync()].map((v) => v + 0)).toEqual(
            gated(x, shape, axis, gate).map((v) => v + 0),
          );
          out.dispose();
          bank.dispose();
        },
      ),
      { numRuns: 100, seed: 3 },
    );
    expect(ranks.size).toBe(8);
  });

  it('takes several hubs, one after the other or mixed, and leaves channels alone that have none', () => {
    const name = 'f/filter_mixed';
    const bank = new SwitchBank('signed', [{ name, hubs: ['a', 'b'], index: [2, -1, 0, 3, 1], axis: 1 }]);
    bank.add('a', Float32Array.from([2, 3]));
    bank.add('b', Float32Array.from([5, 7]));
    const layer = withBank(bank, () => new FilterLayer({ name }));
    const out = tf.tidy(() => [...(layer.apply(tf.ones([1, 5])) as tf.Tensor).dataSync()]);
    expect(out).toEqual([5, 1, 2, 7, 3]);
    bank.dispose();
  });

  it('gives its channels no gradient in the relu form once θ is 0 or less', () => {
    const bank = new SwitchBank('relu', [{ name: 'f/filter_dead', hubs: ['h'], index: null, axis: 1 }]);
    const theta = bank.add('h', Float32Array.from([0.5, -0.5, 0]));
    const layer = withBank(bank, () => new FilterLayer({ name: 'f/filter_dead' }));
    const { grads } = tf.variableGrads(() => tf.sum(layer.apply(tf.ones([1, 3])) as tf.Tensor), [theta]);
    expect([...(grads[theta.name]?.dataSync() ?? [])]).toEqual([1, 0, 0]);
    bank.dispose();
  });

  it.each(['channelsFirst', 'channelsLast'] as const)(
    'finds the channel axis of a convolution: %s',
    async (dataFormat) => {
      const conv = tf.layers.conv2d({
        inputShape: dataFormat === 'channelsFirst' ? [2, 4, 4] : [4, 4, 2],
        filters: 3,
        kernelSize: 1,
        dataFormat,
        activation: 'relu',
        name: 'conv',
      });
      const model = tf.sequential({ layers: [conv, tf.layers.flatten({ dataFormat })] });
      model.add(tf.layers.dense({ units: 2, name: 'out' }));
      const network = await filtered(model, PROXIMAL, { conv: Float32Array.from([1, 0, 1]) });
      const [place] = network.places;
      expect(place?.config.axis).toBe(dataFormat === 'channelsFirst' ? 1 : 3);
      network.dispose();
    },
  );

  it('opens in the network as its form says', async () => {
    const relu = subgradientMode('relu', { strategy: 'relu', gamma: 0, threshold: 1 });
    const x = Float32Array.from([1, -2, 0.5]);
    const outputs = async (mode: typeof relu, beta: number[]): Promise<Float32Array> => {
      const network = await filtered(denseModel(3, 4, 2), mode, { hidden: Float32Array.from(beta) });
      const out = await outputsOf(network, [{ x, shape: [1, 3] }]);
      network.dispose();
      return out;
    };
    expect(await outputs(relu, [0.5, -3, 2, -1])).toEqual(await outputs(PROXIMAL, [0.5, 0, 2, 0]));
    expect(await outputs(relu, [0.5, -3, 2, -1])).not.toEqual(await outputs(PROXIMAL, [0.5, -3, 2, -1]));
  });

  it('does not stand behind the last layer', async () => {
    const network = await filtered(denseModel(3, 4, 2), PROXIMAL);
    expect(network.places.map((place) => place.config.name)).toEqual(['hidden/filter']);
    const whole = await Network.create(network.graph, await network.readWeights(), EVERYTHING, {});
    expect(whole.places).toEqual([]);
    whole.dispose();
    network.dispose();
  });
});
