import type { Range } from '../../core/errors';

/** A number of channels as a sum of the widths of sites: `constant + Σ factor · width(site)`. */
export interface ChannelSum {
  readonly terms: ReadonlyMap<string, number>;
  readonly constant: number;
}

/** A symbolic tensor, always channels last and without the batch axis, whatever the source's axis order. */
export interface Tensor {
  readonly layer: string;
  readonly node: number;
  /** Features, e.g. `[height, width, channels]`; undefined for an input that nothing has read yet. */
  shape: readonly (number | null)[] | undefined;
  readonly channels: ChannelSum;
  /** Axes of length 1 that the source still sees, e.g. after a global pooling in PyTorch. */
  readonly extraAxes: number;
  /** Whether the source's code saw it flattened before its shape was known. */
  readonly flattened?: boolean;
  /** What an input that was not read yet leads back to: it gets its shape from the first layer that reads it. */
  readonly origin?: Tensor;
  /** Of a sequence that a recurrent layer gives: its last step, `out[:, -1]`. */
  readonly last?: () => Tensor;
  readonly steps?: { readonly isLastOnly: boolean; readonly node: { readonly range: Range } };
  /** How the tensor was made, so that a model can be called again on other inputs. */
  readonly source?: {
    readonly inputs: readonly Tensor[];
    readonly again: (inputs: readonly Tensor[]) => Tensor;
  };
}

export function sumOf(site: string): ChannelSum {
  return { terms: new Map([[site, 1]]), constant: 0 };
}

export function constantSum(constant: number): ChannelSum {
  return { terms: new Map(), constant };
}

export function scaleSum(sum: ChannelSum, factor: number): ChannelSum {
  const terms = new Map([...sum.terms].map(([site, count]) => [site, count * factor] as const));
  return { terms, constant: sum.constant * factor };
}

export function addSums(sums: readonly ChannelSum[]): ChannelSum {
  const terms = new Map<string, number>();
  for (const sum of sums)
    for (const [site, count] of sum.terms) terms.set(site, (terms.get(site) ?? 0) + count);
  return { terms, constant: sums.reduce((total, sum) => total + sum.constant, 0) };
}
