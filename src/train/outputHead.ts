import type { LossName } from '../core/losses';
import type { MetricName } from '../core/metrics';

/** One output of a model. */
export interface OutputHead {
  /** Name of the layer that makes it in the source. */
  readonly name: string;
  readonly loss: LossName;
  /** Whether the network that is trained ends in logits instead of probabilities. */
  readonly fromLogits: boolean;
  /** Numbers a row of labels has. */
  readonly width: number;
  /** Whether rows can be right or wrong. */
  readonly classifies: boolean;
  /** What is measured besides loss and accuracy. */
  readonly metrics: readonly MetricName[];
  /** Mean of the training labels, for metrics that compare with it. */
  readonly labelMean?: number;
}
