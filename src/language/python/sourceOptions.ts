import type { MetricsGiven } from '../../core/metrics';
import type { Syntax } from '../syntax';
import { readSourceLoss } from './sourceLosses';
import { argumentsOf, lastName, positionalOf, resolve, stringText } from './sourceSyntax';

/**
 * What a Python source says about training, as text by option key: `model.compile(…)`, `nn.CrossEntropyLoss()`,
 * `optim.Adam(…, lr=1e-3)`, `batch_size=64`. Only what stands there as a literal or a well-known name; the first of
 * each counts.
 */
export function readSourceOptions(root: Syntax): Record<string, string> {
  const loss = readSourceLoss(root);
  const options: Record<string, string> = loss === undefined ? {} : { loss };
  const note = (key: string, value: string | undefined): void => {
    if (value !== undefined) options[key] ??= value;
  };
  for (const node of root.walk()) {
    if (node.type === 'keyword_argument' && node.field('name')?.text === 'batch_size')
      note('batchSize', integerText(resolve(node.field('value'), root)));
    if (node.type !== 'call') continue;
    const name = lastName(node.field('function'));
    const optimizer = OPTIMIZERS[name];
    if (optimizer !== undefined && isOptimizerCall(node)) {
      note('optimizer', usesMomentum(node, optimizer));
      note('learningRate', readLearningRate(node, root));
    }
    if (name === 'compile') note('optimizer', OPTIMIZERS[stringText(argumentOf(node, 0, 'optimizer'))]);
  }
  return options;
}

/**
 * The metrics of `model.compile(…)`: names, and classes or functions of a library.
 *
 * @returns as they are written, each once; those of the first call that has any
 */
export function readSourceMetrics(root: Syntax): MetricsGiven {
  for (const node of root.walk()) {
    if (node.type !== 'call' || lastName(node.field('function')) !== 'compile') continue;
    const given = resolve(argumentOf(node, -1, 'metrics'), root);
    if (given?.type === 'dictionary') {
      const pairs = given.namedChildren.map(
        (pair) => [stringText(pair.field('key')), metricNames(pair.field('value'))] as const,
      );
      return { byName: Object.fromEntries(pairs) };
    }
    if (given !== undefined && isList(given) && given.namedChildren.some(isList))
      return { byPlace: given.namedChildren.map(metricNames) };
    const names = metricNames(given);
    if (names.length > 0) return names;
  }
  return [];
}

function isList(node: Syntax | undefined): boolean {
  return node?.type === 'list' || node?.type === 'tuple';
}

/** @param node one metric or a list of them */
function metricNames(node: Syntax | undefined): string[] {
  const items = node === undefined ? [] : isList(node) ? node.namedChildren : [node];
  return [...new Set(items.map(metricName).filter((name) => name !== '' && name !== 'None'))];
}

function metricName(node: Syntax): string {
  if (node.type === 'call') return lastName(node.field('function'));
  return stringText(node) === '' ? lastName(node) : stringText(node);
}

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

function argumentOf(call: Syntax, index: number, name: string): Syntax | undefined {
  return argumentsOf(call).find((given) => given.name === name)?.value ?? positionalOf(call)[index];
}

function integerText(node: Syntax | undefined): string | undefined {
  return node?.type === 'integer' ? node.text : undefined;
}
