/** What a source asks to be measured besides loss and accuracy, and what of it is measured. */

/** Names of the measured ones, as the journal has them. */
export type MetricName =
  'meanAbsoluteError' | 'meanSquaredError' | 'rootMeanSquaredError' | 'precision' | 'recall';

/** Spellings of sources without case and underscores. Accuracy and loss are measured anyway. */
const SPELLINGS: Readonly<Record<string, MetricName | 'always'>> = {
  acc: 'always',
  accuracy: 'always',
  binaryaccuracy: 'always',
  categoricalaccuracy: 'always',
  sparsecategoricalaccuracy: 'always',
  binarycrossentropy: 'always',
  categoricalcrossentropy: 'always',
  sparsecategoricalcrossentropy: 'always',
  mae: 'meanAbsoluteError',
  meanabsoluteerror: 'meanAbsoluteError',
  mse: 'meanSquaredError',
  meansquarederror: 'meanSquaredError',
  rootmeansquarederror: 'rootMeanSquaredError',
  precision: 'precision',
  recall: 'recall',
};

export interface ChosenMetrics {
  readonly measured: readonly MetricName[];
  /** Names of the source that are not measured here, as it writes them. */
  readonly others: readonly string[];
}

/**
 * Which of a source's metrics are measured.
 *
 * @param classes whether rows belong to one of two classes, to one of several, or have values
 */
export function chooseMetrics(
  names: readonly string[],
  classes: 'two' | 'several' | 'values',
): ChosenMetrics {
  const measured = new Set<MetricName>();
  const others: string[] = [];
  for (const name of names) {
    const metric = SPELLINGS[name.toLowerCase().replaceAll('_', '')];
    const isError = metric?.endsWith('Error') === true;
    // Errors are for values, precision and recall for two classes: elsewhere libraries differ in what they mean.
    const fits =
      metric === 'always' ? classes !== 'values' : isError ? classes === 'values' : classes === 'two';
    if (metric === undefined || !fits) others.push(name);
    else if (metric !== 'always') measured.add(metric);
  }
  return { measured: [...measured], others };
}

/** What a run says of a source's metrics; undefined if it names none. */
export function describeMetrics(names: readonly string[], { others }: ChosenMetrics): string | undefined {
  if (names.length === 0) return undefined;
  const left = others.length === 0 ? '' : `; not measured here: ${others.join(', ')}`;
  return `metrics of the source: ${names.join(', ')}${left}`;
}
