import type { Topology } from '../../core/topology';
import { listSteps, makeNamer, type LayerCallStep } from './calls';
import type { ModuleRequest } from './request';
import { activate, partOf, shapeAfter, unknownShape, ZEROS, type Shape } from './torchParts';
import { ModuleTree } from './torchTree';
import { PYTHON_WORDS } from './writeKeras';

/**
 * A Python module with one class, `CompactModel`. Channels come first in it, as everywhere in PyTorch. Layers lie where
 * they lie in the source's model, so that its `state_dict` has the same names.
 */
export function writeTorch(topology: Topology, request: ModuleRequest): string {
  const { steps: all, inputs, outputs } = listSteps(topology);
  const steps = mergePadding(all);
  const nameOf = makeNamer([...PYTHON_WORDS, 'torch', 'nn', 'f'], 'snake');
  const names = new Map<string, string>();
  const widths = new Map<string, Shape>();
  const forward: string[] = [];
  const tree = new ModuleTree(nameOf);
  for (const step of steps) {
    const given = step.inputs.map((input) => names.get(`${input.layer} ${input.node}`) ?? '');
    const shapes = step.inputs.map(
      (input) => widths.get(`${input.layer} ${input.node}`) ?? unknownShape(input.layer),
    );
    const key = `${step.layer} ${step.node}`;
    widths.set(key, shapeAfter(step, shapes));
    if (step.className === 'InputLayer') {
      names.set(key, nameOf(step.layer === 'input' ? 'inputs' : step.layer));
      continue;
    }
    const activation = step.config['activation'];
    const part = partOf(step, shapes);
    let expression = 'module' in part ? '' : part.expression(given);
    if ('module' in part) {
      const paths = request.pathsOf?.(step.layer) ?? [];
      const place = tree.add(step.layer, paths, part.module, request.hintOf(step.layer));
      expression = `${place}(${given.join(', ')})${part.after ?? ''}`;
    }
    const isOwn = /^(?:Activation|LSTM|SimpleRNN)$/.test(step.className);
    if (typeof activation === 'string' && !isOwn) expression = activate(activation, expression);
    const variable = nameOf(`${step.layer}_out`);
    names.set(key, variable);
    forward.push(`        ${variable} = ${expression}`);
  }
  const results = outputs.map((place) => names.get(`${place.layer} ${place.node}`) ?? '').join(', ');
  return [
    'import torch',
    'from torch import nn',
    'from torch.nn import functional as F',
    '',
    '',
    ...inputHint(steps),
    'class CompactModel(nn.Module):',
    `    """The compact architecture that ShrinkNets learned for ${request.model}."""`,
    '',
    '    def __init__(self):',
    '        super().__init__()',
    ...tree.lines(),
    '',
    `    def forward(self, ${inputs.map((name) => names.get(`${name} 0`) ?? '').join(', ')}):`,
    ...forward,
    `        return ${results}`,
    '',
  ].join('\n');
}

/** Zeros on both sides before a convolution or pooling are that layer's own padding in PyTorch. */
function mergePadding(steps: readonly LayerCallStep[]): LayerCallStep[] {
  const zeros = new Map<
    string,
    { readonly input: LayerCallStep['inputs'][number]; readonly padding: number[] }
  >();
  for (const step of steps) {
    if (step.className !== 'ZeroPadding2D' || step.isShared) continue;
    const sides = step.config['padding'] as number[][];
    const readers = steps.filter((other) => other.inputs.some((input) => input.layer === step.layer));
    const reader = readers.length === 1 ? readers[0] : undefined;
    const [input] = step.inputs;
    const isSymmetric = sides.every(([before, after]) => before === after);
    const canPad = /^(?:Conv2D|DepthwiseConv2D|(?:Max|Average)Pooling2D)$/.test(reader?.className ?? '');
    if (input !== undefined && isSymmetric && canPad && reader?.config['padding'] === 'valid')
      zeros.set(step.layer, { input, padding: sides.map((side) => side[0] ?? 0) });
  }
  return steps
    .filter((step) => !zeros.has(step.layer))
    .map((step) => {
      const found = step.inputs.map((input) => zeros.get(input.layer)).find((entry) => entry !== undefined);
      if (found === undefined) return step;
      return { ...step, inputs: [found.input], config: { ...step.config, [ZEROS]: found.padding } };
    });
}

/** PyTorch source does not say the size of its input, so the hint does. */
function inputHint(steps: readonly LayerCallStep[]): string[] {
  const shape = steps[0]?.config['batch_input_shape'];
  const [, ...features] = Array.isArray(shape) ? (shape as (number | null)[]) : [];
  if (features.length < 2 || features.includes(null)) return [];
  const isSequence = /^(?:LSTM|SimpleRNN)$/.test(steps[1]?.className ?? '');
  const order = isSequence ? features : [features.at(-1), ...features.slice(0, -1)];
  return [`# @shrink-model input=[${order.join(', ')}]`];
}
