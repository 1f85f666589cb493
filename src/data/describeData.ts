import type { Dataset, Standardized } from './dataset';

/** How rows were prepared, for whoever gives new rows to the learned network. */

/** What `weights/data.json` holds. */
export interface DataDescription {
  /** Shape of one row, without the batch, in the order of the source. */
  readonly shape: readonly number[];
  readonly inputs: readonly (
    | { readonly name: string; readonly oneHot: readonly string[] }
    | ({ readonly name: string } & Partial<Standardized>)
  )[];
  /** Per value of a row, where the values have no names. */
  readonly standardized?: readonly (Standardized | null)[];
  readonly classes?: readonly string[];
  readonly targets?: readonly ({ readonly name: string } & Partial<Standardized>)[];
  readonly notes: readonly string[];
}

/** @param dataset as it was read, split and standardised, before it was fitted to a model */
export function describeData(dataset: Dataset): DataDescription {
  const { origin = {}, notes } = dataset;
  const { shape, columns, classes, targets, inputs, outputs } = origin;
  let at = 0;
  return {
    shape: shape ?? dataset.train.x.shape,
    inputs: (columns ?? []).map(({ name, texts }) => {
      const first = at;
      at += texts?.length ?? 1;
      return texts === undefined ? { name, ...inputs?.[first] } : { name, oneHot: texts };
    }),
    ...(columns !== undefined || inputs === undefined ? {} : { standardized: inputs }),
    ...(classes === undefined ? {} : { classes }),
    ...(classes !== undefined || (targets === undefined && outputs === undefined)
      ? {}
      : { targets: targetsOf(targets, outputs) }),
    notes,
  };
}

function targetsOf(
  names: readonly string[] | undefined,
  outputs: readonly Standardized[] | undefined,
): ({ readonly name: string } & Partial<Standardized>)[] {
  const all = names ?? outputs?.map((_, i) => `output ${i}`) ?? [];
  return all.map((name, i) => ({ name, ...outputs?.[i] }));
}

/** The description as text for `weights/README.md`. */
export function explainData(description: DataDescription): string[] {
  const { shape, inputs, standardized, classes, targets, notes } = description;
  const scaled =
    standardized !== undefined || inputs.some((input) => 'mean' in input)
      ? [
          'Inputs were standardised: give `(value - mean) / deviation`, 0 where the deviation is 0; `data.json` has the numbers.',
        ]
      : [];
  const named =
    inputs.length === 0
      ? []
      : [`Inputs in their order: ${inputs.map(({ name }) => name).join(', ')}. Texts are one-hot.`];
  const output =
    classes !== undefined
      ? [`Outputs are the classes in this order: ${classes.join(', ')}.`]
      : targets === undefined
        ? []
        : [
            `Outputs: ${targets.map(({ name }) => name).join(', ')}.` +
              (targets.some((target) => 'mean' in target)
                ? ' They count deviations: `value = output * deviation + mean`.'
                : ''),
          ];
  return [
    `A row has the shape [${shape.join(', ')}].`,
    ...named,
    ...scaled,
    ...output,
    ...(notes.length === 0 ? [] : ['', ...notes.map((note) => `- ${note}`)]),
  ];
}
