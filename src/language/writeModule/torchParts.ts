import { badInput } from '../../core/errors';
import type { LayerConfig } from '../../core/topology';
import type { LayerCallStep } from './calls';
import { callOf, type Bracket, type Code } from './layout';
import { writePython } from './writeKeras';

/** What a layer is in PyTorch: a module made in `__init__`, or an expression in `forward`. */
export type Part =
  | { readonly module: Bracket; /** What is taken of what it gives. */ readonly after?: string }
  | { readonly expression: (inputs: readonly string[]) => Code }
  /** Inputs with a sign between each two. */
  | { readonly sign: '+' | '*' };

/** Key under which a layer's configuration holds zeros on both sides. */
export const ZEROS = 'zeros';

/** Features, channels last; null for what is not known. */
export type Shape = readonly (number | null)[];

export function unknownShape(layer: string): never {
  throw badInput('module', `The model uses ${layer} before it is made.`);
}

export function shapeAfter(step: LayerCallStep, inputs: readonly Shape[]): Shape {
  const { className, config } = step;
  const first = inputs[0] ?? [];
  if (className === 'InputLayer') {
    const shape = config['batch_input_shape'];
    return Array.isArray(shape) ? (shape.slice(1) as Shape) : [];
  }
  if (className === 'LSTM' || className === 'SimpleRNN') {
    const units = Number(config['units']);
    return config['return_sequences'] === true ? [...first.slice(0, -1), units] : [units];
  }
  if (className === 'Dense') return [...first.slice(0, -1), Number(config['units'])];
  if (className === 'Conv2DTranspose') {
    const [kernel, strides] = [numbersOf(config['kernel_size']), numbersOf(config['strides'])];
    const space = first.slice(0, -1).map((length, axis) => {
      const [size, stride] = [kernel[axis] ?? 1, strides[axis] ?? 1];
      const more = config['padding'] === 'same' ? 0 : Math.max(size - stride, 0);
      return length === null ? null : length * stride + more;
    });
    return [...space, Number(config['filters'])];
  }
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

export function partOf(step: LayerCallStep, inputs: readonly Shape[]): Part {
  const { className, config } = step;
  const channels = inputs[0]?.at(-1);
  const known = (): number => {
    if (typeof channels === 'number') return channels;
    throw badInput(
      'module',
      `How many values come into ${step.layer} depends on the input's size; say input=[…] in the hint.`,
    );
  };
  const bias = config['use_bias'] === false ? ['bias=False'] : [];
  const rank = /1D$/.test(className) ? 1 : 2;
  const epsilon = `eps=${writePython(config['epsilon'] ?? 1e-3)}`;
  const convolution = (kind: string, window: readonly string[]): Bracket =>
    callOf(kind, [String(known()), String(config['filters']), ...window, ...bias]);
  switch (className) {
    case 'Dense':
      return { module: callOf('nn.Linear', [String(known()), String(config['units']), ...bias]) };
    case 'Conv1D':
    case 'Conv2D':
      return { module: convolution(`nn.Conv${rank}d`, windowOf(step, 'kernel_size')) };
    case 'Conv2DTranspose':
      return { module: convolution('nn.ConvTranspose2d', transposedWindow(step)) };
    case 'LSTM':
    case 'SimpleRNN': {
      if (className === 'LSTM' && config['recurrent_activation'] !== 'sigmoid')
        throw badInput('module', `${step.layer} has gates that PyTorch's LSTM does not have.`);
      const kind = className === 'LSTM' ? 'LSTM' : 'RNN';
      const relu = config['activation'] === 'relu' ? ['nonlinearity="relu"'] : [];
      const after = config['return_sequences'] === true ? '[0]' : '[0][:, -1]';
      const args = [String(known()), String(config['units']), ...relu, ...bias, 'batch_first=True'];
      return { module: callOf(`nn.${kind}`, args), after };
    }
    case 'DepthwiseConv2D': {
      const width = known() * Number(config['depth_multiplier'] ?? 1);
      const window = [...windowOf(step, 'kernel_size'), `groups=${known()}`];
      return { module: callOf('nn.Conv2d', [String(known()), String(width), ...window, ...bias]) };
    }
    case 'BatchNormalization': {
      const momentum = Number((1 - Number(config['momentum'] ?? 0.99)).toPrecision(6));
      const kind = `nn.BatchNorm${(inputs[0]?.length ?? 1) === 3 ? 2 : 1}d`;
      return { module: callOf(kind, [String(known()), epsilon, `momentum=${momentum}`]) };
    }
    case 'LayerNormalization':
      return { module: callOf('nn.LayerNorm', [String(known()), epsilon]) };
    case 'MaxPooling1D':
    case 'MaxPooling2D':
      return { module: callOf(`nn.MaxPool${rank}d`, windowOf(step, 'pool_size')) };
    case 'AveragePooling1D':
    case 'AveragePooling2D':
      return { module: callOf(`nn.AvgPool${rank}d`, windowOf(step, 'pool_size')) };
    case 'GlobalAveragePooling2D':
      return { expression: ([x = '']) => callOf(`${x}.mean`, ['dim=(2, 3)']) };
    case 'GlobalMaxPooling2D':
      return { expression: ([x = '']) => callOf(`${x}.amax`, ['dim=(2, 3)']) };
    case 'Flatten':
      return { expression: ([x = '']) => callOf('torch.flatten', [x, '1']) };
    case 'Dropout':
      return { module: callOf('nn.Dropout', [String(config['rate'])]) };
    case 'Embedding':
      return { module: callOf('nn.Embedding', [String(config['input_dim']), String(config['output_dim'])]) };
    case 'ZeroPadding2D': {
      const [rows = [], columns = []] = config['padding'] as number[][];
      return { module: callOf('nn.ZeroPad2d', [writePython([...columns, ...rows])]) };
    }
    case 'UpSampling2D':
      return { module: callOf('nn.Upsample', [`scale_factor=${writePython(config['size'])}`]) };
    case 'Add':
      return { sign: '+' };
    case 'Multiply':
      return { sign: '*' };
    case 'Concatenate':
      return {
        expression: (given) => callOf('torch.cat', [{ open: '[', items: given, close: ']' }, 'dim=1']),
      };
    case 'Reshape': {
      const shape = config['target_shape'] as number[];
      const sizes = [-1, shape.at(-1), ...shape.slice(0, -1)].map(String);
      return { expression: ([x = '']) => callOf(`${x}.reshape`, sizes) };
    }
    case 'Activation':
      return { expression: ([x = '']) => activate(String(config['activation']), x) };
    case 'ReLU':
      return { expression: ([x = '']) => activate(config['max_value'] === 6 ? 'relu6' : 'relu', x) };
    case 'Softmax':
      return { expression: ([x = '']) => activate('softmax', x) };
    case 'LeakyReLU':
      return { module: callOf('nn.LeakyReLU', [writePython(config['alpha'] ?? 0.3)]) };
    case 'ELU':
      return { module: callOf('nn.ELU', [writePython(config['alpha'] ?? 1)]) };
    default:
      throw badInput('module', `${className} layers cannot be written in PyTorch yet.`);
  }
}

/** Kernel, stride, padding and dilation as arguments. @throws ShrinkError `module` */
function windowOf(step: LayerCallStep, key: string): string[] {
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
    parts.push('padding="same"');
  }
  return parts;
}

/** Kernel, stride and padding of a transposed convolution. @throws ShrinkError `module` */
function transposedWindow({ layer, config }: LayerCallStep): string[] {
  const [kernel, strides] = [numbersOf(config['kernel_size']), numbersOf(config['strides'])];
  const cut = kernel.map((size, axis) => (config['padding'] === 'same' ? size - (strides[axis] ?? 1) : 0));
  if (cut.some((length) => length < 0 || length % 2 !== 0))
    throw badInput('module', `${layer} cuts its output off unevenly, which PyTorch does at the other side.`);
  const zeros = cut.map((length) => length / 2);
  const padding = zeros.some((length) => length > 0) ? [`padding=${writePython(zeros)}`] : [];
  const stride = `stride=${writePython(strides.length === 0 ? [1, 1] : strides)}`;
  return [writePython(kernel), stride, ...padding];
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

export function activate(activation: string, expression: Code): Code {
  if (activation === 'linear') return expression;
  if (activation === 'softmax') return callOf('F.softmax', [expression, 'dim=1']);
  const name = ACTIVATIONS[activation];
  if (name === undefined)
    throw badInput('module', `The activation ${activation} cannot be written in PyTorch yet.`);
  return callOf(name, [expression]);
}
