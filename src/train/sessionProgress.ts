import type { Progress } from '../core/events';
import type { RunContext } from '../core/job';
import type { SessionState } from './checkpoint';
import { secondsLeft } from './timeLeft';

/** Milliseconds between two progress messages. */
const PROGRESS_MS = 200;

/** What does not change while a session runs. */
export interface SessionScale {
  /** Trunk steps in all, and in an epoch. */
  readonly steps: number;
  readonly perEpoch: number;
  readonly epochs: number;
  readonly finishEpochs: number;
  /** Starting size and requested sizes, in units of cost. */
  readonly startSize: number;
  readonly budgets: readonly number[];
}

/** Tells whoever is attached where a session stands, a few times a second at most. */
export class SessionProgress {
  private last = 0;

  constructor(
    private readonly context: RunContext,
    private readonly scale: SessionScale,
  ) {}

  /** @param size of the network now, in units of cost */
  trunk(state: SessionState, size: number, params: number, stepMs: number): void {
    if (!this.due()) return;
    const { steps, perEpoch, epochs } = this.scale;
    this.context.progress({
      phase: 'trunk',
      epoch: Math.floor(state.step / perEpoch) + 1,
      epochs,
      step: state.step,
      steps,
      loss: state.epoch.steps === 0 ? 0 : state.epoch.loss / state.epoch.steps,
      params,
      stepMs,
      secondsLeft: this.left(state, size, stepMs),
    });
  }

  finish(
    state: SessionState,
    at: Pick<Progress, 'epoch' | 'epochs' | 'loss' | 'params' | 'stepMs'> & { readonly budget: number },
  ): void {
    if (!this.due()) return;
    this.context.progress({
      phase: 'finish',
      ...at,
      step: state.finished.length,
      steps: state.snapshots.length,
      secondsLeft: this.left(state, at.budget, at.stepMs),
    });
  }

  private left(state: SessionState, size: number, stepMs: number): number {
    const { steps, perEpoch, finishEpochs, startSize, budgets } = this.scale;
    const waiting =
      state.phase === 'trunk'
        ? [startSize, ...budgets]
        : state.snapshots.slice(state.finished.length).map((snapshot) => snapshot.budget);
    const share = (value: number): number => Math.min(1, value / startSize);
    return secondsLeft({
      stepsLeft: state.phase === 'trunk' ? steps - state.step : 0,
      finishSteps: finishEpochs * perEpoch,
      smallest: share(budgets.at(-1) ?? startSize),
      waiting: waiting.map(share),
      share: share(size),
      stepMs,
    });
  }

  private due(): boolean {
    const now = performance.now();
    if (now - this.last < PROGRESS_MS) return false;
    this.last = now;
    return true;
  }
}
