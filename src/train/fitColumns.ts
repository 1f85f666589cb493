import { badInput } from '../core/errors';
import { inputsOf, labelsOf, type AnyFeatures, type Dataset, type Rows } from '../data/dataset';

/** Which column of the data goes into which input of a model, and which labels belong to which output. */

/** The inputs and outputs of a model, by the names of their layers, in its order. */
export interface Ends {
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

/**
 * Puts the columns of every part into the model's order. Columns that were given by name go by name, others by their
 * place. Afterwards columns of a model with several inputs or outputs have its names.
 *
 * @throws ShrinkError `data-columns` when there are not as many as the model has, or none of a name
 */
export function fitColumns<X extends AnyFeatures>(data: Dataset<X>, ends: Ends): Dataset<X> {
  const isSingle = ends.inputs.length === 1 && ends.outputs.length === 1;
  const part = (rows: Rows<X>, name: string): Rows<X> => {
    const { several, ...first } = rows;
    const [x, ...moreX] = ordered(inputsOf(rows), several?.inputNames, ends.inputs, `${name}.x`, 'input');
    const [y, ...moreY] = ordered(labelsOf(rows), several?.outputNames, ends.outputs, `${name}.y`, 'output');
    if (x === undefined || y === undefined) throw new RangeError('a model has inputs and outputs');
    if (isSingle) return { ...first, x, y };
    const names = { inputNames: ends.inputs, outputNames: ends.outputs };
    return { ...first, x, y, several: { x: moreX, y: moreY, ...names } };
  };
  return {
    ...data,
    train: part(data.train, 'train'),
    validation: part(data.validation, 'validation'),
    test: part(data.test, 'test'),
  };
}

function ordered<T>(
  columns: readonly T[],
  names: readonly string[] | undefined,
  wanted: readonly string[],
  part: string,
  what: 'input' | 'output',
): readonly T[] {
  const listed = wanted.join(', ');
  const plural = wanted.length === 1 ? what : `${what}s`;
  const unknown = names?.find((name) => !wanted.includes(name));
  if (unknown !== undefined)
    throw badInput(
      'data-columns',
      `${part} of the data has ${unknown}, but the model has no ${what} of that name; it has ${listed}.`,
    );
  if (names !== undefined) {
    return wanted.map((name) => {
      const column = columns[names.indexOf(name)];
      if (names.includes(name) && column !== undefined) return column;
      throw badInput('data-columns', `${part} of the data has nothing for the ${what} ${name}; add ${name}.`);
    });
  }
  if (columns.length !== wanted.length)
    throw badInput(
      'data-columns',
      `The model has ${wanted.length} ${plural} (${listed}), but ${part} of the data has ${columns.length}; ${howToGive(part, wanted)}`,
    );
  return columns;
}

function howToGive(part: string, wanted: readonly string[]): string {
  if (wanted.length === 1) return 'give one.';
  const [first, second] = wanted;
  return `export ${part.endsWith('x') ? 'x' : 'y'} = { ${first ?? ''}: …, ${second ?? ''}: … } by name, or a list of tensors or { data, shape } in their order.`;
}
