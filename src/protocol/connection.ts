import type { Socket } from 'node:net';
import {
  createMessageConnection,
  ErrorCodes,
  ResponseError,
  type Message,
  type MessageConnection,
} from 'vscode-jsonrpc/node.js';
import { z } from 'zod';
import { BoundedReader } from './boundedReader';
import { SocketWriter } from './socketWriter';
import {
  NOTIFICATIONS,
  REQUESTS,
  type NotificationName,
  type NotificationParams,
  type RequestName,
  type RequestParams,
  type RequestResult,
} from './backend';

/** The two ends of the protocol, typed: nothing crosses that its schema does not allow. */

const id = z.union([z.number().int(), z.string().max(64)]);
const method = z.string().regex(/^[A-Za-z]{1,64}$/);

/**
 * What each side may send at all. vscode-jsonrpc also understands cancellation and traces, which nothing here
 * uses, and takes the shape of those on trust: a `$/cancelRequest` without parameters would end the backend.
 */
const fromClient: z.ZodType<Message> = z.strictObject({
  jsonrpc: z.literal('2.0'),
  id,
  method,
  params: z.record(z.string(), z.unknown()),
});
const fromBackend: z.ZodType<Message> = z.union([
  z.strictObject({ jsonrpc: z.literal('2.0'), id, result: z.record(z.string(), z.unknown()) }),
  z.strictObject({
    jsonrpc: z.literal('2.0'),
    id,
    error: z.object({ code: z.number().int(), message: z.string() }),
  }),
  z.strictObject({ jsonrpc: z.literal('2.0'), method, params: z.record(z.string(), z.unknown()) }),
]);

const SILENT = { error: () => undefined, warn: () => undefined, info: () => undefined, log: () => undefined };

/** A refusal that the other side gets as an error reply. */
export function refuse(code: number, message: string): Error {
  return new ResponseError(code, message);
}

/** The code of an error reply, if it is one. */
export function refusalCode(thrown: unknown): number | undefined {
  return thrown instanceof ResponseError ? thrown.code : undefined;
}

interface Peer {
  /** Settles when the connection is gone, with the reason if it was a mistake of the other side. */
  readonly closed: Promise<Error | undefined>;
  /** Closes after what was sent has been handed to the system. */
  end(): void;
}

interface Wire {
  readonly connection: MessageConnection;
  readonly peer: Peer;
}

/** A mistake in the framing closes the connection; so does the other side. Then every pending call fails. */
function open(socket: Socket, maxBytes: number, accept: z.ZodType<Message>): Wire {
  const connection = createMessageConnection(
    new BoundedReader(socket, maxBytes, (value) => accept.parse(value)),
    new SocketWriter(socket),
    SILENT,
  );
  let reason: Error | undefined;
  connection.onError(([error]) => {
    reason ??= error;
    socket.destroy();
  });
  const closed = new Promise<Error | undefined>((resolve) => {
    socket.on('close', () => {
      // vscode-jsonrpc rejects pending calls when it is disposed, not when the stream closes.
      connection.dispose();
      resolve(reason);
    });
  });
  // Without a listener a reset of the peer would be an uncaught error.
  socket.on('error', (error) => {
    reason ??= error;
  });
  return { connection, peer: { closed, end: () => socket.end() } };
}

export type RequestHandlers = {
  readonly [Name in RequestName]: (
    params: RequestParams<Name>,
  ) => RequestResult<Name> | Promise<RequestResult<Name>>;
};

export interface ServerPeer extends Peer {
  notify<Name extends NotificationName>(name: Name, params: NotificationParams[Name]): void;
}

/** The backend's end: answers requests; what does not fit its schema gets an error reply. */
export function serveConnection(socket: Socket, maxBytes: number, handlers: RequestHandlers): ServerPeer {
  const { connection, peer } = open(socket, maxBytes, fromClient);
  for (const name of Object.keys(REQUESTS) as RequestName[]) {
    const handle = handlers[name] as (params: unknown) => unknown;
    connection.onRequest(name, (params: unknown) => {
      const parsed = REQUESTS[name].params.safeParse(params);
      if (!parsed.success)
        throw refuse(ErrorCodes.InvalidParams, `The parameters of ${name} are not what it takes.`);
      return handle(parsed.data);
    });
  }
  connection.listen();
  return {
    ...peer,
    notify: (name, params) => {
      if (socket.destroyed || socket.writableEnded) return;
      // A peer that has just gone is told by `closed`.
      connection.sendNotification(name, params).catch(() => undefined);
    },
  };
}

export interface ClientPeer extends Peer {
  /** @throws Error if the backend refuses, answers with another shape, or goes */
  ask<Name extends RequestName>(name: Name, params: RequestParams<Name>): Promise<RequestResult<Name>>;
}

export type NotificationHandlers = {
  readonly [Name in NotificationName]: (params: z.infer<(typeof NOTIFICATIONS)[Name]>) => void;
};

/** The client's end. A notification that does not fit closes the connection. */
export function joinConnection(socket: Socket, maxBytes: number, handlers: NotificationHandlers): ClientPeer {
  const { connection, peer } = open(socket, maxBytes, fromBackend);
  for (const name of Object.keys(NOTIFICATIONS) as NotificationName[]) {
    const handle = handlers[name] as (params: unknown) => void;
    connection.onNotification(name, (params: unknown) => {
      const parsed = NOTIFICATIONS[name].safeParse(params);
      if (parsed.success) handle(parsed.data);
      else socket.destroy(new Error(`The backend sent ${name} of another shape.`));
    });
  }
  connection.listen();
  return {
    ...peer,
    ask: async (name, params) => {
      const reply: unknown = await connection.sendRequest(name, params);
      const parsed = REQUESTS[name].result.safeParse(reply);
      if (!parsed.success) throw new Error(`The backend answered ${name} with another shape.`);
      return parsed.data as RequestResult<typeof name>;
    },
  };
}
