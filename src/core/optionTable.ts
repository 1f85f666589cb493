import { lossNamed, LOSS_NAMES } from './losses';
import type { TrainOptions } from './options';
import { STRATEGIES } from './removal';

/**
 * Every option of a run, once: hints (`@shrink-model key=value`), command-line flags (`--kebab-case`) and settings
 * (`shrinknets.key`) are all read, checked, completed and documented from this table.
 */

export type OptionType =
  | {
      readonly kind: 'number' | 'integer';
      readonly min?: number;
      readonly max?: number;
      readonly above?: number;
    }
  | {
      readonly kind: 'choice';
      readonly values: readonly string[];
      /** Whether several may be given, one for each output of a model: `a,b` in their order or `name:a,other:b`. */
      readonly perOutput?: boolean;
      /** Takes other spellings of the values; undefined for what is none. */
      readonly read?: (text: string) => string | undefined;
    }
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
    type: { kind: 'choice', values: ['params', 'macs', 'latency'] },
    default: 'params',
    about:
      'What a channel costs and a size counts: parameters, or multiply-accumulate operations of one input. With latency a channel costs the time it takes in a training step, measured here when the run starts; sizes are then parameters.',
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
    key: 'baseline',
    type: { kind: 'choice', values: ['full', 'short', 'off'] },
    default: 'short',
    about:
      'How the starting size is trained, as a row to compare with: full gives it as many epochs as every size, short only a finish after the epochs it had before channels went, off leaves it away (but distill needs it).',
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
      values: LOSS_NAMES,
      perOutput: true,
      read: lossNamed,
    },
    about:
      'Loss, or one for each output (name:loss,…); without it that of the source, or what fits the last layer.',
  },
  {
    key: 'lambda',
    type: { kind: 'number', min: 0 },
    default: '0.003',
    about: 'Strength of the L1 penalty on the switches (modes lambda and original).',
  },
  {
    key: 'costWeight',
    type: { kind: 'choice', values: ['1', 'params', 'macs', 'latency'] },
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
