import { unzipSync } from 'fflate';
import { beforeAll, describe, expect, it } from 'vitest';
import { findEngine } from '../../src/engine/registry';
import { writeNpz } from '../../src/train/npz';
import { exportSourceWeights, kerasWeights } from '../../src/train/sourceWeights';
import * as tf from '../../src/engine/tf';
import { readWeights } from '../../src/train/model';
import { planOf } from '../language/support/parsers';

beforeAll(() => findEngine('cpu').load());

/** The arrays of a NumPy archive, in order. */
function readNpz(bytes: Uint8Array): { name: string; shape: string; values: number[] }[] {
  return Object.entries(unzipSync(bytes)).map(([name, file]) => {
    const length = new DataView(file.buffer, file.byteOffset).getUint16(8, true);
    const header = new TextDecoder().decode(file.subarray(10, 10 + length));
    expect((10 + length) % 64).toBe(0);
    expect(header).toMatch(/^\{'descr': '<f4', 'fortran_order': False, .*\} *\n$/);
    const data = file.slice(10 + length);
    return {
      name: name.replace(/\.npy$/, ''),
      shape: /'shape': (\([^)]*\))/.exec(header)?.[1] ?? '',
      values: [...new Float32Array(data.buffer)],
    };
  });
}

/** Names and shapes of what is written for a model with first weights. */
async function exported(source: string, name = 'model'): Promise<string[]> {
  const { program } = planOf(source, name, '/project/model.py');
  if (program.kind !== 'topology') throw new Error('This source is not read statically.');
  const model = await tf.models.modelFromJSON({ modelTopology: program.topology as never });
  const weights = await readWeights(model);
  model.dispose();
  const { files } = await exportSourceWeights(program, program.topology, weights);
  const npz = files['model.npz'];
  if (!(npz instanceof Uint8Array)) throw new Error('There is no archive.');
  expect(files['load.py']).toContain('model.set_weights(');
  return readNpz(npz).map((array) => `${array.name} ${array.shape}`);
}

it('says to PyTorch which layers have no weights', async () => {
  const source = `from torch import nn
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Linear(3, 2)
        self.spare = nn.Linear(3, 2)
    def forward(self, x):
        return self.a(x)
`;
  const { program } = planOf(source, 'Net', '/project/model.py');
  if (program.kind !== 'topology') throw new Error('This source is not read statically.');
  const model = await tf.models.modelFromJSON({ modelTopology: program.topology as never });
  const weights = await readWeights(model);
  model.dispose();
  const { files } = await exportSourceWeights(program, program.topology, weights);
  expect(files['load.py']).toContain('left as they are: spare.');
  expect(files['load.py']).toContain('strict=False');
});

describe('weights for Keras', () => {
  it('writes what NumPy reads', () => {
    const bytes = writeNpz([
      { name: 'b', shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) },
      { name: 'a', shape: [2], data: Float32Array.of(7, 8) },
      { name: 'scalar', shape: [], data: Float32Array.of(9) },
    ]);
    expect(readNpz(bytes)).toEqual([
      { name: 'b', shape: '(2, 3)', values: [1, 2, 3, 4, 5, 6] },
      { name: 'a', shape: '(2,)', values: [7, 8] },
      { name: 'scalar', shape: '()', values: [9] },
    ]);
  });

  it('follows model.get_weights(): layer by layer, statistics last within a layer', async () => {
    const files = await exported(`import keras
from keras import layers

model = keras.Sequential([
    keras.Input(shape=(8, 8, 3)),
    layers.Conv2D(4, 3, name='first'),
    layers.BatchNormalization(name='norm'),
    layers.DepthwiseConv2D(3, use_bias=False, name='depth'),
    layers.Flatten(),
    layers.Dense(5, name='last'),
])
`);
    expect(files).toEqual([
      '000_first_kernel (3, 3, 3, 4)',
      '001_first_bias (4,)',
      '002_norm_gamma (4,)',
      '003_norm_beta (4,)',
      '004_norm_moving_mean (4,)',
      '005_norm_moving_variance (4,)',
      expect.stringMatching(/^006_depth_\w+ \(3, 3, 4, 1\)$/) as string,
      '007_last_kernel (64, 5)',
      '008_last_bias (5,)',
    ]);
  });

  it('follows the attributes of a subclassed model, not its calls', async () => {
    const files = await exported(
      `import keras
from keras import layers

# @shrink-model input=[4]
class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.out = layers.Dense(2)
        self.hidden = layers.Dense(7)

    def call(self, x):
        return self.out(self.hidden(x))
`,
      'Net',
    );
    expect(files).toEqual([
      '000_out_kernel (7, 2)',
      '001_out_bias (2,)',
      '002_hidden_kernel (4, 7)',
      '003_hidden_bias (7,)',
    ]);
  });

  it('follows depth where a functional model branches', async () => {
    const plan = planOf(
      `import keras
from keras import layers
inputs = keras.Input(shape=(4,))
a = layers.Dense(3, name='a')(inputs)
b = layers.Dense(3, name='b')(a)
c = layers.Dense(3, name='c')(inputs)
outputs = layers.Dense(2, name='d')(layers.add([b, c]))
model = keras.Model(inputs, outputs)
`,
      'model',
      '/project/model.py',
    );
    if (plan.program.kind !== 'topology') throw new Error('This source is not read statically.');
    const one = { shape: [1], data: new Float32Array(1) };
    const weights = { d: [one], c: [one], b: [one], a: [one] };
    const arrays = await kerasWeights(plan.program.topology, weights, plan.program.pathOf ?? {});
    // a lies deepest; b and c are as deep as each other, and the sum reads b first.
    expect(arrays.map(({ name }) => name)).toEqual([
      '000_a_kernel',
      '001_b_kernel',
      '002_c_kernel',
      '003_d_kernel',
    ]);
  });
});
