import { createSession, type Session, type SessionSetup } from './runtime';
import type { TracedStep } from './traced';

/** Sessions without a user that are kept: a trunk lets go of its two steps before it compiles the next; evaluations come and go. */
const IDLE = 4;

interface Held {
  readonly session: Promise<Session>;
  users: number;
}

/** Sessions by model file; steps of the same file share one. */
export class SessionPool {
  /** Those longest without a user first. */
  readonly #held = new Map<Uint8Array, Held>();
  readonly #setup: SessionSetup;

  constructor(setup: SessionSetup) {
    this.#setup = setup;
  }

  /** @throws ShrinkError `engine-failed` when the runtime or its provider refuses the model */
  async acquire(traced: TracedStep): Promise<Session> {
    const { model } = traced;
    const held = this.#held.get(model) ?? { session: createSession(traced, this.#setup), users: 0 };
    this.#held.set(model, held);
    held.users += 1;
    try {
      return await held.session;
    } catch (thrown) {
      this.#held.delete(model);
      throw thrown;
    }
  }

  release(model: Uint8Array): void {
    const held = this.#held.get(model);
    if (held === undefined) return;
    held.users -= 1;
    this.#held.delete(model);
    this.#held.set(model, held);
    const idle = [...this.#held].filter(([, { users }]) => users === 0);
    for (const [oldest, { session }] of idle.slice(0, Math.max(0, idle.length - IDLE))) {
      this.#held.delete(oldest);
      // What fails on the way out has nobody to tell, and must not end the process.
      session.then((open) => open.release()).catch(() => undefined);
    }
  }
}
