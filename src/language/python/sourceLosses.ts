import { lossNamed } from '../../core/losses';
import type { Syntax } from '../syntax';
import { argumentsOf, lastName, positionalOf, resolve, stringText } from './sourceSyntax';

/**
 * The loss of a source's training code as the option has it: by our name; of several outputs all, in their order or by
 * name. One that is not known here, or has settings that are not, is given as it is written, for what is said of it.
 */
export function readSourceLoss(root: Syntax): string | undefined {
  let unknown: string | undefined;
  const nodes = root.walk();
  const imported = importsFromLosses(nodes);
  for (const node of nodes) {
    if (node.type !== 'call') continue;
    const found =
      lastName(node.field('function')) === 'compile'
        ? lossesIn(compileLoss(node), root)
        : lossOfLibrary(node, imported);
    if (found?.known === true) return found.text;
    unknown ??= found?.text;
  }
  return unknown;
}

interface SourceLoss {
  readonly text: string;
  readonly known: boolean;
}

function compileLoss(call: Syntax): Syntax | undefined {
  return argumentsOf(call).find(({ name }) => name === 'loss')?.value ?? positionalOf(call)[1];
}

/** What `loss=` is given: one, a list, or by the outputs' names. */
function lossesIn(node: Syntax | undefined, root: Syntax): SourceLoss | undefined {
  const given = resolve(node, root);
  if (given?.type === 'list' || given?.type === 'tuple')
    return joined(given.namedChildren.map((item) => oneLoss(item, root)));
  if (given?.type !== 'dictionary') return oneLoss(given, root);
  return joined(
    given.namedChildren.map((pair) => {
      const [output, loss] = [stringText(pair.field('key')), oneLoss(pair.field('value'), root)];
      return output === '' || loss === undefined ? undefined : { ...loss, text: `${output}:${loss.text}` };
    }),
  );
}

function joined(parts: readonly (SourceLoss | undefined)[]): SourceLoss | undefined {
  const all = parts.filter((part) => part !== undefined);
  if (all.length === 0 || all.length < parts.length) return undefined;
  return { text: all.map(({ text }) => text).join(','), known: all.every(({ known }) => known) };
}

function oneLoss(node: Syntax | undefined, root: Syntax): SourceLoss | undefined {
  const given = resolve(node, root);
  if (given?.type === 'call') return lossOfCall(given);
  if (given?.type !== 'string' && given?.type !== 'attribute' && given?.type !== 'identifier')
    return undefined;
  // A function is passed by its name: `keras.losses.mean_absolute_error`.
  const name = given.type === 'string' ? stringText(given) : lastName(given);
  const loss = lossNamed(name);
  return loss === undefined ? { text: name, known: false } : { text: loss, known: true };
}

/** PyTorch's, which compares class numbers with all outputs. */
const TORCH: Readonly<Record<string, string>> = {
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
  L1Loss: 'meanAbsoluteError',
  l1_loss: 'meanAbsoluteError',
  HuberLoss: 'huber',
  huber_loss: 'huber',
  SmoothL1Loss: 'huber',
  smooth_l1_loss: 'huber',
  PoissonNLLLoss: 'poisson',
  poisson_nll_loss: 'poisson',
};

/**
 * A call of a library's loss, wherever it stands. A metric or a random number may be named as a loss is.
 *
 * @param imported see {@link importsFromLosses}
 */
function lossOfLibrary(call: Syntax, imported: ReadonlySet<string>): SourceLoss | undefined {
  const callee = call.field('function');
  const name = lastName(callee);
  const text = callee?.text ?? '';
  const isKeras = /(^|\.)losses\.\w+$/.test(text) || (text === name && imported.has(name));
  const isTorch = name in TORCH || /(^|\.)nn\.\w+Loss$/.test(text);
  return isKeras || isTorch ? lossOfCall(call) : undefined;
}

/** Names that a file imports from a module called `losses`. */
function importsFromLosses(nodes: readonly Syntax[]): ReadonlySet<string> {
  const names = nodes
    .filter(
      (node) =>
        node.type === 'import_from_statement' && /(^|\.)losses$/.test(node.field('module_name')?.text ?? ''),
    )
    .flatMap((node) => node.namedChildren.map((child) => child.text));
  return new Set(names);
}

function lossOfCall(call: Syntax): SourceLoss {
  const name = lastName(call.field('function'));
  const loss = TORCH[name] ?? lossNamed(name);
  const written = (call.text.replace(/^.*?(?=\w+\()/s, '') || call.text).replace(/\s+/g, ' ');
  if (loss === undefined) return { text: written, known: false };
  return settingsOf(call, name).every(isUsual) && !isLogarithmic(call, name)
    ? { text: loss, known: true }
    : { text: written, known: false };
}

interface Setting {
  readonly name: string;
  readonly text: string;
}

/** What the first places of a loss that is made say; of a function, the first two are outputs and labels. */
function placesOf(name: string): readonly string[] {
  if (/^[a-z]/.test(name)) return ['y_true', 'y_pred'];
  if (name === 'Huber') return ['delta'];
  return /Crossentropy$/.test(name) ? ['from_logits', 'label_smoothing'] : [];
}

function settingsOf(call: Syntax, name: string): Setting[] {
  const places = placesOf(name);
  const named = argumentsOf(call).map((given) => ({ name: given.name, text: given.value.text }));
  const placed = positionalOf(call).map(({ text }, i) => ({ name: places[i] ?? 'unknown', text }));
  return [...placed, ...named];
}

/** Settings with which a loss is what it is without them. Whether outputs are logits follows from the last layer. */
function isUsual({ name, text }: Setting): boolean {
  const value = text.replace(/^['"]|['"]$/g, '');
  switch (name) {
    case 'y_true':
    case 'y_pred':
    case 'input':
    case 'target':
    case 'name':
    case 'dtype':
    case 'from_logits':
      return true;
    case 'reduction':
      return (
        ['mean', 'sum_over_batch_size', 'auto'].includes(value) || /\b(AUTO|SUM_OVER_BATCH_SIZE)$/.test(value)
      );
    case 'axis':
      return value === '-1';
    case 'delta':
    case 'beta':
      return Number(value) === 1;
    case 'label_smoothing':
      return Number(value) === 0;
    case 'weight':
    case 'pos_weight':
      return value === 'None';
    case 'log_input':
    case 'full':
      return value === 'False';
    default:
      return false;
  }
}

/** PyTorch's Poisson loss takes outputs for logarithms unless it is told otherwise. */
function isLogarithmic(call: Syntax, name: string): boolean {
  const isPoisson = name === 'PoissonNLLLoss' || name === 'poisson_nll_loss';
  return isPoisson && !argumentsOf(call).some((given) => given.name === 'log_input');
}
