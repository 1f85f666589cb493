import { ShrinkError } from '../core/errors';
import { planCollection, replayEdits, type Collection } from '../core/collect';
import type { Alive } from '../core/cost';
import type { Sizing } from '../core/analysis';
import type { HostTensor, LayerWeights } from '../core/tensor';
import { outputDifference, outputsOf, type Sample } from './evaluate';
import { Network, switchPlace } from './network';
import type { Optimizer, Slots } from './optimizer';
import type { SwitchMode } from './switchModes';

/** Largest relative difference of outputs that a collection may show: rounding of float32 sums, no more. */
const TOLERANCE = 1e-3;

export interface Collected {
  readonly network: Network;
  readonly slots: { readonly slots: Slots; readonly scalars: Readonly<Record<string, number>> };
  readonly plan: Collection;
  readonly outputDifference: number;
}

/**
 * Removes dead channels: plans on the channel graph, gathers weights and optimizer slots, rebuilds, and compares
 * outputs before and after.
 *
 * @param network whose switches of dead channels are 0
 * @param sample rows to compare outputs on
 * @throws ShrinkError `collection-changed-output`, naming the layers that lost channels
 */
export async function collectGarbage(
  network: Network,
  optimizer: Optimizer,
  alive: Alive,
  sizing: Sizing,
  mode: SwitchMode,
  sample: Sample,
): Promise<Collected> {
  const plan = planCollection(network.analysis, alive);
  const before = await outputsOf(network, sample);
  const weights = await network.readWeights();
  const switches = await network.readSwitches();
  for (const edit of plan.switches) {
    const values = switches[edit.hub];
    if (values !== undefined) switches[edit.hub] = Float32Array.from(edit.keep, (i) => values[i] ?? 0);
  }
  const state = await optimizer.read();
  const shrunk = await Network.create(
    plan.graph,
    replayEdits(weights, plan.edits),
    sizing,
    switches,
    network.bank.form,
  );
  const slots = shrinkSlots(state.slots, network, shrunk, plan, mode.optimized);
  const difference = outputDifference(before, await outputsOf(shrunk, sample));
  if (!(difference <= TOLERANCE)) {
    shrunk.dispose();
    throw new ShrinkError(
      'training',
      'collection-changed-output',
      `Removing channels of ${Object.keys(plan.removed).join(', ')} changed the output by ${difference.toExponential(1)}; the run was stopped at its last checkpoint. Please report this model.`,
    );
  }
  return { network: shrunk, slots: { slots, scalars: state.scalars }, plan, outputDifference: difference };
}

/** Replays the log on every optimizer slot; slots are matched by layer and weight, not by order. */
export function shrinkSlots(
  slots: Slots,
  before: Network,
  after: Network,
  plan: Collection,
  withSwitches: boolean,
): Slots {
  const from = before.optimizedPlaces(withSwitches);
  const to = after.optimizedPlaces(withSwitches);
  const ofSwitches = plan.switches.map(({ hub, keep }) => ({
    layer: switchPlace(hub),
    weight: 0,
    axis: 0,
    keep,
  }));
  return Object.fromEntries(
    Object.entries(slots).map(([field, tensors]) => {
      const byLayer: Record<string, HostTensor[]> = {};
      from.forEach(({ layer, weight }, i) => {
        const tensor = tensors[i];
        if (tensor !== undefined) (byLayer[layer] ??= [])[weight] = tensor;
      });
      const shrunk: LayerWeights = replayEdits(byLayer, [...plan.edits, ...ofSwitches]);
      const ordered = to.map(({ layer, weight }) => {
        const tensor = shrunk[layer]?.[weight];
        if (tensor === undefined) throw new RangeError(`slot ${field} of ${layer} is missing`);
        return tensor;
      });
      return [field, ordered];
    }),
  );
}
