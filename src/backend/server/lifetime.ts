import { spawn } from 'node:child_process';
import { ShrinkError } from '../../core/errors';
import { EXIT_TERMINATED, STOP_MESSAGE, type Owner } from '../../protocol/process';
import { taskkillArguments } from '../../run/processGroup';
import { removeSocketPath } from '../../run/socketPath';
import { holdsLock, LOCK_RENEWAL_MS, releaseLock, renewLock } from '../../run/lock';
import { groupLeader, tellSupervisor } from './supervised';

export interface LifetimeSettings {
  readonly owner: Owner;
  /** Time in which the first client must come to an attached backend. */
  readonly firstClientMs?: number;
  /** Time in which a client may come back before an attached backend stops. */
  readonly returnMs?: number;
  /** Time a job has to stop once nobody waits for it any more; then the process ends. */
  readonly ownerlessMs?: number;
  /** How often the lock is looked at and renewed. */
  readonly renewalMs?: number;
}

const SIGNALLED = 'Stopped by a signal; what was learned is kept.';

/**
 * When a backend stops and when it ends: signals, clients that go, a lock that is lost, errors nobody caught.
 */
export class Lifetime {
  private readonly aborter = new AbortController();
  private readonly timers = new Set<NodeJS.Timeout>();
  private readonly cleanups: (() => void)[] = [];
  private ownerTimer: NodeJS.Timeout | undefined;
  private owner: Owner;
  private attached = 0;
  private relayed = false;
  private rejectCrashed: (error: unknown) => void = () => undefined;
  /** Why the run is stopping. */
  reason = 'Stopped; what was learned is kept.';
  /** Rejects when the run cannot go on for a reason outside the job. */
  readonly crashed: Promise<never>;

  constructor(
    private readonly folder: string,
    private readonly token: string,
    private readonly socket: string,
    private readonly settings: LifetimeSettings,
  ) {
    this.owner = settings.owner;
    this.crashed = new Promise<never>((_resolve, reject) => {
      this.rejectCrashed = reject;
    });
    // It is awaited only while the job runs.
    this.crashed.catch(() => undefined);
  }

  /** Aborted when the job is to stop. */
  get signal(): AbortSignal {
    return this.aborter.signal;
  }

  /** @param onRenewal called whenever the lock has been renewed */
  begin(onRenewal: () => Promise<void>): void {
    for (const name of ['SIGTERM', 'SIGINT'] as const) this.listen(name, () => this.onSignal());
    this.listen('message', (message) => {
      if (message === STOP_MESSAGE) this.onRelayedSignal();
    });
    // The terminal of a client that closes is no reason to stop.
    this.listen('SIGHUP', () => undefined);
    this.listen('uncaughtException', (error) => this.rejectCrashed(error));
    this.listen('unhandledRejection', (error) => this.rejectCrashed(error));
    const renewal = setInterval(
      () => void this.watchLock(onRenewal),
      this.settings.renewalMs ?? LOCK_RENEWAL_MS,
    );
    this.cleanups.push(() => clearInterval(renewal));
    if (this.attached === 0) this.waitForOwner(this.settings.firstClientMs ?? 30_000);
  }

  private listen(event: string, listener: (argument: unknown) => void): void {
    process.on(event, listener);
    this.cleanups.push(() => process.off(event, listener));
  }

  private onSignal(): void {
    if (this.aborter.signal.aborted && !this.relayed) this.leave();
    this.relayed = false;
    this.stop(SIGNALLED);
  }

  /** The supervisor got a signal. If the whole group did, this process's own is not a second one. */
  private onRelayedSignal(): void {
    this.relayed = !this.aborter.signal.aborted;
    this.stop(SIGNALLED);
  }

  /** Asks the job to stop. */
  stop(reason: string): void {
    if (this.aborter.signal.aborted) return;
    this.reason = reason;
    void tellSupervisor({ kind: 'stopping' });
    this.aborter.abort();
  }

  detach(): void {
    this.owner = 'detached';
    void tellSupervisor({ kind: 'detached' });
    this.forgetOwner();
  }

  countClients(attached: number): void {
    this.attached = attached;
    if (attached > 0) this.forgetOwner();
    else this.waitForOwner(this.settings.returnMs ?? 1_000);
  }

  private waitForOwner(ms: number): void {
    if (this.owner !== 'attached') return;
    this.ownerTimer = this.after(ms, () => {
      this.stop('Stopped because the program that started it is gone; what was learned is kept.');
      this.ownerTimer = this.after(this.settings.ownerlessMs ?? 60_000, () => this.leave());
    });
  }

  /** A client that comes while the run is stopping does not undo that, but waits for the job's own end. */
  private forgetOwner(): void {
    clearTimeout(this.ownerTimer);
    this.ownerTimer = undefined;
  }

  private after(ms: number, act: () => void): NodeJS.Timeout {
    const timer = setTimeout(act, ms);
    this.timers.add(timer);
    return timer;
  }

  /** The lock shows others that this backend lives; without it two could write the same run. */
  private async watchLock(onRenewal: () => Promise<void>): Promise<void> {
    try {
      if (!(await holdsLock(this.folder, this.token))) throw new Error('the lock is gone');
      await renewLock(this.folder);
    } catch (error) {
      this.rejectCrashed(
        new ShrinkError(
          'environment',
          'lock-lost',
          `The folder of the run (${this.folder}) was deleted or taken by another process; training ended.`,
          { cause: error },
        ),
      );
    }
    // A run without its socket can still be followed by its journal, and stopped by a signal.
    await onRenewal().catch(() => undefined);
  }

  /** Ends the process without waiting for the job. */
  private leave(): void {
    void releaseLock(this.folder, this.token)
      .then(() => removeSocketPath(this.socket))
      .finally(() => process.exit(EXIT_TERMINATED));
  }

  /** Undoes {@link begin}. */
  end(): void {
    for (const timer of this.timers) clearTimeout(timer);
    for (const cleanup of this.cleanups) cleanup();
    this.cleanups.length = 0;
  }
}

/** Ends this process, its supervisor and those it started, at once. */
export function killOwnGroup(): void {
  const leader = groupLeader();
  if (process.platform === 'win32') {
    const leaders = leader === undefined ? [process.pid] : [leader, process.pid];
    spawn('taskkill', [...taskkillArguments(leaders)], { stdio: 'ignore', windowsHide: true });
    return;
  }
  // A backend that was started by hand may be in the group of its terminal.
  process.kill(leader === undefined ? process.pid : -leader, 'SIGKILL');
}
