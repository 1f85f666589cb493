import { permutation, seededRandom, mixSeed } from '../core/random';
import { labelsOf, mapRows, takeRows, type AnyFeatures, type Dataset, type Rows } from './dataset';
import type { ModuleParts } from './moduleData';

/** Share of the rows held out for testing where the data has no test part. */
const TEST_SHARE = 0.1;

/**
 * Completes the parts of a data set: holds out validation and test rows where none were given, at random but
 * reproducibly.
 *
 * @param validationShare share of the training rows, 0..1
 */
export function completeDataset<X extends AnyFeatures>(
  parts: ModuleParts<X>,
  validationShare: number,
  seed: number,
): Dataset<X> {
  const notes: string[] = [];
  let train = unifyClasses(parts);
  let test = parts.test;
  if (test === undefined) {
    [train, test] = holdOut(train, TEST_SHARE, mixSeed(seed, 11));
    notes.push(`no test data: ${test.count} of the training rows were held out for testing`);
  }
  let validation = parts.validation;
  if (validation === undefined) {
    [train, validation] = holdOut(train, validationShare, mixSeed(seed, 12));
    notes.push(`${validation.count} of the training rows are held out for validation`);
  }
  return { train, validation, test, notes };
}

/** Class counts are those of all parts together. */
function unifyClasses<X>(parts: ModuleParts<X>): Rows<X> {
  const others = [parts.validation, parts.test].filter((rows) => rows !== undefined);
  return mapRows(parts.train, {
    x: (x) => x,
    y: (y, at) => {
      if (y.kind !== 'classes') return y;
      const counts = others.map((rows) => {
        const labels = labelsOf(rows)[at];
        return labels?.kind === 'classes' ? labels.classes : 0;
      });
      return { ...y, classes: Math.max(y.classes, ...counts) };
    },
  });
}

function holdOut<X extends AnyFeatures>(rows: Rows<X>, share: number, seed: number): [Rows<X>, Rows<X>] {
  const held = Math.min(rows.count - 1, Math.max(1, Math.round(rows.count * share)));
  const order = permutation(rows.count, seededRandom(seed));
  return [takeRows(rows, order.slice(held)), takeRows(rows, order.slice(0, held))];
}
