import '@tensorflow/tfjs-backend-cpu';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { evaluatePlan } from '../../src/backend/userCode';
import type { Topology } from '../../src/core/topology';
import * as tf from '../../src/engine/tf';
import { makePlan, writeModule, type ModuleLibrary } from '../../src/language';
import { goldenFiles } from './support/golden';
import { read } from './support/parsers';

/** @param name of the model; the first that is no part of another one if it is left out */
function topologyOf(text: string, file = '/project/model.py', name?: string): Topology {
  const reading = read(text, file);
  const whole = reading.models.find((model) => model.partOf.length === 0);
  const plan = makePlan(reading, name ?? whole?.name);
  if (plan.program.kind !== 'topology') throw new Error('This source is not read statically.');
  return plan.program.topology;
}

function write(topology: Topology, library: ModuleLibrary): string {
  return writeModule(topology, { library, typescript: true, model: 'Net', hintOf: () => undefined });
}

/** Weights by shape, in order: what two topologies must share. */
function shapesOf(topology: Topology): string[] {
  const keys = ['units', 'filters', 'kernel_size', 'pool_size', 'strides', 'rate', 'depth_multiplier'];
  return topology.config.layers
    .map((layer) => [layer.class_name, keys.map((key) => JSON.stringify(layer.config[key]))].flat().join(' '))
    .filter((text) => !/^(?:Activation|ReLU|InputLayer)/.test(text));
}

describe('modules of the compact architecture', () => {
  const python = goldenFiles().filter((golden) => golden.file.endsWith('.py'));

  it.each(python.map((golden) => [golden.file.split('/').at(-1) ?? '', golden] as const))(
    '%s reads back from the Keras module as the same topology',
    (_, golden) => {
      for (const { name, partOf } of read(golden.text, golden.file).models) {
        if (partOf.length > 0) continue;
        const topology = topologyOf(golden.text, golden.file, name);
        expect(shapesOf(topologyOf(write(topology, 'keras')))).toEqual(shapesOf(topology));
      }
    },
  );

  it.each(['lenet', 'mnistNet', 'vgg', 'resnet', 'mlp'])('%s reads back from the PyTorch module', (name) => {
    const golden = python.find((candidate) => candidate.file.endsWith(`${name}.py`));
    const topology = topologyOf(golden?.text ?? '', golden?.file);
    const again = write(topology, 'torch');
    const strip = (shapes: string[]): string[] =>
      shapes.map((text) => text.replace(/ (?:null|undefined)/g, '')).sort();
    expect(strip(shapesOf(topologyOf(again)))).toEqual(strip(shapesOf(topology)));
  });

  it('keeps hints as comments and names for the weights', () => {
    const topology = topologyOf(
      'from torch import nn\nmodel = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2))\n',
    );
    const request = {
      typescript: true,
      model: 'model',
      hintOf: (layer: string) => (layer === 'layer_0' ? '@shrink min=2' : undefined),
    };
    expect(writeModule(topology, { ...request, library: 'tfjs' }))
      .toBe(`import * as tf from "@tensorflow/tfjs";

/** The compact architecture that ShrinkNets learned for model. */
export function createModel(): tf.LayersModel {
  const input = tf.input({ shape: [4], name: "input" });
  // @shrink min=2
  const layer0 = tf.layers
    .dense({ units: 3, name: "layer_0" })
    .apply(input) as tf.SymbolicTensor;
  const layer1 = tf.layers
    .reLU({ name: "layer_1" })
    .apply(layer0) as tf.SymbolicTensor;
  const layer2 = tf.layers
    .dense({ units: 2, name: "layer_2" })
    .apply(layer1) as tf.SymbolicTensor;
  return tf.model({ inputs: input, outputs: layer2 });
}
`);
    expect(writeModule(topology, { ...request, library: 'torch' })).toBe(`from torch import nn
from torch.nn import functional as F


class CompactModel(nn.Module):
    """The compact architecture that ShrinkNets learned for model."""

    def __init__(self):
        super().__init__()
        # @shrink min=2
        self.layer_0 = nn.Linear(4, 3)
        self.layer_2 = nn.Linear(3, 2)

    def forward(self, inputs):
        layer_0_out = self.layer_0(inputs)
        layer_1_out = F.relu(layer_0_out)
        layer_2_out = self.layer_2(layer_1_out)
        return layer_2_out
`);
  });

  it('for PyTorch put layers where the source has them', () => {
    const text = `from torch import nn
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2))
        self.again = self.body[2]
    def forward(self, x):
        return self.body(x)
`;
    const { program } = makePlan(read(text, '/project/model.py'));
    if (program.kind !== 'topology') throw new Error('This source is not read statically.');
    const module = writeModule(program.topology, {
      library: 'torch',
      typescript: false,
      model: 'Net',
      hintOf: (layer) => (layer === 'body.0' ? '@shrink min=2' : undefined),
      pathsOf: (layer) => program.pathOf?.[layer],
    });
    expect(module).toContain(`        self.body = nn.ModuleDict(
            {
                # @shrink min=2
                "0": nn.Linear(4, 3),
                "2": nn.Linear(3, 2),
            }
        )
        self.again = self.body["2"]
`);
    expect(module).toContain('body_0_out = self.body["0"](x)');
    const reading = read(module, '/project/compact.py');
    expect(reading.problems).toEqual([]);
    expect(reading.models[0]?.sites.map((site) => [site.width, site.hint])).toEqual([
      [3, { min: 2 }],
      [2, undefined],
    ]);
    const again = makePlan(reading).program;
    expect(again.kind === 'topology' && Object.values(again.pathOf ?? {})).toEqual([
      ['body.0'],
      ['body.2', 'again'],
    ]);
  });

  it('of TensorFlow.js read as models of their own', () => {
    const golden = python.find((candidate) => candidate.file.endsWith('resnet.py'));
    const text = write(topologyOf(golden?.text ?? '', golden?.file), 'tfjs');
    const reading = read(text, '/project/compact.ts');
    expect(reading.problems).toEqual([]);
    expect(reading.models.map((model) => model.name)).toEqual(['createModel']);
    expect(reading.models[0]?.sites.filter((site) => site.layerType === 'conv2d')).toHaveLength(8);
  });

  it('in Python compile, every one', () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'shrinknets-modules-'));
    try {
      const files = python.flatMap(({ file, text }) => {
        const topology = topologyOf(text, file);
        return (['keras', 'torch'] as const).flatMap((library) => {
          const target = path.join(folder, `${path.basename(file, '.py')}_${library}.py`);
          // A few layers of Keras have no counterpart in PyTorch, which is said.
          const isOther = library === 'torch' && path.basename(file).startsWith('keras');
          if (isOther) return [];
          writeFileSync(target, write(topology, library));
          return [target];
        });
      });
      expect(files.length).toBeGreaterThan(20);
      execFileSync('python3', ['-m', 'py_compile', ...files], { stdio: 'pipe' });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it.each(['lenet', 'densenet', 'kerasFunctional'])(
    'of TensorFlow.js make the model when they are run: %s',
    async (name) => {
      await tf.setBackend('cpu');
      const golden = python.find((candidate) => candidate.file.endsWith(`${name}.py`));
      const plan = makePlan(read(golden?.text ?? '', golden?.file));
      if (plan.program.kind !== 'topology') throw new Error('This source is not read statically.');
      const text = write(plan.program.topology, 'tfjs');
      const [given, made] = await Promise.all([
        evaluatePlan(plan),
        evaluatePlan(makePlan(read(text, '/project/compact.ts'))),
      ]);
      expect(made.model.countParams()).toBe(given.model.countParams());
      expect(made.model.layers.map((layer) => layer.name)).toEqual(
        expect.arrayContaining(given.model.layers.slice(1).map((layer) => layer.name)),
      );
    },
  );
});
