import type { Progress, RunEvent } from './events';
import type { TrainOptions } from './options';
import type { Plan } from './plan';
import type { HostTensor } from './tensor';

/** A moment from which a run can go on exactly: everything that is not in the plan or the options. */
export interface Checkpoint {
  /** Optimizer steps done in the run when it was taken. */
  readonly step: number;
  /** State that is not tensors; plain JSON. */
  readonly state: unknown;
  readonly tensors: Readonly<Record<string, HostTensor>>;
}

/** A file of the run: the switches as the trunk left them, see {@link StoredSwitches}. */
export const SWITCHES_FILE = 'switches.json';

export interface StoredSwitches {
  /** Trunk steps done. */
  readonly step: number;
  /** By the first layer of those that share channels. `score` is empty where the mode has none. */
  readonly layers: Readonly<
    Record<string, { readonly theta: readonly number[]; readonly score: readonly number[] }>
  >;
}

/** What the training code may do to the outside. The backend implements it on a run's folder and its clients. */
export interface RunContext {
  /** Id of the run, unique in its folder. */
  readonly run: string;
  readonly plan: Plan;
  readonly options: TrainOptions;
  /** The checkpoint to go on from; absent for a new run. */
  readonly resumeFrom?: Checkpoint;
  /** Name of the engine that a resumed run was trained by. */
  readonly begunOn?: string;
  /** Engines that broke down under this run or on which its process died too often: take another. */
  readonly avoidEngines?: readonly string[];
  /** Aborted when somebody asks to stop: take a checkpoint, keep what was learned, return. */
  readonly stop: AbortSignal;
  /** Appends to the journal and tells whoever is attached. */
  emit(event: RunEvent): void;
  /** Tells whoever is attached; not stored. */
  progress(progress: Progress): void;
  /** Writes a checkpoint durably (temporary name, sync, rename) and emits `checkpoint`. */
  saveCheckpoint(checkpoint: Checkpoint): Promise<void>;
  /**
   * Writes a file of the result durably.
   *
   * @param path relative to the run's folder, forward slashes
   */
  writeFile(path: string, content: Uint8Array | string): Promise<void>;
}
