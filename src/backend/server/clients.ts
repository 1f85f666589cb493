import { timingSafeEqual } from 'node:crypto';
import { createServer, type Server, type Socket } from 'node:net';
import type { JournalEvent, Progress } from '../../core/events';
import type { RecentEvents } from '../../core/recentEvents';
import {
  EVENTS_PART_CHARACTERS,
  MAX_REQUEST_BYTES,
  PROTOCOL_VERSION,
  REFUSED,
  type BackendState,
} from '../../protocol/backend';
import { refuse, serveConnection, type ServerPeer } from '../../protocol/connection';
import { remakeSocketFolder, touchSocket } from '../../run/socketPath';

/** Everybody who watches a run. Knows nothing of the run but its events. */

const MAX_CLIENTS = 32;
/** Time a connection has to show its token. */
const INITIALIZE_MS = 5_000;
/** Time in which a client reads that its token is wrong. */
const REFUSED_MS = 50;
/** Unread bytes after which a client that does not read is let go; it can come back and catch up. */
const MAX_BACKLOG_BYTES = 64 * 1024 * 1024;
/** At most 10 progress messages a second. */
const PROGRESS_MS = 100;

export interface ClientsOwner {
  readonly run: string;
  readonly token: string;
  /** The newest events; clients read those before from the disk. */
  readonly recent: RecentEvents;
  /** Settles when `recent` holds the journal as far as it stays; clients wait for it. */
  readonly ready: Promise<void>;
  state(): BackendState;
  stop(): void;
  kill(): void;
  detach(): void;
  /** Called whenever a client has been let in or has gone. */
  onCount(attached: number): void;
}

interface Client {
  readonly socket: Socket;
  readonly peer: ServerPeer;
  subscribed: boolean;
}

export class Clients {
  private readonly attached = new Set<Client>();
  private readonly sockets = new Set<Socket>();
  private server: Server;
  private lastProgress: Progress | undefined;
  private progressTimer: NodeJS.Timeout | undefined;
  private relistening = false;
  private unsent: JournalEvent[] = [];

  constructor(private readonly owner: ClientsOwner) {
    this.server = createServer((socket) => this.accept(socket));
  }

  async listen(socketPath: string): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen(socketPath, resolve);
    });
  }

  /** Keeps the socket from being tidied away, and listens again where it was. */
  async keepListening(socketPath: string): Promise<void> {
    if (this.relistening || (await touchSocket(socketPath))) return;
    this.relistening = true;
    try {
      // Those who are connected stay so.
      this.server.close();
      this.server = createServer((socket) => this.accept(socket));
      await remakeSocketFolder(socketPath);
      await this.listen(socketPath);
    } finally {
      this.relistening = false;
    }
  }

  get count(): number {
    return this.attached.size;
  }

  /** Sends an event that has just been stored. */
  publish(event: JournalEvent): void {
    this.unsent.push(event);
    // Those that come at once go together: a message for each would pile up at a client that is busy.
    if (this.unsent.length === 1) queueMicrotask(() => this.flush());
  }

  private flush(): void {
    const events = this.unsent;
    this.unsent = [];
    if (events.length > 0) this.send((client) => sendInParts(client, events));
  }

  /** Sends progress: the newest at most every {@link PROGRESS_MS}, and not to a client that is behind. */
  report(progress: Progress): void {
    this.lastProgress = progress;
    if (this.progressTimer !== undefined) return;
    this.sendProgress(progress);
    this.progressTimer = setTimeout(() => {
      this.progressTimer = undefined;
      if (this.lastProgress !== undefined && this.lastProgress !== progress) this.report(this.lastProgress);
    }, PROGRESS_MS).unref();
  }

  private sendProgress(progress: Progress): void {
    this.send((client) => {
      if (!client.socket.writableNeedDrain) client.peer.notify('progress', { progress });
    });
  }

  /** Lets everybody read what was sent, then closes. */
  async close(timeoutMs: number): Promise<void> {
    clearTimeout(this.progressTimer);
    this.flush();
    this.server.close();
    const gone = [...this.attached].map((client) => client.peer.closed);
    for (const client of this.attached) client.peer.end();
    let timer: NodeJS.Timeout | undefined;
    await Promise.race([
      Promise.all(gone),
      new Promise((resolve) => (timer = setTimeout(resolve, timeoutMs))),
    ]);
    clearTimeout(timer);
    for (const socket of this.sockets) socket.destroy();
  }

  private send(notify: (client: Client) => void): void {
    for (const client of this.attached) {
      if (!client.subscribed) continue;
      if (client.socket.writableLength > MAX_BACKLOG_BYTES) client.socket.destroy();
      else notify(client);
    }
  }

  private accept(socket: Socket): void {
    if (this.sockets.size >= MAX_CLIENTS) {
      socket.destroy();
      return;
    }
    this.sockets.add(socket);
    const timer = setTimeout(() => socket.destroy(), INITIALIZE_MS);
    let client: Client | undefined;
    const admitted = (): Client => {
      if (client === undefined) throw refuse(REFUSED.notInitialized, 'Initialize first.');
      return client;
    };
    const peer = serveConnection(socket, MAX_REQUEST_BYTES, {
      initialize: async ({ version, token }) => {
        if (!sameText(token, this.owner.token)) {
          // The refusal itself is written a little later.
          setTimeout(() => socket.end(), REFUSED_MS);
          throw refuse(REFUSED.token, 'The token is wrong.');
        }
        if (version !== PROTOCOL_VERSION)
          throw refuse(
            REFUSED.version,
            `This backend speaks version ${PROTOCOL_VERSION} of the protocol, you speak ${version}.`,
          );
        clearTimeout(timer);
        await this.owner.ready;
        if (client === undefined && !socket.destroyed) {
          client = { socket, peer, subscribed: false };
          this.attached.add(client);
          this.owner.onCount(this.attached.size);
        }
        return {
          version: PROTOCOL_VERSION,
          run: this.owner.run,
          pid: process.pid,
          state: this.owner.state(),
          nextSeq: this.owner.recent.next,
        };
      },
      subscribe: ({ fromSeq }) => {
        const subscriber = admitted();
        const nextSeq = this.owner.recent.next;
        this.catchUp(subscriber, fromSeq);
        subscriber.subscribed = true;
        return { nextSeq };
      },
      stop: () => {
        admitted();
        this.owner.stop();
        return {};
      },
      kill: () => {
        admitted();
        this.owner.kill();
        return {};
      },
      detach: () => {
        admitted();
        this.owner.detach();
        return {};
      },
    });
    void peer.closed.then(() => {
      clearTimeout(timer);
      this.sockets.delete(socket);
      if (client !== undefined && this.attached.delete(client)) this.owner.onCount(this.attached.size);
    });
  }

  private catchUp(client: Client, fromSeq: number): void {
    sendInParts(client, this.owner.recent.from(fromSeq));
    if (this.lastProgress !== undefined) client.peer.notify('progress', { progress: this.lastProgress });
  }
}

/** Sends events in parts that stay far under the longest message. */
function sendInParts(client: Client, events: readonly JournalEvent[]): void {
  let part: JournalEvent[] = [];
  let characters = 0;
  for (const event of events) {
    part.push(event);
    characters += JSON.stringify(event).length;
    if (characters < EVENTS_PART_CHARACTERS) continue;
    client.peer.notify('events', { events: part });
    part = [];
    characters = 0;
  }
  if (part.length > 0) client.peer.notify('events', { events: part });
}

function sameText(given: string, wanted: string): boolean {
  const a = Buffer.from(given);
  const b = Buffer.from(wanted);
  return a.byteLength === b.byteLength && timingSafeEqual(a, b);
}
