/** The losses that networks are trained with: those of TensorFlow.js, and Huber's. */

export const LOSS_NAMES = [
  'categoricalCrossentropy',
  'sparseCategoricalCrossentropy',
  'binaryCrossentropy',
  'kullbackLeiblerDivergence',
  'categoricalHinge',
  'hinge',
  'squaredHinge',
  'meanSquaredError',
  'meanAbsoluteError',
  'meanAbsolutePercentageError',
  'meanSquaredLogarithmicError',
  'huber',
  'logcosh',
  'poisson',
  'cosineProximity',
] as const;

export type LossName = (typeof LOSS_NAMES)[number];

/**
 * What labels a loss is made for: `shares` from 0 to 1 (one-hot rows, probabilities, yes and no), `signs` -1 and 1, or
 * any `numbers`.
 */
export function labelsFor(loss: LossName): 'shares' | 'signs' | 'numbers' {
  switch (loss) {
    case 'categoricalCrossentropy':
    case 'sparseCategoricalCrossentropy':
    case 'binaryCrossentropy':
    case 'kullbackLeiblerDivergence':
    case 'categoricalHinge':
      return 'shares';
    case 'hinge':
    case 'squaredHinge':
      return 'signs';
    case 'meanSquaredError':
    case 'meanAbsoluteError':
    case 'meanAbsolutePercentageError':
    case 'meanSquaredLogarithmicError':
    case 'huber':
    case 'logcosh':
    case 'poisson':
    case 'cosineProximity':
      return 'numbers';
  }
}

/** Whether a loss means the same after numbers are shifted and scaled; a percentage or a count does not. */
export function takesStandardized(loss: LossName): boolean {
  return ['meanSquaredError', 'meanAbsoluteError', 'huber', 'logcosh'].includes(loss);
}

/** Whether a loss compares the outputs of a row with each other, so that one output alone says nothing. */
export function comparesOutputs(loss: LossName): boolean {
  return [
    'categoricalCrossentropy',
    'sparseCategoricalCrossentropy',
    'kullbackLeiblerDivergence',
    'categoricalHinge',
  ].includes(loss);
}

/** Other spellings of TensorFlow.js and Keras, as {@link plainName} has them. */
const ALIASES: Readonly<Record<string, LossName>> = {
  mse: 'meanSquaredError',
  mae: 'meanAbsoluteError',
  absolutedifference: 'meanAbsoluteError',
  mape: 'meanAbsolutePercentageError',
  msle: 'meanSquaredLogarithmicError',
  huberloss: 'huber',
  cosine: 'cosineProximity',
  cosinesimilarity: 'cosineProximity',
  kld: 'kullbackLeiblerDivergence',
  kldivergence: 'kullbackLeiblerDivergence',
  hingeloss: 'hinge',
  softmaxcrossentropy: 'categoricalCrossentropy',
  sigmoidcrossentropy: 'binaryCrossentropy',
  logloss: 'binaryCrossentropy',
};

const BY_PLAIN_NAME: ReadonlyMap<string, LossName> = new Map([
  ...Object.entries(ALIASES),
  ...LOSS_NAMES.map((name) => [plainName(name), name] as const),
]);

/** A name without case and underscores: `mean_squared_error`, `MeanSquaredError` and `meanSquaredError` are one. */
export function plainName(name: string): string {
  return name.toLowerCase().replaceAll('_', '');
}

/** The loss that a source or an option names in any spelling. */
export function lossNamed(text: string): LossName | undefined {
  return BY_PLAIN_NAME.get(plainName(text));
}
