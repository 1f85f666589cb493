import type { Graph } from '../core/graph';
import type { LayerWeights } from '../core/tensor';

/** A network of one size, folded and without Filters, ready to be finished. */
export interface Snapshot {
  /** The size that was asked for, in units of cost. */
  readonly budget: number;
  /** `start` is the network before anything was removed. */
  readonly kind: 'start' | 'budget';
  readonly step: number;
  readonly graph: Graph;
  readonly weights: LayerWeights;
}
