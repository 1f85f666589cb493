import { badInput } from '../../core/errors';
import type { LayerConfig, Topology } from '../../core/topology';
import { listSteps, makeNamer, type LayerCallStep } from './calls';
import { PYTHON_WORDS, writePython } from './writeKeras';
import type { ModuleRequest } from './request';

/** What a layer is in PyTorch: a module made in `__init__`, or an expression in `forward`. */
type Part = { readonly module: string } | { readonly expression: (inputs: readonly string[]) => string };

/** A Python module with one class, `CompactModel`. Channels come first in it, as everywhere in PyTorch. */
export function writeTorch(topology: Topology, request: ModuleRequest): string {
  const { steps: all, inputs, outputs } = listSteps(topology);
  const steps = mergePadding(all);
  const nameOf = makeNamer([...PYTHON_WORDS, 'torch', 'nn', 'f'], 'snake');
  const names = new Map<string, string>();
  const widths = new Map<string, Shape>();
  const [made, forward]: [string[], string[]] = [[], []];
  const attributes = new Map<string, string>();
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
      const attribute = attributes.get(step.layer) ?? nameOf(step.layer);
      if (!attributes.has(step.layer)) {
        const hint = request.hintOf(step.layer);
        if (hint !== undefined) made.push(`        # ${hint}`);
        made.push(`        self.${attribute} = ${part.module}`);
        attributes.set(step.layer, attribute);
      }
      expression = `self.${attribute}(${given.join(', ')})`;
    }
    if (typeof activation === 'string' && step.className !== 'Activation')
      expression = activate(activation, expression);
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
    ...made,
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

/** Key under which a layer's configuration holds zeros on both sides. */
const ZEROS = 'zeros';

/** PyTorch source does not say the size of its input, so the hint does. */
function inputHint(steps: readonly LayerCallStep[]): string[] {
  const shape = steps[0]?.config['batch_input_shape'];
  const [, ...features] = Array.isArray(shape) ? (shape as (number | null)[]) : [];
  if (features.length < 2 || features.includes(null)) return [];
  return [`# @shrink-model input=[${[features.at(-1), ...features.slice(0, -1)].join(', ')}]`];
}

/** Features, channels last; null for what is not known. */
type Shape = readonly (number | null)[];

function unknownShape(layer: string): never {
  throw badInput('module', `The model uses ${layer} before it is made.`);
}

function shapeAfter(step: LayerCallStep, inputs: readonly Shape[]): Shape {
  const { className, config } = step;
  const first = inputs[0] ?? [];
  if (className === 'InputLayer') {
    const shape = config['batch_input_shape'];
    return Array.isArray(shape) ? (shape.slice(1) as Shape) : [];
  }
  if (className === 'Dense') return [...first.slice(0, -1), Number(config['units'])];
  if (/^(?:Conv|SeparableConv)/.test(className))
    return slide(first, config, Number(config['filters']), 'kernel_size');
  if (className === 'DepthwiseConv2D')
    return slide(first, config, (first.at(-1) ?? 0) * Number(config['depth_multiplier'] ?? 1), 'kernel_size');
  if (/Pooling[12]D$/.test(className) && !className.startsWith('Global'))
    return slide(first, config, first.at(-1) ?? null, 'pool_size');
  if (className.startsWith('Global')) return first.slice(-1);
  if (className === 'Flatten')
    return [
      first.reduce<number | null>(
        (product, length) => (product === null || length === null ? null : product * length),
        1,
      ),
    ];
  if (className === 'Concatenate')
    return [...first.slice(0, -1), inputs.reduce((sum, shape) => sum + (shape.at(-1) ?? Number.NaN), 0)];
  if (className === 'Embedding') return [...first, Number(config['output_dim'])];
  if (className === 'Reshape') return config['target_shape'] as Shape;
  if (className === 'ZeroPadding2D') {
    const [rows = [0, 0], columns = [0, 0]] = config['padding'] as number[][];
    const added = [rows, columns].map((pair) => (pair[0] ?? 0) + (pair[1] ?? 0));
    return first.map((length, axis) => (length === null ? null : length + (added[axis] ?? 0)));
  }
  return first;
}

function slide(shape: Shape, config: LayerConfig, channels: number | null, key: string): Shape {
  const [kernel, strides] = [numbersOf(config[key]), numbersOf(config['strides'])];
  const dilation = numbersOf(config['dilation_rate']);
  const zeros = numbersOf(config[ZEROS]);
  const spatial = shape.slice(0, -1).map((length, axis) => {
    if (length === null) return null;
    const [size, stride] = [
      kernel[axis] ?? 1,
      strides[axis] ?? (key === 'pool_size' ? (kernel[axis] ?? 1) : 1),
    ];
    if (config['padding'] === 'same') return Math.ceil(length / stride);
    return (
      Math.floor((length + 2 * (zeros[axis] ?? 0) - (dilation[axis] ?? 1) * (size - 1) - 1) / stride) + 1
    );
  });
  return [...spatial, channels];
}

function numbersOf(value: unknown): number[] {
  return Array.isArray(value) ? value.map(Number) : typeof value === 'number' ? [value, value] : [];
}

function partOf(step: LayerCallStep, inputs: readonly Shape[]): Part {
  const { className, config } = step;
  const channels = inputs[0]?.at(-1);
  const known = (): number => {
    if (typeof channels === 'number') return channels;
    throw badInput(
      'module',
      `How many values come into ${step.layer} depends on the input's size; say input=[…] in the hint.`,
    );
  };
  const bias = config['use_bias'] === false ? ', bias=False' : '';
  const rank = /1D$/.test(className) ? 1 : 2;
  switch (className) {
    case 'Dense':
      return { module: `nn.Linear(${known()}, ${String(config['units'])}${bias})` };
    case 'Conv1D':
    case 'Conv2D':
      return {
        module: `nn.Conv${rank}d(${known()}, ${String(config['filters'])}, ${windowOf(step, 'kernel_size')}${bias})`,
      };
    case 'DepthwiseConv2D': {
      const width = known() * Number(config['depth_multiplier'] ?? 1);
      return {
        module: `nn.Conv2d(${known()}, ${width}, ${windowOf(step, 'kernel_size')}, groups=${known()}${bias})`,
      };
    }
    case 'BatchNormalization': {
      const momentum = Number((1 - Number(config['momentum'] ?? 0.99)).toPrecision(6));
      return {
        module: `nn.BatchNorm${(inputs[0]?.length ?? 1) === 3 ? 2 : 1}d(${known()}, eps=${writePython(config['epsilon'] ?? 1e-3)}, momentum=${momentum})`,
      };
    }
    case 'LayerNormalization':
      return { module: `nn.LayerNorm(${known()}, eps=${writePython(config['epsilon'] ?? 1e-3)})` };
    case 'MaxPooling1D':
    case 'MaxPooling2D':
      return { module: `nn.MaxPool${rank}d(${windowOf(step, 'pool_size')})` };
    case 'AveragePooling1D':
    case 'AveragePooling2D':
      return { module: `nn.AvgPool${rank}d(${windowOf(step, 'pool_size')})` };
    case 'GlobalAveragePooling2D':
      return { expression: ([x = '']) => `${x}.mean(dim=(2, 3))` };
    case 'GlobalMaxPooling2D':
      return { expression: ([x = '']) => `${x}.amax(dim=(2, 3))` };
    case 'Flatten':
      return { expression: ([x = '']) => `torch.flatten(${x}, 1)` };
    case 'Dropout':
      return { module: `nn.Dropout(${String(config['rate'])})` };
    case 'Embedding':
      return { module: `nn.Embedding(${String(config['input_dim'])}, ${String(config['output_dim'])})` };
    case 'ZeroPadding2D': {
      const [rows = [], columns = []] = config['padding'] as number[][];
      return { module: `nn.ZeroPad2d(${writePython([...columns, ...rows])})` };
    }
    case 'UpSampling2D':
      return { module: `nn.Upsample(scale_factor=${writePython(config['size'])})` };
    case 'Add':
      return { expression: (given) => given.join(' + ') };
    case 'Multiply':
      return { expression: (given) => given.join(' * ') };
    case 'Concatenate':
      return { expression: (given) => `torch.cat([${given.join(', ')}], dim=1)` };
    case 'Reshape': {
      const shape = config['target_shape'] as number[];
      return {
        expression: ([x = '']) => `${x}.reshape(${[-1, shape.at(-1), ...shape.slice(0, -1)].join(', ')})`,
      };
    }
    case 'Activation':
      return { expression: ([x = '']) => activate(String(config['activation']), x) };
    case 'ReLU':
      return { expression: ([x = '']) => activate(config['max_value'] === 6 ? 'relu6' : 'relu', x) };
    case 'Softmax':
      return { expression: ([x = '']) => activate('softmax', x) };
    case 'LeakyReLU':
      return { module: `nn.LeakyReLU(${writePython(config['alpha'] ?? 0.3)})` };
    case 'ELU':
      return { module: `nn.ELU(${writePython(config['alpha'] ?? 1)})` };
    default:
      throw badInput('module', `${className} layers cannot be written in PyTorch yet.`);
  }
}

/** Kernel, stride, padding and dilation as arguments. @throws ShrinkError `module` */
function windowOf(step: LayerCallStep, key: string): string {
  const { config } = step;
  const kernel = numbersOf(config[key]);
  const strides = numbersOf(config['strides']);
  const dilation = numbersOf(config['dilation_rate']);
  const short = (values: readonly number[]): string =>
    values.every((value) => value === values[0]) ? String(values[0] ?? 1) : writePython(values);
  const parts = [short(kernel)];
  if (strides.some((stride) => stride !== 1) || key === 'pool_size')
    parts.push(`stride=${short(strides.length === 0 ? kernel : strides)}`);
  const zeros = numbersOf(config[ZEROS]);
  if (zeros.length > 0) parts.push(`padding=${short(zeros)}`);
  if (dilation.some((value) => value !== 1)) parts.push(`dilation=${short(dilation)}`);
  if (config['padding'] === 'same') {
    if (strides.some((stride) => stride !== 1))
      throw badInput(
        'module',
        `${step.layer} pads to the same size with a stride over 1, which PyTorch cannot say.`,
      );
    parts.push("padding='same'");
  }
  return parts.join(', ');
}

const ACTIVATIONS: Readonly<Record<string, string>> = {
  relu: 'F.relu',
  relu6: 'F.relu6',
  sigmoid: 'torch.sigmoid',
  tanh: 'torch.tanh',
  elu: 'F.elu',
  selu: 'F.selu',
  gelu: 'F.gelu',
  swish: 'F.silu',
  silu: 'F.silu',
  mish: 'F.mish',
  softplus: 'F.softplus',
  softsign: 'F.softsign',
};

function activate(activation: string, expression: string): string {
  if (activation === 'linear') return expression;
  if (activation === 'softmax') return `F.softmax(${expression}, dim=1)`;
  const name = ACTIVATIONS[activation];
  if (name === undefined)
    throw badInput('module', `The activation ${activation} cannot be written in PyTorch yet.`);
  return `${name}(${expression})`;
}
