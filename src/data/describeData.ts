import { inputsOf, labelsOf, type Dataset, type Rows, type Standardized } from './dataset';

/** How rows were prepared, for whoever gives new rows to the learned network. */

/** What `weights/data.json` holds. */
export interface DataDescription {
  /** Shape of one row, without the batch, in the order of the source. */
  readonly shape: readonly number[];
  /** Inputs and outputs of a model that has several, in their order. */
  readonly several?: {
    readonly inputs: readonly { readonly name: string; readonly shape: readonly number[] }[];
    readonly outputs: readonly string[];
  };
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
    ...severalOf(dataset.train),
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

function severalOf(train: Rows): Pick<DataDescription, 'several'> {
  const { several } = train;
  if (several === undefined) return {};
  const inputs = inputsOf(train).map(({ shape }, i) => ({
    name: several.inputNames?.[i] ?? `input ${i}`,
    shape,
  }));
  return {
    several: { inputs, outputs: labelsOf(train).map((_, i) => several.outputNames?.[i] ?? `output ${i}`) },
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
  const { shape, several, inputs, standardized, classes, targets, notes } = description;
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
    ...(several === undefined
      ? [`A row has the shape [${shape.join(', ')}].`]
      : [
          `Inputs in their order, with the shape of a row: ${several.inputs.map((input) => `${input.name} [${input.shape.join(', ')}]`).join(', ')}.`,
          `Outputs in their order: ${several.outputs.join(', ')}.`,
        ]),
    ...named,
    ...scaled,
    ...output,
    ...(notes.length === 0 ? [] : ['', ...notes.map((note) => `- ${note}`)]),
  ];
}
