/**
 * How a backend is started, and what it and its supervisor tell each other. Without imports: a supervisor holds little
 * memory for as long as a run takes.
 */

/** Who a backend lives for. */
export type Owner =
  /** The clients that are attached: when the last one goes without `detach`, the backend stops. */
  | 'attached'
  /** The user: it goes on until it is done. */
  | 'detached';

/** Variable that tells the backend how to live. */
export const OWNER_VARIABLE = 'SHRINKNETS_OWNER';
/**
 * How glibc's allocator is to behave in a backend; others do not read it. Left to itself it has an arena for every few
 * threads, and limits that rise with what comes and goes: it keeps what training let go of. With limits of 1 MB, the
 * blocks of a step would be mapped anew in every step, which costs it 13 % more.
 */
export const ALLOCATOR = {
  MALLOC_ARENA_MAX: '2',
  MALLOC_MMAP_THRESHOLD_: String(32 << 20),
  MALLOC_TRIM_THRESHOLD_: String(64 << 20),
} as const;

/** Holds the process id of the supervisor, which leads the process group that the backend lives in. */
export const GROUP_VARIABLE = 'SHRINKNETS_GROUP';

/** Exit code of a backend that could not begin; its log says why. */
export const EXIT_NOT_BEGUN = 2;
/** Exit code of a backend whose journal says why it failed; Node.js itself uses the small ones. */
export const EXIT_FAILED = 70;
/** Exit code of a backend whose engine broke down: the run is to go on with another. */
export const EXIT_ENGINE_FAILED = 75;
/** Exit code of a backend that a second SIGTERM ended. */
export const EXIT_TERMINATED = 143;

/** How a process ended. */
export interface ProcessExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** "was ended by SIGSEGV", for messages. */
export function describeExit(exit: ProcessExit): string {
  return exit.signal === null ? `ended with code ${exit.code ?? '?'}` : `was ended by ${exit.signal}`;
}

/** Before a line of `backend.log` that says, as JSON, why a backend could not begin. */
export const START_FAILURE_MARK = 'shrinknets-start-failure ';

/** What a backend tells its supervisor, over Node's own channel between parent and child. */
export type BackendNews =
  /** It holds the run's lock: from now on its death is that of a run. */
  | { readonly kind: 'began' }
  /** Name of the engine it trains on, as in the journal. */
  | { readonly kind: 'engine'; readonly name: string }
  /** The engine cannot go on; why, in a sentence. */
  | { readonly kind: 'engine-failed'; readonly why: string }
  /** The run goes on when its clients are gone. */
  | { readonly kind: 'detached' }
  /** Somebody asked it to stop: it is not to be started again. */
  | { readonly kind: 'stopping' };

const LONGEST_NAME = 100;
const LONGEST_REASON = 500;

/** @param value anything: the author's code runs in the backend and can send what it likes */
export function parseBackendNews(value: unknown): BackendNews | undefined {
  if (typeof value !== 'object' || value === null || !('kind' in value)) return undefined;
  switch (value.kind) {
    case 'began':
    case 'detached':
    case 'stopping':
      return { kind: value.kind };
    case 'engine': {
      const name = 'name' in value ? value.name : undefined;
      return typeof name === 'string' ? { kind: 'engine', name: name.slice(0, LONGEST_NAME) } : undefined;
    }
    case 'engine-failed': {
      const why = 'why' in value ? value.why : undefined;
      return typeof why === 'string'
        ? { kind: 'engine-failed', why: why.slice(0, LONGEST_REASON) }
        : undefined;
    }
    default:
      return undefined;
  }
}

/** What a supervisor tells its backend: keep what was learned and end. */
export const STOP_MESSAGE = 'shrinknets-stop';
