import { badInput } from './errors';
import { STRATEGIES, type Strategy } from './removal';

/**
 * Every option of a run, once: hints (`@shrink-model key=value`), command-line flags (`--kebab-case`) and settings
 * (`shrinknets.key`) are all read, checked, completed and documented from this table.
 */

/** A size to reach: a share of the starting size, or a number of parameters (or MACs). */
export interface Size {
  readonly value: number;
  readonly unit: 'percent' | 'count';
}

export type Mode = 'budget' | 'lambda' | 'original';
export type CostKind = 'params' | 'macs';
/** What a channel's penalty is weighed by: nothing (the paper), or what goes when it goes. */
export type CostWeight = '1' | CostKind;

export interface TrainOptions {
  readonly mode: Mode;
  readonly budget: readonly Size[];
  /** Percentage points of validation accuracy that may be given up. */
  readonly maxDrop: number;
  readonly cost: CostKind;
  /** Epochs of the trunk, in which widths are learned. */
  readonly epochs: number;
  /** Epochs in which each size is finished: no penalty, learning rate to 0. */
  readonly finish: number;
  readonly batchSize: number;
  /** Overrides the learning rate of the source's optimizer. */
  readonly learningRate?: number;
  readonly optimizer?: string;
  readonly loss?: string;
  /** What shrinks channels in mode original: switches (eq. 2), or the norms of their weights (eq. 5). */
  readonly regularizer: 'switches' | 'group';
  readonly lambda: number;
  /** Without it, the mode's own: 1 in `original`, the square root of `cost` in `lambda`. */
  readonly costWeight?: CostWeight;
  readonly lambda2: number;
  /** p of the λ2 term. */
  readonly power: 1 | 2;
  /** How λ moves over the trunk. */
  readonly lambdaSchedule: 'constant' | 'warmup' | 'ramp';
  /** How the learning rate moves over the trunk. */
  readonly rateSchedule: 'constant' | 'plateau';
  /** How a switch acts (mode original). */
  readonly form: 'relu' | 'signed';
  readonly strategy: Strategy;
  readonly gamma: number;
  readonly threshold: number;
  /** Share of the finish's loss that compares with the finished starting network; 0 for none. */
  readonly distill: number;
  /** Temperature at which both are compared. */
  readonly temperature: number;
  readonly seed: number;
  readonly engine: string;
  /** Module, file or folder, relative to the source file. */
  readonly data?: string;
  readonly target?: string;
  readonly test?: string;
  /** Whether columns are shifted and scaled to mean 0 and deviation 1; auto does it for tables. */
  readonly standardize: 'auto' | 'on' | 'off';
  /** Megabytes that rows may take in memory; data that takes more stays on disk. */
  readonly dataMemory?: number;
  /** Share of the training rows held out for validation. */
  readonly validation: number;
  /** JSON array of arguments for a model function with parameters. */
  readonly args?: string;
  /** JSON array: features of one input in the source's axis order, for Python models that do not say it. */
  readonly input?: string;
}

type OptionType =
  | {
      readonly kind: 'number' | 'integer';
      readonly min?: number;
      readonly max?: number;
      readonly above?: number;
    }
  | { readonly kind: 'choice'; readonly values: readonly string[] }
  | { readonly kind: 'sizes' }
  | { readonly kind: 'text' };

export interface OptionSpec {
  readonly key: keyof TrainOptions;
  readonly type: OptionType;
  readonly default?: string;
  readonly unit?: string;
  /** One sentence for help, hover and settings. */
  readonly about: string;
}

export const MODEL_OPTIONS: readonly OptionSpec[] = [
  {
    key: 'data',
    type: { kind: 'text' },
    about: 'Training data: a module, a file or a folder, relative to the model file.',
  },
  {
    key: 'target',
    type: { kind: 'text' },
    about:
      'What a table predicts: a column by name or number, several with commas, or last 16; without it the last column. For arrays, the name or file of the labels.',
  },
  {
    key: 'test',
    type: { kind: 'text' },
    about: 'Test data of the same kind as data, if it is not part of it.',
  },
  {
    key: 'standardize',
    type: { kind: 'choice', values: ['auto', 'on', 'off'] },
    default: 'auto',
    about:
      'Whether inputs and predicted numbers get mean 0 and deviation 1 over the training rows: auto does it for tables.',
  },
  {
    key: 'dataMemory',
    type: { kind: 'integer', min: 0, max: 100_000_000 },
    unit: 'MB',
    about:
      'Memory that rows may take: data that takes more is read from disk while it trains. Without it, half of the machine’s.',
  },
  {
    key: 'validation',
    type: { kind: 'number', above: 0, max: 0.9 },
    default: '0.1667',
    about: 'Share of the training rows held out to choose between sizes.',
  },
  {
    key: 'budget',
    type: { kind: 'sizes' },
    default: '50%,25%,12%,6%,3%',
    unit: 'parameters or MACs, see cost',
    about: 'Sizes to reach, as counts or as shares of the starting size.',
  },
  {
    key: 'maxDrop',
    type: { kind: 'number', min: 0, max: 100 },
    default: '0.5',
    unit: 'percentage points',
    about: 'Validation accuracy that may be given up: the smallest size within it is emitted.',
  },
  {
    key: 'cost',
    type: { kind: 'choice', values: ['params', 'macs'] },
    default: 'params',
    about: 'What a size counts: parameters, or multiply-accumulate operations of one input.',
  },
  {
    key: 'mode',
    type: { kind: 'choice', values: ['budget', 'lambda', 'original'] },
    default: 'budget',
    about: 'budget: reach sizes on a schedule. lambda: a fixed penalty. original: the paper’s forms.',
  },
  {
    key: 'epochs',
    type: { kind: 'integer', min: 1, max: 100_000 },
    default: '16',
    unit: 'epochs',
    about: 'Passes over the training data in which widths are learned.',
  },
  {
    key: 'finish',
    type: { kind: 'integer', min: 0, max: 100_000 },
    default: '4',
    unit: 'epochs',
    about: 'Passes in which each size is finished, without penalty and with the learning rate falling to 0.',
  },
  {
    key: 'batchSize',
    type: { kind: 'integer', min: 1, max: 1_000_000 },
    default: '128',
    unit: 'rows',
    about: 'Rows in a training step.',
  },
  {
    key: 'learningRate',
    type: { kind: 'number', above: 0, max: 1000 },
    about: 'Learning rate; without it the optimizer in the source says, or 0.001.',
  },
  {
    key: 'optimizer',
    type: {
      kind: 'choice',
      values: ['sgd', 'momentum', 'nesterov', 'adagrad', 'adadelta', 'adam', 'adamax', 'rmsprop'],
    },
    about: 'Optimizer; without it the one in the source, or adam.',
  },
  {
    key: 'loss',
    type: {
      kind: 'choice',
      values: [
        'categoricalCrossentropy',
        'sparseCategoricalCrossentropy',
        'binaryCrossentropy',
        'meanSquaredError',
      ],
    },
    about: 'Loss; without it the one in the source, or the one that fits the last layer.',
  },
  {
    key: 'lambda',
    type: { kind: 'number', min: 0 },
    default: '0.003',
    about: 'Strength of the L1 penalty on the switches (modes lambda and original).',
  },
  {
    key: 'costWeight',
    type: { kind: 'choice', values: ['1', 'params', 'macs'] },
    about:
      'What the penalty of a channel is weighed by (modes lambda and original): 1 is the paper; without it, the mode decides.',
  },
  {
    key: 'lambda2',
    type: { kind: 'number', min: 0 },
    default: '0.00001',
    about: 'Strength of the L2 penalty on the other weights (modes lambda and original).',
  },
  {
    key: 'power',
    type: { kind: 'choice', values: ['1', '2'] },
    default: '2',
    about: 'Power p of the penalty on the other weights (modes lambda and original).',
  },
  {
    key: 'lambdaSchedule',
    type: { kind: 'choice', values: ['constant', 'warmup', 'ramp'] },
    default: 'constant',
    about:
      'How the penalty moves: constant, rising over the first quarter, or rising a hundredfold to the end.',
  },
  {
    key: 'rateSchedule',
    type: { kind: 'choice', values: ['constant', 'plateau'] },
    default: 'constant',
    about: 'How the learning rate moves: constant, or a tenth after five epochs without a better validation.',
  },
  {
    key: 'regularizer',
    type: { kind: 'choice', values: ['switches', 'group'] },
    default: 'switches',
    about: 'What shrinks channels in mode original: their switches, or the norms of their weights (group).',
  },
  {
    key: 'form',
    type: { kind: 'choice', values: ['relu', 'signed'] },
    default: 'signed',
    about: 'How a switch acts in mode original: max(0, θ) as in the draft, or β as in later ones.',
  },
  {
    key: 'strategy',
    type: { kind: 'choice', values: STRATEGIES },
    default: 'sign-variance',
    about: 'When a channel is dead in mode original.',
  },
  {
    key: 'gamma',
    type: { kind: 'number', min: 0, max: 0.99999 },
    default: '0.99',
    about: 'Forgetting factor of the sign statistics (mode original).',
  },
  {
    key: 'threshold',
    type: { kind: 'number', above: 0, max: 100 },
    default: '0.5',
    about: 'Sign variance, or size of a switch, at which a channel dies (mode original).',
  },
  {
    key: 'distill',
    type: { kind: 'number', min: 0, max: 1 },
    default: '0',
    about: 'Share of the loss of a finish that compares with the finished starting network; 0 for none.',
  },
  {
    key: 'temperature',
    type: { kind: 'number', above: 0, max: 1000 },
    default: '4',
    about: 'Temperature at which the finish compares with the starting network (distill above 0).',
  },
  {
    key: 'seed',
    type: { kind: 'integer', min: 0, max: 4_294_967_295 },
    default: '1',
    about: 'Seed of everything random: first weights, order of the rows, switches.',
  },
  {
    key: 'engine',
    type: { kind: 'text' },
    default: 'auto',
    about: 'What computes: auto takes the fastest that works here.',
  },
  { key: 'args', type: { kind: 'text' }, about: 'Arguments of a model function, as a JSON array.' },
  {
    key: 'input',
    type: { kind: 'text' },
    about:
      'Shape of one input as a JSON array, in the order of the source, where the source does not say it.',
  },
];

/** @returns the option's parsed value. @throws ShrinkError `bad-option`, saying what is allowed. */
export function parseOption(spec: OptionSpec, text: string, shown: string = spec.key): unknown {
  const type = spec.type;
  switch (type.kind) {
    case 'text':
      if (text === '') throw badInput('bad-option', `${shown} is empty; give it a value.`);
      return text;
    case 'choice':
      if (!type.values.includes(text))
        throw badInput('bad-option', `${shown} is ${quote(text)}; it can be ${type.values.join(', ')}.`);
      return spec.key === 'power' ? Number(text) : text;
    case 'sizes':
      return parseSizes(text, shown);
    case 'number':
    case 'integer': {
      const value = text.trim() === '' ? Number.NaN : Number(text);
      const wanted = describeRange(type);
      const bad =
        !Number.isFinite(value) ||
        (type.kind === 'integer' && !Number.isInteger(value)) ||
        (type.min !== undefined && value < type.min) ||
        (type.above !== undefined && value <= type.above) ||
        (type.max !== undefined && value > type.max);
      if (bad) throw badInput('bad-option', `${shown} is ${quote(text)}; it must be ${wanted}.`);
      return value;
    }
  }
}

/** "a whole number from 1 to 10", for messages and documentation. */
export function describeRange(type: Extract<OptionType, { kind: 'number' | 'integer' }>): string {
  const noun = type.kind === 'integer' ? 'a whole number' : 'a number';
  const low =
    type.above !== undefined ? `above ${type.above}` : type.min !== undefined ? `at least ${type.min}` : '';
  const high = type.max !== undefined ? `at most ${type.max}` : '';
  return [noun, [low, high].filter((part) => part !== '').join(' and ')]
    .filter((part) => part !== '')
    .join(' ');
}

/** What an option may hold, for help and hover. */
export function describeType(type: OptionType): string {
  switch (type.kind) {
    case 'text':
      return 'text';
    case 'choice':
      return type.values.join(' | ');
    case 'sizes':
      return 'counts or percentages, separated by commas';
    case 'number':
    case 'integer':
      return describeRange(type);
  }
}

function parseSizes(text: string, shown: string): Size[] {
  const sizes = text.split(',').map((part): Size => {
    const match = /^\s*(\d+(?:\.\d+)?)\s*([%kKmM]?)\s*$/.exec(part);
    const value = Number(match?.[1]);
    const unit = match?.[2] ?? '';
    if (match === null || !(value > 0))
      throw badInput(
        'bad-option',
        `${shown} has ${quote(part)}; give sizes as counts (40000, 40k) or shares (12%).`,
      );
    if (unit === '%') {
      if (value >= 100)
        throw badInput(
          'bad-option',
          `${shown} has ${quote(part)}; a share of the starting size lies under 100%.`,
        );
      return { value, unit: 'percent' };
    }
    const scale = unit.toLowerCase() === 'k' ? 1e3 : unit.toLowerCase() === 'm' ? 1e6 : 1;
    return { value: value * scale, unit: 'count' };
  });
  return sizes;
}

function quote(text: string): string {
  return JSON.stringify(text);
}

/**
 * Resolves options: explicit ones over hints over defaults. All values are text, as a user wrote them.
 *
 * @param layers from weakest to strongest; each names itself for messages
 * @throws ShrinkError `bad-option` or `unknown-option`
 */
export function resolveOptions(
  layers: readonly {
    readonly name: (key: string) => string;
    readonly values: Readonly<Record<string, string>>;
  }[],
): TrainOptions {
  const resolved: Record<string, unknown> = {};
  for (const spec of MODEL_OPTIONS)
    if (spec.default !== undefined) resolved[spec.key] = parseOption(spec, spec.default);
  for (const layer of layers) {
    for (const [key, text] of Object.entries(layer.values)) {
      const spec = MODEL_OPTIONS.find((candidate) => candidate.key === key);
      if (spec === undefined) throw badInput('unknown-option', `${layer.name(key)} is not an option.`);
      resolved[key] = parseOption(spec, text, layer.name(key));
    }
  }
  return resolved as unknown as TrainOptions;
}
