import type { Graph } from '../core/graph';
import { SWITCHES_FILE, type Checkpoint, type RunContext, type StoredSwitches } from '../core/job';
import type { LatencyTable } from '../core/latency';
import type { Plateau } from '../core/schedules';
import type { LayerWeights } from '../core/tensor';
import type { Finished } from './finish';
import type { Slots } from './optimizer';
import { packVectors, packWeights, unpackVectors, unpackWeights, type Flat } from './pack';
import type { Snapshot } from './snapshot';
import type { ReadState } from './switchControls';
import type { Trunk } from './trunk';

/** Where a run stands, besides the network that is being trained. */
export interface SessionState {
  /** Trunk steps done. */
  step: number;
  phase: 'trunk' | 'finish';
  /** Loss of the run's first step, to tell an explosion by. */
  firstLoss?: number;
  tau: number;
  plateau: Plateau;
  /** What layers take on the engine, measured when the run began. */
  latency?: LatencyTable;
  /** Sums over the rows of the epoch that is under way. */
  epoch: { loss: number; right: number; rows: number };
  snapshots: Snapshot[];
  finished: Finished[];
  trunkMs: number;
  finishMs: number;
  /** Largest output difference that a collection showed. */
  largestDifference: number;
}

interface StoredState {
  readonly session: Omit<SessionState, 'snapshots' | 'finished'>;
  readonly snapshots: readonly Omit<Snapshot, 'weights'>[];
  readonly finished: readonly Omit<Finished, 'snapshot'>[];
  /** The trunk's network; absent once it is over. */
  readonly trunk?: {
    readonly graph: Graph;
    readonly lambda: number;
    readonly scalars: Record<string, number>;
  };
}

/** Everything that a run needs to go on exactly. */
export async function takeCheckpoint(state: SessionState, trunk: Trunk | undefined): Promise<Checkpoint> {
  const { snapshots, finished, ...session } = state;
  const tensors: Flat = {};
  snapshots.forEach((snapshot, i) => packWeights(tensors, `snapshot${i}`, snapshot.weights));
  finished.forEach((done, i) => packWeights(tensors, `finished${i}`, done.snapshot.weights));
  const stored: StoredState = {
    session,
    snapshots: snapshots.map(({ weights: _weights, ...rest }) => rest),
    finished: finished.map(({ snapshot: _snapshot, ...rest }) => rest),
    ...(trunk === undefined ? {} : { trunk: await packTrunk(trunk, tensors) }),
  };
  return { step: state.step, state: structuredClone(stored), tensors };
}

async function packTrunk(trunk: Trunk, tensors: Flat): Promise<NonNullable<StoredState['trunk']>> {
  await trunk.settle();
  packWeights(tensors, 'weights', await trunk.network.readWeights());
  packVectors(tensors, 'beta', await trunk.network.readSwitches());
  for (const [hub, state] of Object.entries(await trunk.readSwitchState()))
    packVectors(tensors, `switch ${hub}`, state);
  const { slots, scalars } = await trunk.optimizer.read();
  packWeights(tensors, 'slot', slots);
  return { graph: trunk.network.graph, lambda: trunk.lambda, scalars: { ...scalars } };
}

/**
 * Writes the switches as the trunk leaves them into a file of the run, for views: checkpoints of the finish have none.
 *
 * @param step trunk steps done
 */
export async function writeSwitches(context: RunContext, trunk: Trunk, step: number): Promise<void> {
  await trunk.settle();
  const plain = (values: Float32Array): number[] => [...values].map((value) => Number(value.toPrecision(7)));
  const states = await trunk.readSwitchState();
  const layers = Object.entries(await trunk.network.readSwitches()).map(([hub, theta]) => {
    const score = states[hub]?.['score'];
    return [hub, { theta: plain(theta), score: score === undefined ? [] : plain(score) }];
  });
  const content: StoredSwitches = { step, layers: Object.fromEntries(layers) as StoredSwitches['layers'] };
  await context.writeFile(SWITCHES_FILE, `${JSON.stringify(content)}\n`);
}

export interface RestoredNetwork {
  readonly graph: Graph;
  readonly weights: LayerWeights;
  readonly switches: Record<string, Float32Array>;
  readonly optimizer: { readonly slots: Slots; readonly scalars: Readonly<Record<string, number>> };
  readonly switchState: ReadState;
  readonly lambda: number;
}

export function readCheckpoint(checkpoint: Checkpoint): {
  state: SessionState;
  network?: RestoredNetwork;
} {
  const stored = checkpoint.state as StoredState;
  const { tensors } = checkpoint;
  const snapshots = stored.snapshots.map((rest, i): Snapshot => ({
    ...rest,
    weights: unpackWeights(tensors, `snapshot${i}`),
  }));
  const finished = stored.finished.map((metrics, i): Finished => {
    const snapshot = snapshots[i];
    if (snapshot === undefined) throw new RangeError('a finished size has a snapshot');
    return { ...metrics, snapshot: { ...snapshot, weights: unpackWeights(tensors, `finished${i}`) } };
  });
  const state: SessionState = { ...structuredClone(stored.session), snapshots, finished };
  if (stored.trunk === undefined) return { state };
  const { graph, lambda, scalars } = stored.trunk;
  const vectors = (prefix: string): Record<string, Float32Array> => unpackVectors(tensors, prefix);
  const switches = vectors('beta');
  return {
    state,
    network: {
      graph,
      lambda,
      weights: unpackWeights(tensors, 'weights'),
      switches,
      optimizer: { slots: unpackWeights(tensors, 'slot'), scalars },
      switchState: Object.fromEntries(Object.keys(switches).map((hub) => [hub, vectors(`switch ${hub}`)])),
    },
  };
}
