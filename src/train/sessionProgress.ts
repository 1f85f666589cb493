import { HOLD, stepOfSize } from '../core/budget';
import type { Progress } from '../core/events';
import type { RunContext } from '../core/job';
import type { Baseline } from '../core/options';
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
  /** How the starting size is finished. */
  readonly start: Baseline;
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
      loss: state.epoch.rows === 0 ? 0 : state.epoch.loss / state.epoch.rows,
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
    const { steps, perEpoch, finishEpochs, startSize, start, budgets } = this.scale;
    const share = (value: number): number => Math.min(1, value / startSize);
    const falling = finishEpochs * perEpoch;
    // While the trunk runs, when it will pass a size is known from its schedule.
    const passed = (budget: number): number =>
      budget < startSize
        ? stepOfSize(share(budget), steps, share(budgets.at(-1) ?? startSize))
        : HOLD * steps;
    const waiting =
      state.phase === 'trunk'
        ? [...(start === 'off' ? [] : [startSize]), ...budgets].map((budget) => ({
            budget,
            catchUp: budget === startSize && start !== 'full' ? 0 : steps - passed(budget),
          }))
        : state.snapshots.slice(state.finished.length).map(({ budget, kind, step }) => ({
            budget,
            catchUp: kind === 'start' && start !== 'full' ? 0 : state.step - step,
          }));
    return secondsLeft({
      stepsLeft: state.phase === 'trunk' ? steps - state.step : 0,
      smallest: share(budgets.at(-1) ?? startSize),
      waiting: waiting.map(({ budget, catchUp }) => ({
        share: share(budget),
        steps: falling === 0 ? 0 : catchUp + falling,
      })),
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
