import { comparesOutputs, labelsFor, lossNamed, plainName, type LossName } from './losses';

/** What a source asks to be measured besides loss and accuracy, and what of it is measured. */

/** Names of the measured ones, as the journal has them: the mean of any loss, and what is none. */
export type MetricName =
  | LossName
  | 'rootMeanSquaredError'
  | 'cosineSimilarity'
  | 'r2Score'
  | 'precision'
  | 'recall'
  | 'binaryAccuracy'
  | 'categoricalAccuracy';

/** Metrics that a source names, in its spelling: for all outputs, or for each in their order or by their names. */
export type MetricsGiven =
  | readonly string[]
  | { readonly byPlace: readonly (readonly string[])[] }
  | { readonly byName: Readonly<Record<string, readonly string[]>> };

/** What is known of an output that metrics are chosen for. */
export interface Measured {
  readonly loss: LossName;
  /** Whether its accuracy is measured anyway. */
  readonly classifies: boolean;
  /** Numbers a row of it ends in. */
  readonly width: number;
  /** What its labels are: see {@link labelsFor}. */
  readonly labels: ReturnType<typeof labelsFor>;
}

export interface ChosenMetrics {
  readonly measured: readonly MetricName[];
  /** Names of the source that are not measured here, as it writes them. */
  readonly others: readonly string[];
}

/** Which of a source's metrics are measured, in any spelling of TensorFlow.js and Keras. */
export function chooseMetrics(names: readonly string[], output: Measured): ChosenMetrics {
  const measured = new Set<MetricName>();
  const others: string[] = [];
  for (const name of names) {
    const metric = metricFor(name, output);
    if (metric === undefined) others.push(name);
    else if (metric !== 'always') measured.add(metric);
  }
  return { measured: [...measured], others };
}

/** @returns `always` for what is measured anyway; undefined for what is unknown or means nothing for the output */
function metricFor(name: string, output: Measured): MetricName | 'always' | undefined {
  const { loss, classifies, width, labels } = output;
  // Sources compare class numbers with all outputs there, which means nothing.
  const isSparse = loss === 'sparseCategoricalCrossentropy';
  const isBinary = width === 1 || loss === 'binaryCrossentropy';
  const hasShares = labels === 'shares' && !isSparse;
  const plain = plainName(name);
  switch (plain) {
    case 'acc':
    case 'accuracy':
      return classifies ? 'always' : accuracyFor(isBinary ? 'binaryAccuracy' : 'categoricalAccuracy', output);
    case 'binaryaccuracy':
    case 'categoricalaccuracy':
      return accuracyFor(plain === 'binaryaccuracy' ? 'binaryAccuracy' : 'categoricalAccuracy', output);
    case 'sparsecategoricalaccuracy':
      return isSparse ? 'always' : undefined;
    case 'ce':
    case 'crossentropy':
      if (isSparse) return 'always';
      return metricFor(isBinary ? 'binaryCrossentropy' : 'categoricalCrossentropy', output);
    case 'precision':
    case 'recall':
      return hasShares ? plain : undefined;
    case 'rootmeansquarederror':
    case 'rmse':
      return isSparse ? undefined : 'rootMeanSquaredError';
    case 'r2score':
      // TensorFlow.js takes all outputs together, Keras each by itself: one is the same for both.
      return !isSparse && (name === 'r2Score' || width === 1) ? 'r2Score' : undefined;
    // As a loss it falls, as Keras's metric it rises.
    case 'cosinesimilarity':
      return isSparse ? undefined : 'cosineSimilarity';
  }
  const metric = lossNamed(name);
  if (metric === undefined) return undefined;
  if (metric === loss) return 'always';
  if (isSparse || metric === 'sparseCategoricalCrossentropy') return undefined;
  if (comparesOutputs(metric) && width === 1) return undefined;
  const needs = labelsFor(metric);
  return needs === 'numbers' || needs === labels ? metric : undefined;
}

/** An accuracy of its own kind, where it is not the one that the loss is shown with. */
function accuracyFor(
  kind: 'binaryAccuracy' | 'categoricalAccuracy',
  { loss, classifies, width, labels }: Measured,
): MetricName | 'always' | undefined {
  const usual = comparesOutputs(loss) ? 'categoricalAccuracy' : 'binaryAccuracy';
  if (classifies && kind === usual) return 'always';
  if (loss === 'sparseCategoricalCrossentropy' || labels !== 'shares') return undefined;
  return kind === 'categoricalAccuracy' && width === 1 ? undefined : kind;
}

/** What a run says of a source's metrics; undefined if it names none. */
export function describeMetrics(names: readonly string[], { others }: ChosenMetrics): string | undefined {
  if (names.length === 0) return undefined;
  const left = others.length === 0 ? '' : `; not measured here: ${others.join(', ')}`;
  return `metrics of the source: ${names.join(', ')}${left}`;
}
