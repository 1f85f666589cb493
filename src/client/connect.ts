import { createConnection } from 'node:net';
import { ShrinkError } from '../core/errors';
import type { JournalEvent, Progress } from '../core/events';
import { MAX_REPLY_BYTES, PROTOCOL_VERSION, REFUSED } from '../protocol/backend';
import { joinConnection, refusalCode, type ClientPeer } from '../protocol/connection';
import { parseJournalEvent, parseProgress } from '../run/eventSchema';
import type { LockInfo } from '../run/lock';
import { isOwnSocket } from '../run/socketPath';

/** Time a backend has to answer; long, since an engine may compute without a pause. */
const ANSWER_MS = 60_000;

export interface Watcher {
  onEvent(event: JournalEvent): void;
  onProgress(progress: Progress): void;
}

/**
 * Connects to the backend that holds a lock and shows it the token.
 *
 * @throws ShrinkError `backend-unreachable` or `backend-version`
 */
export async function connectBackend(lock: LockInfo, watcher: Watcher): Promise<ClientPeer> {
  if (!(await isOwnSocket(lock.socket)))
    throw unreachable(lock, new Error(`${lock.socket} is not a socket that ShrinkNets made for this user`));
  const socket = createConnection(lock.socket);
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', (error) => reject(unreachable(lock, error)));
  });
  const peer = joinConnection(socket, MAX_REPLY_BYTES, {
    events: ({ events }) => {
      for (const value of events) {
        const event = parseJournalEvent(value);
        if (event === undefined) socket.destroy(new Error('The backend sent an event of another shape.'));
        else watcher.onEvent(event);
      }
    },
    progress: ({ progress }) => {
      const parsed = parseProgress(progress);
      if (parsed !== undefined) watcher.onProgress(parsed);
    },
  });
  const timer = setTimeout(() => socket.destroy(new Error('The backend does not answer.')), ANSWER_MS);
  try {
    await peer.ask('initialize', { version: PROTOCOL_VERSION, token: lock.token });
    return peer;
  } catch (error) {
    socket.destroy();
    if (refusalCode(error) !== REFUSED.version) throw unreachable(lock, error);
    throw new ShrinkError(
      'environment',
      'backend-version',
      `The run is being trained by another version of ShrinkNets. ${String(error)} It is followed through its journal.`,
      { cause: error },
    );
  } finally {
    clearTimeout(timer);
  }
}

/** The error of a backend that lives but does not answer. */
export function unreachable(lock: LockInfo, cause: unknown): ShrinkError {
  return new ShrinkError(
    'environment',
    'backend-unreachable',
    `The training process ${lock.pid} cannot be reached: ${cause instanceof Error ? cause.message : String(cause)}.`,
    { cause },
  );
}
