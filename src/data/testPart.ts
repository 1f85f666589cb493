import { badInput } from '../core/errors';
import { inputsOf, type AnyFeatures, type Rows } from './dataset';
import type { ModuleParts } from './moduleData';
import type { ReadData } from './tableParts';

/** Adds the rows of another reading as the test part: its own test part, or all of it. */
export function withTest<X extends AnyFeatures>(
  read: ReadData<X>,
  test: ReadData<X> | undefined,
): ReadData<X> {
  return test === undefined ? read : { ...read, parts: addTest(read.parts, test.parts) };
}

/**
 * Takes test rows of other data.
 *
 * @throws ShrinkError `data-shape` when its rows are of another shape
 */
export function addTest<X extends AnyFeatures>(parts: ModuleParts<X>, from: ModuleParts<X>): ModuleParts<X> {
  const test = from.test ?? from.train;
  const shown = (rows: Rows<X>): string =>
    inputsOf(rows)
      .map((x) => x.shape.join(' × '))
      .join(' and ');
  const [given, wanted] = [shown(test), shown(parts.train)];
  if (given !== wanted)
    throw badInput(
      'data-shape',
      `The test data's rows are ${given}, the training data's ${wanted}; give test data of the same shape.`,
    );
  return { ...parts, test };
}
