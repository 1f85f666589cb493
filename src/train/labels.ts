import { badInput } from '../core/errors';
import { comparesOutputs, labelsFor, type LossName } from '../core/losses';
import {
  mapRows,
  type AnyFeatures,
  type Dataset,
  type Features,
  type Labels,
  type Rows,
} from '../data/dataset';
import type { OutputHead } from './outputHead';

/** Whether labels are what a loss is made for, and making them so where it is plain how. */

/** What is said of an output's labels. */
export interface LabelsOf {
  readonly loss: LossName;
  /** Whether an option or the source says the loss. */
  readonly isWanted: boolean;
  /** Numbers a row of outputs ends in. */
  readonly width: number;
  readonly shape: readonly (number | null)[];
  /** " of price" for one of several outputs. */
  readonly which: string;
  /** What a table calls its classes. */
  readonly classNames?: readonly string[];
}

/** Rounding of shares that were computed. */
const SLACK = 1e-4;

const NUMBERS = 'meanSquaredError, meanAbsoluteError or another loss for numbers';

/** @throws ShrinkError `loss-labels` */
export function checkLabels(labels: Labels, given: LabelsOf): void {
  const { loss, width, which } = given;
  if (comparesOutputs(loss) && width === 1)
    throw badInput(
      'loss-labels',
      `${loss} compares a model's outputs with each other, but the model${which} has one; give the last layer an output for every class, or set loss= to binaryCrossentropy for two classes, or to ${NUMBERS}.`,
    );
  if (labels.kind === 'values') checkValues(labels.features, given);
  else checkClasses(labels, given);
}

function checkValues(features: Features, { loss, shape, which }: LabelsOf): void {
  const given = features.shape;
  const wanted = shape.map((length) => length ?? -1);
  const same =
    given.length === wanted.length && given.every((length, i) => wanted[i] === -1 || wanted[i] === length);
  const single = given.length === 0 && wanted.length === 1 && wanted[0] === 1;
  if (!same && !single)
    throw badInput(
      'loss-labels',
      `The labels${which} have shape [${given.join(', ')}] a row, but the model's output has [${shape.map((d) => d ?? '?').join(', ')}]; change the last layer or the labels.`,
    );
  const kind = labelsFor(loss);
  if (kind === 'shares') {
    const wrong = oddOne(features, (value) => value >= -SLACK && value <= 1 + SLACK);
    if (wrong !== undefined)
      throw badInput(
        'loss-labels',
        `The labels${which} hold ${wrong}, but ${loss} is for 0 to 1 (one-hot rows, yes and no, or shares); give such labels, or set loss= to ${NUMBERS}.`,
      );
  }
  if (kind === 'signs' && !isZeroOne(features)) {
    const wrong = oddOne(features, (value) => value === 1 || value === -1);
    if (wrong !== undefined)
      throw badInput(
        'loss-labels',
        `The labels${which} hold ${wrong}, but ${loss} is for -1 and 1 (or 0 and 1); give such labels, or set loss= to ${NUMBERS}.`,
      );
  }
}

function checkClasses(
  labels: Extract<Labels, { readonly kind: 'classes' }>,
  { loss, isWanted, width, which, classNames }: LabelsOf,
): void {
  const kind = labelsFor(loss);
  if (kind !== 'shares' && width > 1)
    throw badInput(
      'loss-labels',
      `The labels${which} are class numbers, but the loss is ${loss} over ${width} outputs; give values or another loss${kind === 'signs' ? ', such as categoricalHinge' : ''}.`,
    );
  // Whole numbers are classes until a loss for numbers says otherwise; texts stay classes.
  const isNumbers = kind === 'numbers' && isWanted && numbersOf(classNames) !== undefined;
  if (isNumbers) return;
  if (kind === 'signs' && labels.classes > 2)
    throw badInput(
      'loss-labels',
      `The labels${which} are ${labels.classes} classes, but ${loss} is for two; give the last layer ${labels.classes} outputs and set loss= to categoricalHinge or categoricalCrossentropy.`,
    );
  const classes = width === 1 ? 2 : width;
  const present = new Set(labels.ids).size;
  if (labels.classes > classes)
    throw badInput(
      'loss-labels',
      `The labels${which} go up to ${labels.classes - 1}, but the model has ${width} outputs (0..${classes - 1}); widen the last layer to ${labels.classes}${kind === 'numbers' && classNames === undefined ? `, or set loss= to ${NUMBERS} if they are numbers` : ''}.`,
    );
  if (width > 1 && present < width)
    throw badInput(
      'loss-labels',
      `The labels${which} hold ${present} classes, fewer than the model's ${width} outputs; narrow the last layer to ${present} or add rows of the missing classes.`,
    );
}

/** The classes' names as numbers; undefined where one is a text. Without names, class numbers are what they are. */
function numbersOf(classNames: readonly string[] | undefined): readonly number[] | undefined {
  if (classNames === undefined) return [];
  const numbers = classNames.map(Number);
  return numbers.every(Number.isFinite) ? numbers : undefined;
}

/** The first value that is not as it should be. */
function oddOne({ data, scale }: Features, isRight: (value: number) => boolean): number | undefined {
  for (const stored of data) if (!isRight(stored * scale)) return stored * scale;
  return undefined;
}

/** Mean of all numbers of the labels. */
export function meanOf(labels: Labels): number {
  const { data, scale } = labels.kind === 'classes' ? { data: labels.ids, scale: 1 } : labels.features;
  let sum = 0;
  for (const value of data) sum += value;
  return data.length === 0 ? 0 : (sum / data.length) * scale;
}

/** Whether values are 0 and 1, a 0 among them: those that Keras, too, takes for -1 and 1 where signs are wanted. */
export function isZeroOne(features: Features): boolean {
  return oddOne(features, (value) => value === 0 || value === 1) === undefined && features.data.includes(0);
}

/**
 * The rows with labels as the losses want them: signs for 0 and 1, and a table's own numbers for its classes.
 *
 * @param notes what was changed is added
 */
export function fitLabels(dataset: Dataset, outputs: readonly OutputHead[], notes: string[]): Dataset {
  const { train, validation, test, origin } = dataset;
  const changes = outputs.map(({ loss, name }, at) => {
    const labels = at === 0 ? train.y : train.several?.y[at - 1];
    if (labels === undefined) return undefined;
    const which = outputs.length > 1 ? ` of ${name}` : '';
    return changeFor(loss, labels, origin?.classes, which, notes);
  });
  if (changes.every((change) => change === undefined)) return dataset;
  const apply = (rows: Rows): Rows =>
    mapRows<AnyFeatures, AnyFeatures>(rows, {
      x: (x) => x,
      y: (y, at) => {
        const change = changes[at];
        return change === undefined ? y : { kind: 'values', features: changed(y, change) };
      },
    });
  return { ...dataset, train: apply(train), validation: apply(validation), test: apply(test) };
}

function changeFor(
  loss: LossName,
  labels: Labels,
  classNames: readonly string[] | undefined,
  which: string,
  notes: string[],
): ((value: number) => number) | undefined {
  const kind = labelsFor(loss);
  if (kind === 'signs' && (labels.kind === 'classes' || isZeroOne(labels.features))) {
    notes.push(`labels 0 and 1${which} are trained as -1 and 1, which ${loss} is for`);
    return (value) => (value > 0 ? 1 : -1);
  }
  const numbers = numbersOf(classNames);
  if (kind !== 'numbers' || labels.kind !== 'classes' || numbers?.[0] !== 1) return undefined;
  notes.push(`classes${which} are trained as the numbers that they are, which ${loss} is for`);
  return (value) => numbers[value] ?? value + 1;
}

function changed(labels: Labels, change: (value: number) => number): Features {
  if (labels.kind === 'classes')
    return { shape: [], data: Float32Array.from(labels.ids, (id) => change(id)), scale: 1 };
  const { shape, data, scale } = labels.features;
  return { shape, data: Float32Array.from(data, (stored) => change(stored * scale)), scale: 1 };
}
