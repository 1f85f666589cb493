import type { Syntax } from '../syntax';

/**
 * What a Python source says about training, as text by option key: `model.compile(…)`, `nn.CrossEntropyLoss()`,
 * `optim.Adam(…, lr=1e-3)`, `batch_size=64`. Only what stands there as a literal or a well-known name; the first of
 * each counts.
 */
export function readSourceOptions(root: Syntax): Record<string, string> {
  const options: Record<string, string> = {};
  const note = (key: string, value: string | undefined): void => {
    if (value !== undefined) options[key] ??= value;
  };
  for (const node of root.walk()) {
    if (node.type === 'keyword_argument' && node.field('name')?.text === 'batch_size')
      note('batchSize', integerText(resolve(node.field('value'), root)));
    if (node.type !== 'call') continue;
    const name = lastName(node.field('function'));
    note('loss', LOSSES[name]);
    const optimizer = OPTIMIZERS[name];
    if (optimizer !== undefined && isOptimizerCall(node)) {
      note('optimizer', usesMomentum(node, optimizer));
      note('learningRate', readLearningRate(node, root));
    }
    if (name === 'compile') {
      note('optimizer', OPTIMIZERS[textOf(argumentOf(node, 0, 'optimizer'))]);
      note('loss', readLoss(argumentOf(node, 1, 'loss')));
    }
  }
  return options;
}

/** A loss that we know by our name, another by its own; of several outputs all, in their order or by name. */
function readLoss(node: Syntax | undefined): string | undefined {
  if (node?.type === 'string') return LOSSES[textOf(node)] ?? textOf(node);
  if (node?.type === 'list' || node?.type === 'tuple') return joined(node.namedChildren.map(lossName));
  if (node?.type !== 'dictionary') return undefined;
  return joined(
    node.namedChildren.map((pair) => {
      const [output, loss] = [textOf(pair.field('key')), lossName(pair.field('value'))];
      return output === '' || loss === undefined ? undefined : `${output}:${loss}`;
    }),
  );
}

function lossName(node: Syntax | undefined): string | undefined {
  if (node?.type === 'call') return LOSSES[lastName(node.field('function'))];
  return node?.type === 'string' ? readLoss(node) : undefined;
}

/** @returns undefined where one of them is none */
function joined(parts: readonly (string | undefined)[]): string | undefined {
  return parts.includes(undefined) ? undefined : parts.join(',');
}

/**
 * The metrics of `model.compile(…)`: names, and classes or functions of a library.
 *
 * @returns as they are written, each once; those of the first call that has any
 */
export function readSourceMetrics(root: Syntax): string[] {
  for (const node of root.walk()) {
    if (node.type !== 'call' || lastName(node.field('function')) !== 'compile') continue;
    const list = resolve(argumentOf(node, -1, 'metrics'), root);
    const items = list?.type === 'list' || list?.type === 'tuple' ? list.namedChildren : [];
    const names = items.map(metricName).filter((name) => name !== '');
    if (names.length > 0) return [...new Set(names)];
  }
  return [];
}

function metricName(node: Syntax): string {
  if (node.type === 'call') return lastName(node.field('function'));
  return textOf(node) === '' ? lastName(node) : textOf(node);
}

const LOSSES: Readonly<Record<string, string>> = {
  categorical_crossentropy: 'categoricalCrossentropy',
  CategoricalCrossentropy: 'categoricalCrossentropy',
  sparse_categorical_crossentropy: 'sparseCategoricalCrossentropy',
  SparseCategoricalCrossentropy: 'sparseCategoricalCrossentropy',
  binary_crossentropy: 'binaryCrossentropy',
  BinaryCrossentropy: 'binaryCrossentropy',
  mse: 'meanSquaredError',
  mean_squared_error: 'meanSquaredError',
  MeanSquaredError: 'meanSquaredError',
  // PyTorch's labels are class numbers.
  CrossEntropyLoss: 'sparseCategoricalCrossentropy',
  NLLLoss: 'sparseCategoricalCrossentropy',
  cross_entropy: 'sparseCategoricalCrossentropy',
  nll_loss: 'sparseCategoricalCrossentropy',
  BCELoss: 'binaryCrossentropy',
  BCEWithLogitsLoss: 'binaryCrossentropy',
  binary_cross_entropy: 'binaryCrossentropy',
  binary_cross_entropy_with_logits: 'binaryCrossentropy',
  MSELoss: 'meanSquaredError',
  mse_loss: 'meanSquaredError',
};

const OPTIMIZERS: Readonly<Record<string, string>> = Object.fromEntries(
  ['SGD', 'Adagrad', 'Adadelta', 'Adam', 'Adamax', 'RMSprop'].flatMap((name) => [
    [name, name.toLowerCase()],
    [name.toLowerCase(), name.toLowerCase()],
  ]),
);

/** `optim.Adam(model.parameters(), lr=…)` or `keras.optimizers.Adam(…)`, not just any function named `adam`. */
function isOptimizerCall(call: Syntax): boolean {
  return /^[A-Z]/.test(lastName(call.field('function')));
}

function usesMomentum(call: Syntax, optimizer: string): string {
  const momentum = argumentOf(call, -1, 'momentum');
  if (optimizer !== 'sgd' || momentum === undefined) return optimizer;
  return argumentOf(call, -1, 'nesterov')?.type === 'true' ? 'nesterov' : 'momentum';
}

function readLearningRate(call: Syntax, root: Syntax): string | undefined {
  const named = argumentOf(call, -1, 'lr') ?? argumentOf(call, -1, 'learning_rate');
  const given = named ?? (call.field('arguments')?.namedChildren ?? []).find((node) => node.type === 'float');
  const value = resolve(given, root);
  return value?.type === 'float' || value?.type === 'integer' ? value.text : undefined;
}

/** The value of a constant of the module, or of a parameter's default, by one step. */
function resolve(node: Syntax | undefined, root: Syntax): Syntax | undefined {
  if (node?.type !== 'identifier') return node;
  const assignments = root.walk().filter((inner) => {
    const isTarget = inner.type === 'assignment' && inner.field('left')?.text === node.text;
    return isTarget && inner.parent?.parent === root;
  });
  return assignments.length === 1 ? assignments[0]?.field('right') : undefined;
}

function argumentOf(call: Syntax, index: number, name: string): Syntax | undefined {
  const args = call.field('arguments')?.namedChildren ?? [];
  const named = args.find((arg) => arg.type === 'keyword_argument' && arg.field('name')?.text === name);
  const positional = args.filter((arg) => arg.type !== 'keyword_argument')[index];
  return named?.field('value') ?? positional;
}

function textOf(node: Syntax | undefined): string {
  return node?.type === 'string' ? node.text.replace(/^['"]+|['"]+$/g, '') : '';
}

function integerText(node: Syntax | undefined): string | undefined {
  return node?.type === 'integer' ? node.text : undefined;
}

function lastName(callee: Syntax | undefined): string {
  return callee?.field('attribute')?.text ?? callee?.text ?? '';
}
