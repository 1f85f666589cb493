import { basename } from 'node:path';
import type { JournalEvent, Progress } from '../core/events';
import type { ClientPeer } from '../protocol/connection';
import type { ProcessExit } from '../protocol/process';
import { readCrashes } from '../run/crashes';
import { readEnding, stateAfter, type RunState } from '../run/listRuns';
import { readLiveLock, type LockInfo } from '../run/lock';
import { connectBackend, unreachable } from './connect';
import { isHolding, killHolder, signalHolder, waitForNext } from './holder';
import { describeDeath } from './describeDeath';
import { EventFeed } from './eventFeed';
import { tell } from './tell';
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
  private readonly feed: EventFeed;
  private readonly progressListeners = new Set<(progress: Progress) => void>();
  private latest: Progress | undefined;
  private over = false;
  private lettingGo = false;
  private peer: Promise<ClientPeer> | undefined;

  /** @param lock of the backend; absent if the run is not being trained */
  constructor(
    readonly folder: string,
    private readonly lock: LockInfo | undefined,
    private readonly backend?: SpawnedBackend,
  ) {
    this.run = basename(folder);
    this.feed = new EventFeed(folder);
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

  /** Where training stands, as far as it was told. */
  get progress(): Progress | undefined {
    return this.latest;
  }

  /** Every event from the first on; ends when the run does. Can be iterated several times. */
  get events(): AsyncIterable<JournalEvent> {
    return { [Symbol.asyncIterator]: () => this.feed.events() };
  }

  /**
   * Calls with every event from the first on, not before this call has returned; all of them before `closed` settles.
   *
   * @returns ends the calls
   */
  onEvent(listener: (event: JournalEvent) => void): () => void {
    return this.feed.onEvent(listener);
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

  /** Lets go of the run: one that this client started goes on, one of others does what they want of it. */
  async detach(): Promise<void> {
    if (this.lock === undefined || this.over) return;
    this.lettingGo = true;
    this.backend?.release();
    try {
      const peer = await this.peer;
      if (this.backend !== undefined) await peer?.ask('detach', {});
      peer?.end();
    } catch (error) {
      // A run that ends while it is asked something is no error.
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
        const ended = (await this.readEnding()) !== undefined;
        const next = await waitForNext(this.folder, this.lock, this.backend, ended);
        if (this.isLettingGo()) return LET_GO;
        if (next !== undefined) return await this.describeRestart(next);
      }
      await this.feed.readJournal();
      return await this.describeEnd();
    } catch (error) {
      return { state: 'interrupted', message: error instanceof Error ? error.message : String(error) };
    } finally {
      this.over = true;
      await this.feed.end();
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
      await this.feed.readJournal();
      await new Promise((resolve) => setTimeout(resolve, DISK_MS));
    }
  }

  /** Read through a method: it may change while something is awaited. */
  private isLettingGo(): boolean {
    return this.lettingGo;
  }

  private isSettled(): boolean {
    return this.lettingGo || this.feed.ending !== undefined;
  }

  private async join(lock: LockInfo): Promise<ClientPeer> {
    const peer = await connectBackend(lock, {
      onEvent: (event) => this.feed.take(event),
      onProgress: (progress) => {
        this.latest = progress;
        tell(this.progressListeners, progress);
      },
    });
    const { nextSeq } = await peer.ask('subscribe', { fromSeq: this.feed.next });
    this.feed.skipTo(nextSeq);
    return peer;
  }

  /** As it was heard, which the disk may have had no room for, or as it is written. */
  private async readEnding(): Promise<JournalEvent | undefined> {
    return this.feed.ending ?? (await readEnding(this.folder));
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
    const ending = await this.readEnding();
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
          message: await describeDeath(this.folder, exit),
          ...rest,
        };
    }
  }
}
