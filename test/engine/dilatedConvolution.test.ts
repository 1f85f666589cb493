import { beforeAll, expect, it } from 'vitest';
import { findEngine } from '../../src/engine/registry';
import * as tf from '../../src/engine/tf';
import { relativeError } from './support';

/** What a dilated layer computes is what TensorFlow.js's own dilated operation does. */

beforeAll(async () => {
  await findEngine('cpu').load();
});

const { layers } = tf;
type Weights = readonly tf.Tensor[];

const cases = [
  {
    name: 'conv1d',
    input: [2, 9, 3],
    layer: () => layers.conv1d({ filters: 4, kernelSize: 3, dilationRate: 3 }),
    stock: (x: tf.Tensor, [kernel, bias]: Weights) =>
      tf.add(tf.conv1d(x as tf.Tensor3D, kernel as tf.Tensor3D, 1, 'valid', 'NWC', 3), bias as tf.Tensor),
  },
  {
    name: 'conv2d',
    input: [2, 7, 8, 3],
    layer: () => layers.conv2d({ filters: 4, kernelSize: [2, 3], dilationRate: [3, 2], padding: 'same' }),
    stock: (x: tf.Tensor, [kernel, bias]: Weights) =>
      tf.add(
        tf.conv2d(x as tf.Tensor4D, kernel as tf.Tensor4D, 1, 'same', 'NHWC', [3, 2]),
        bias as tf.Tensor,
      ),
  },
  {
    name: 'depthwise',
    input: [2, 7, 8, 3],
    layer: () => layers.depthwiseConv2d({ kernelSize: 3, dilationRate: 2, depthMultiplier: 2 }),
    stock: (x: tf.Tensor, [kernel, bias]: Weights) =>
      tf.add(
        tf.depthwiseConv2d(x as tf.Tensor4D, kernel as tf.Tensor4D, 1, 'valid', 'NHWC', 2),
        bias as tf.Tensor,
      ),
  },
  {
    name: 'separable',
    input: [2, 7, 8, 3],
    layer: () => layers.separableConv2d({ filters: 4, kernelSize: 2, dilationRate: 3 }),
    stock: (x: tf.Tensor, [depthwise, pointwise, bias]: Weights) =>
      tf.add(
        tf.separableConv2d(
          x as tf.Tensor4D,
          depthwise as tf.Tensor4D,
          pointwise as tf.Tensor4D,
          1,
          'valid',
          3,
        ),
        bias as tf.Tensor,
      ),
  },
];

it.each(cases)(
  '$name: the same output, and the layer keeps its dilation',
  ({ input, layer: make, stock }) => {
    const x = tf.randomNormal(input, 0, 1, 'float32', 3);
    const layer = make();
    const y = layer.apply(x) as tf.Tensor;
    layer.setWeights(
      layer.weights.map(({ shape }, i) => tf.randomNormal(shape as number[], 0, 1, 'float32', i)),
    );
    const found = layer.apply(x) as tf.Tensor;
    expect(found.shape).toEqual(y.shape);
    const expected = stock(x, layer.getWeights());
    expect(relativeError([...found.dataSync()], [...expected.dataSync()])).toBeLessThan(1e-5);
    expect([layer.getConfig()['dilationRate']].flat().some((rate) => Number(rate) > 1)).toBe(true);
  },
);
