import { basename } from 'node:path';
import type { JournalEvent, Progress } from '../core/events';
import type { ClientPeer } from '../protocol/connection';
import type { ProcessExit } from '../protocol/process';
import { readCrashes } from '../run/crashes';
import { readJournal } from '../run/journal';
import { findEnding, readEnding, stateAfter, type RunState } from '../run/listRuns';
import { readLiveLock, type LockInfo } from '../run/lock';
import { connectBackend, unreachable } from './connect';
import { isHolding, killHolder, signalHolder, waitForNext } from './holder';
import { describeDeath } from './describeDeath';
import type { SpawnedBackend } from './spawnBackend';

/** How a handle came to its end. */
export interface RunEnd {
  /** `detached` if this client let go of a run that goes on. */
  readonly state: Exclude<RunState, 'running'> | 'detached';
  /** A sentence for the user. */
  readonly message: string;
  /** Of the supervisor; known to the client that started it. */
  readonly exit?: ProcessExit;
  /** The backend died and was started again: this is its successor, whose journal was cut back. */
  readonly next?: RunHandle;
}

/** Connections that fail in a row before a client reads the journal from the disk instead. */
const MAX_FAILURES = 5;
/** How often it does. */
const DISK_MS = 500;
const LET_GO: RunEnd = { state: 'detached', message: 'The run goes on without this window.' };

/**
 * One client's view of a run, live or ended: every event from `seq` 0 on, in order and once. A view of a live run is one
 * of a backend: see `followRun` for what comes after its death.
 */
export class RunHandle {
  /** Id of the run. */
  readonly run: string;
  /** Settles when the run has ended or this client has let go. Never rejects. */
  readonly closed: Promise<RunEnd>;
  private readonly stored: JournalEvent[] = [];
  private readonly eventListeners = new Set<(event: JournalEvent) => void>();
  private readonly progressListeners = new Set<(progress: Progress) => void>();
  private latest: Progress | undefined;
  private over = false;
  private lettingGo = false;
  private peer: Promise<ClientPeer> | undefined;
  private wake: () => void = () => undefined;
  private changed = this.nextChange();

  /** @param lock of the backend; absent if the run is not being trained */
  constructor(
    readonly folder: string,
    private readonly lock: LockInfo | undefined,
    private readonly backend?: SpawnedBackend,
  ) {
    this.run = basename(folder);
    this.closed = this.follow();
  }

  /** Of the backend, if there is one. */
  get pid(): number | undefined {
    return this.lock?.pid;
  }

  /** Id of the process group that the backend and its supervisor live in. */
  get group(): number | undefined {
    return this.lock?.supervisor?.pid ?? this.lock?.pid;
  }

  /** Every event heard so far. */
  get history(): readonly JournalEvent[] {
    return this.stored;
  }

  /** Where training stands, as far as it was told. */
  get progress(): Progress | undefined {
    return this.latest;
  }

  /** Every event from the first on; ends when the run does. Can be iterated several times. */
  get events(): AsyncIterable<JournalEvent> {
    return { [Symbol.asyncIterator]: () => this.iterate() };
  }

  private async *iterate(): AsyncGenerator<JournalEvent, void, void> {
    for (let index = 0; ;) {
      const event = this.stored[index];
      if (event !== undefined) {
        index += 1;
        yield event;
      } else if (this.over) return;
      else await this.changed;
    }
  }

  /** Calls with every event from the first on: those so far at once. @returns ends the calls */
  onEvent(listener: (event: JournalEvent) => void): () => void {
    for (const event of this.stored) listener(event);
    this.eventListeners.add(listener);
    return () => this.eventListeners.delete(listener);
  }

  /** @returns ends the calls */
  onProgress(listener: (progress: Progress) => void): () => void {
    this.progressListeners.add(listener);
    return () => this.progressListeners.delete(listener);
  }

  /**
   * Asks the run to keep what was learned and end; `closed` tells when it has. A backend that cannot be reached
   * over its socket, being of another version or having lost it, is asked by a signal.
   *
   * @throws ShrinkError `backend-unreachable`
   */
  async stop(): Promise<void> {
    if (this.lock === undefined || !(await this.isTrained())) return;
    try {
      await (await this.peer)?.ask('stop', {});
    } catch (error) {
      if (await this.isTrained()) await signalHolder(this.lock, error);
    }
  }

  /** Ends the backend's process group at once: within 2 s it is gone. @throws ShrinkError `kill-failed` */
  async kill(): Promise<void> {
    if (this.lock !== undefined && (await this.isTrained())) await killHolder(this.folder, this.lock);
  }

  /** Lets go of the run, which goes on. */
  async detach(): Promise<void> {
    if (this.lock === undefined || this.over) return;
    this.lettingGo = true;
    this.backend?.release();
    try {
      const peer = await this.peer;
      await peer?.ask('detach', {});
      peer?.end();
    } catch (error) {
      // A run that ends while it is asked something is no error; nor need one be asked that others started.
      if (this.backend !== undefined && (await this.isTrained())) throw unreachable(this.lock, error);
    }
    await this.closed;
  }

  /** By this backend, or by its supervisor that is about to start another one. */
  private async isTrained(): Promise<boolean> {
    return this.lock !== undefined && (await readLiveLock(this.folder))?.token === this.lock.token;
  }

  private async follow(): Promise<RunEnd> {
    try {
      if (this.lock !== undefined) {
        await this.watch(this.lock);
        if (this.isLettingGo()) return LET_GO;
        const ended = findEnding(this.stored) !== undefined || (await readEnding(this.folder)) !== undefined;
        const next = await waitForNext(this.folder, this.lock, this.backend, ended);
        if (this.isLettingGo()) return LET_GO;
        if (next !== undefined) return await this.describeRestart(next);
      }
      await this.readRest();
      return await this.describeEnd();
    } catch (error) {
      return { state: 'interrupted', message: error instanceof Error ? error.message : String(error) };
    } finally {
      this.over = true;
      this.wake();
    }
  }

  /** Follows a backend to its end, over lost connections. */
  private async watch(lock: LockInfo): Promise<void> {
    for (let failures = 0; ;) {
      try {
        this.peer = this.join(lock);
        const peer = await this.peer;
        failures = 0;
        await peer.closed;
      } catch {
        failures += 1;
        if (failures >= MAX_FAILURES) return this.watchDisk(lock);
        await new Promise((resolve) => setTimeout(resolve, 50 * failures));
      }
      if (this.isSettled() || !(await isHolding(this.folder, lock))) return;
    }
  }

  /**
   * Follows a backend that lives but cannot be reached, one of another version or on another machine with the same
   * disk: its journal is the truth anyway. Only progress is missed.
   */
  private async watchDisk(lock: LockInfo): Promise<void> {
    while (!this.isSettled() && (await isHolding(this.folder, lock))) {
      await this.readRest();
      await new Promise((resolve) => setTimeout(resolve, DISK_MS));
    }
  }

  /** Read through a method: it may change while something is awaited. */
  private isLettingGo(): boolean {
    return this.lettingGo;
  }

  private isSettled(): boolean {
    return this.lettingGo || findEnding(this.stored) !== undefined;
  }

  private async join(lock: LockInfo): Promise<ClientPeer> {
    const peer = await connectBackend(lock, {
      onEvent: (event) => this.take(event),
      onProgress: (progress) => {
        this.latest = progress;
        tell(this.progressListeners, progress);
      },
    });
    await peer.ask('subscribe', { fromSeq: this.stored.length });
    return peer;
  }

  private take(event: JournalEvent): void {
    // After a lost connection some come twice.
    if (event.seq !== this.stored.length) return;
    this.stored.push(event);
    this.wake();
    this.changed = this.nextChange();
    tell(this.eventListeners, event);
  }

  private nextChange(): Promise<void> {
    return new Promise((resolve) => {
      this.wake = resolve;
    });
  }

  /** What was written but not heard: the journal is the truth. */
  private async readRest(): Promise<void> {
    const { events } = await readJournal(this.folder);
    for (const event of events) this.take(event);
  }

  private async describeRestart(lock: LockInfo): Promise<RunEnd> {
    const how = (await readCrashes(this.folder)).at(-1)?.how ?? 'ended';
    return {
      state: 'interrupted',
      message: `The training process ${how} and was started again.`,
      next: new RunHandle(this.folder, lock, this.backend),
    };
  }

  private async describeEnd(): Promise<RunEnd> {
    const ending = findEnding(this.stored);
    const exit = this.backend === undefined ? undefined : await this.backend.exited;
    const rest = exit === undefined ? {} : { exit };
    switch (ending?.type) {
      case 'result':
        return { state: 'done', message: 'Done.', ...rest };
      case 'stopped':
      case 'failed':
        return { state: stateAfter(ending), message: ending.message, ...rest };
      default:
        return {
          state: 'interrupted',
          message: await describeDeath(this.folder, this.stored, exit),
          ...rest,
        };
    }
  }
}

/** A listener that throws keeps nobody else from hearing, and is not swallowed by the connection either. */
function tell<T>(listeners: ReadonlySet<(news: T) => void>, news: T): void {
  for (const listener of listeners) {
    try {
      listener(news);
    } catch (error) {
      queueMicrotask(() => {
        throw error;
      });
    }
  }
}
