import { z } from 'zod';
import type { JournalEvent, Progress } from '../core/events';

/**
 * Extension or command line ⇄ backend: JSON-RPC 2.0 over a socket in a private folder. The first message of a
 * client is `initialize` with the token from the run's lock; everything before it is refused.
 */

/** 2: a backend sends only the newest events, a client reads those before from the journal. */
export const PROTOCOL_VERSION = 2;

/** Longest message a backend reads: clients have nothing long to say. */
export const MAX_REQUEST_BYTES = 64 * 1024;
/** Longest message a client reads. */
export const MAX_REPLY_BYTES = 64 * 1024 * 1024;
/** A backend sends its journal in parts of about this many characters. */
export const EVENTS_PART_CHARACTERS = 1024 * 1024;

/** Codes of error replies, beside those of JSON-RPC itself. */
export const REFUSED = { version: -32001, token: -32002, notInitialized: -32003 } as const;

const nothing = z.strictObject({});

export type BackendState = 'running' | 'stopping' | 'ended';

/** What a client may ask, with the shapes of question and answer. */
export const REQUESTS = {
  /** Must come first. */
  initialize: {
    params: z.strictObject({ version: z.number().int(), token: z.string().max(256) }),
    result: z.object({
      version: z.number().int(),
      run: z.string(),
      pid: z.number().int(),
      state: z.enum(['running', 'stopping', 'ended']),
      nextSeq: z.number().int(),
    }),
  },
  /**
   * Sends the events from `fromSeq` on as `events`, then every new one. Of those before now only the newest, so that `seq`
   * may jump once: the journal on the disk has the others.
   */
  subscribe: {
    params: z.strictObject({ fromSeq: z.number().int().min(0) }),
    result: z.object({ nextSeq: z.number().int() }),
  },
  /** Asks the job to keep what was learned and end. Answered at once, not when it has ended. */
  stop: { params: nothing, result: z.object({}) },
  /** Ends the backend's process group at once. */
  kill: { params: nothing, result: z.object({}) },
  /** The run goes on when its clients are gone. */
  detach: { params: nothing, result: z.object({}) },
} as const;

export type RequestName = keyof typeof REQUESTS;
export type RequestParams<Name extends RequestName> = z.infer<(typeof REQUESTS)[Name]['params']>;
export type RequestResult<Name extends RequestName> = z.infer<(typeof REQUESTS)[Name]['result']>;

/** What a backend tells those who subscribed. The events' own shapes are checked by whoever stores or shows them. */
export const NOTIFICATIONS = {
  events: z.object({ events: z.array(z.unknown()) }),
  progress: z.object({ progress: z.unknown() }),
} as const;

export type NotificationName = keyof typeof NOTIFICATIONS;

/** What is sent under each name. */
export interface NotificationParams {
  readonly events: { readonly events: readonly JournalEvent[] };
  readonly progress: { readonly progress: Progress };
}
