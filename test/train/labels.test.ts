import { beforeAll, describe, expect, it } from 'vitest';
import { readGraph } from '../../src/core/graph';
import type { LossName } from '../../src/core/losses';
import { splitActivations } from '../../src/core/split';
import type { Dataset, Labels, Rows } from '../../src/data/dataset';
import { findEngine } from '../../src/engine/registry';
import * as tf from '../../src/engine/tf';
import { chooseHead } from '../../src/train/head';
import { noteEnds } from '../../src/train/endActivation';
import { fitLabels } from '../../src/train/labels';
import { standardizesTargets } from '../../src/train/losses';
import { topologyOf } from '../../src/train/model';
import type { OutputHead } from '../../src/train/outputHead';

/** What labels a loss takes, what is made of them, and what is said where they do not go together. */

beforeAll(() => findEngine('cpu').load());

function modelOf(width: number, activation: 'linear' | 'softmax' | 'sigmoid' | 'softplus' = 'linear') {
  const model = tf.sequential({
    layers: [tf.layers.dense({ inputShape: [3], units: 4 }), tf.layers.dense({ units: width, activation })],
  });
  const topology = topologyOf(model);
  model.dispose();
  return topology;
}

function values(...rows: number[]): Labels {
  return { kind: 'values', features: { shape: [], data: Float32Array.from(rows), scale: 1 } };
}

function classes(...ids: number[]): Labels {
  return { kind: 'classes', ids: Int32Array.from(ids), classes: Math.max(...ids) + 1 };
}

function headFor(loss: string | undefined, width: number, labels: Labels, classNames?: string[]): OutputHead {
  const graph = splitActivations(readGraph(modelOf(width)));
  const head = chooseHead(graph, [[width]], [labels], [loss], ['price'], classNames);
  const [output] = head.outputs;
  if (output === undefined) throw new TypeError('no output');
  return output;
}

describe('a loss and labels that do not go together', () => {
  it.each([
    [
      'categoricalCrossentropy',
      1,
      values(3.5, 2),
      /compares .* but the model has one; .* binaryCrossentropy .* meanAbsoluteError/,
    ],
    ['kld', 1, values(0.5, 0.2), /kullbackLeiblerDivergence compares a model's outputs with each other/],
    [
      'binaryCrossentropy',
      1,
      values(0, 3.5),
      /labels hold 3\.5, but binaryCrossentropy is for 0 to 1 .* set loss= to/,
    ],
    ['hinge', 1, values(-1, 0.25), /labels hold 0\.25, but hinge is for -1 and 1 \(or 0 and 1\)/],
    [
      'hinge',
      3,
      classes(0, 1, 2),
      /class numbers, but the loss is hinge over 3 outputs; .* categoricalHinge/,
    ],
    [
      'squaredHinge',
      1,
      classes(0, 1, 2),
      /are 3 classes, but squaredHinge is for two; .* 3 outputs .* categoricalHinge/,
    ],
    ['mae', 3, classes(0, 1, 2), /class numbers, but the loss is meanAbsoluteError over 3 outputs/],
    [
      undefined,
      1,
      classes(0, 1, 2),
      /go up to 2, .* widen the last layer to 3, or set loss= to meanSquaredError/,
    ],
    [
      'focal',
      1,
      values(1),
      /The loss focal is not one .* set loss= to categoricalCrossentropy, .* or cosineProximity/,
    ],
  ] as const)('%s of %i outputs', (loss, width, labels, says) => {
    expect(() => headFor(loss, width, labels)).toThrow(says);
  });

  it('is said of texts, which are no numbers', () => {
    expect(() => headFor('mae', 1, classes(0, 1, 2), ['flat', 'house', 'hut'])).toThrow(/go up to 2/);
  });
});

it.each([
  ['poisson', 'linear', true],
  ['poisson', 'softplus', false],
  ['mae', 'linear', false],
] as const)('the logarithm of what may be below 0 is noted: %s of a %s end', (loss, end, noted) => {
  const graph = splitActivations(readGraph(modelOf(1, end)));
  const { outputs } = chooseHead(graph, [[1]], [values(0, 2.5)], [loss], ['count']);
  const notes = noteEnds(graph, outputs);
  expect(notes).toHaveLength(noted ? 1 : 0);
  if (noted) expect(notes[0]).toMatch(/poisson takes the logarithm of count, .* softplus/);
});

function rowsOf(y: Labels, count: number): Rows {
  return { count, x: { shape: [1], data: new Float32Array(count), scale: 1 }, y };
}

function fit(loss: LossName, labels: Labels, classNames?: string[]) {
  const rows = rowsOf(labels, 2);
  const dataset: Dataset = {
    train: rows,
    validation: rows,
    test: rowsOf(labels, 2),
    notes: [],
    ...(classNames === undefined ? {} : { origin: { classes: classNames } }),
  };
  const notes: string[] = [];
  const { test } = fitLabels(dataset, [headFor(loss, 1, labels, classNames)], notes);
  return { y: test.y.kind === 'values' ? [...test.y.features.data] : test.y.kind, notes };
}

describe('labels', () => {
  it.each([
    ['hinge', classes(0, 1), [-1, 1]],
    ['squaredHinge', values(1, 0), [1, -1]],
    ['hinge', values(-1, 1), [-1, 1]],
    ['binaryCrossentropy', classes(0, 1), 'classes'],
    ['poisson', classes(4, 0, 7), 'classes'],
  ] as const)('for %s', (loss, labels, expected) => {
    const { y, notes } = fit(loss, labels);
    expect(y).toEqual(expected);
    expect(notes.some((note) => note.includes('trained as -1 and 1'))).toBe(
      (Array.isArray(expected) && labels.kind === 'classes') || loss === 'squaredHinge',
    );
  });

  it('of a table that are counted from 1 are the numbers that they are', () => {
    expect(fit('meanAbsoluteError', classes(0, 1, 2), ['1', '2', '3']).y).toEqual([1, 2, 3]);
  });

  it('are right or wrong where a loss is for classes or signs', () => {
    const kinds = (['hinge', 'binaryCrossentropy', 'mae', 'huber', 'poisson'] as const).map(
      (loss) => headFor(loss, 1, classes(0, 1)).classifies,
    );
    expect(kinds).toEqual([true, true, false, false, false]);
    expect(headFor('kld', 3, classes(0, 1, 2)).classifies).toBe(true);
  });
});

it.each([
  [undefined, 'linear', undefined, true],
  [undefined, 'softmax', undefined, false],
  ['poisson', 'linear', undefined, false],
  ['poisson', 'linear', 'huber', true],
  [{ price: 'meanAbsolutePercentageError' }, 'linear', undefined, false],
  ['mae', 'sigmoid', undefined, true],
] as const)(
  'predicted numbers are scaled where the loss allows it: %s, %s, %s',
  (given, end, wanted, scaled) => {
    const topology = modelOf(1, end);
    const named =
      typeof given === 'object'
        ? Object.fromEntries(Object.values(given).map((loss) => [endOf(topology), loss]))
        : given;
    expect(standardizesTargets(topology, named, wanted)).toBe(scaled);
  },
);

function endOf(topology: ReturnType<typeof modelOf>): string {
  return readGraph(topology).outputs[0]?.layer ?? '';
}
