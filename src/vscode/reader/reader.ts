import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { ShrinkError } from '../../core/errors';
import { programFolder } from '../../shell/programs';
import type { Answer, PlainError, Question, Questions, Request } from './messages';

interface Pending {
  readonly request: Request;
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** Asks the thread that reads sources; starts it with the first question, and again should it end. */
export class Reader {
  private worker: Worker | undefined;
  /** What is not answered yet; the first is what the thread is at. */
  private readonly pending = new Map<number, Pending>();
  private count = 0;
  private isDisposed = false;

  /**
   * @param script the thread's program
   * @param ended is told why the thread ended by itself; it knows no source any more
   */
  constructor(
    private readonly ended: (why: string) => void,
    private readonly script = path.join(programFolder(), 'extension-reader.cjs'),
  ) {}

  /** Waits for ever once this is disposed of. @throws ShrinkError what the thread throws, or `reader-ended` */
  async ask<Kind extends Question>(
    kind: Kind,
    ask: Questions[Kind]['ask'],
  ): Promise<Questions[Kind]['answer']> {
    this.count += 1;
    const request: Request = { id: this.count, kind, ask };
    const answer = await new Promise<unknown>((resolve, reject) => {
      this.pending.set(request.id, { request, resolve, reject });
      this.send(request);
    });
    return answer as Questions[Kind]['answer'];
  }

  dispose(): void {
    this.isDisposed = true;
    void this.worker?.terminate();
  }

  private send(request: Request): void {
    if (this.isDisposed) return;
    this.worker ??= this.start();
    this.worker.postMessage(request);
  }

  private start(): Worker {
    const worker = new Worker(this.script);
    worker.on('message', (message: Answer) => {
      const asked = this.pending.get(message.id);
      this.pending.delete(message.id);
      if ('error' in message) asked?.reject(asError(message.error));
      else asked?.resolve(message.answer);
    });
    worker.once('error', (error) => this.end(worker, error.message));
    worker.once('exit', (code) => this.end(worker, `it ended with code ${code}`));
    return worker;
  }

  /** The thread is gone: what it was at is given up, the rest goes to another thread. */
  private end(worker: Worker, why: string): void {
    if (this.worker !== worker || this.isDisposed) return;
    this.worker = undefined;
    this.ended(why);
    const [first, ...others] = this.pending.values();
    if (first === undefined) return;
    this.pending.delete(first.request.id);
    const message = `The thread that reads model files ended (${why}); try again. If it ends again, say so with ShrinkNets: Copy Diagnostics.`;
    first.reject(new ShrinkError('environment', 'reader-ended', message));
    for (const { request } of others) this.send(request);
  }
}

function asError({ message, known, stack }: PlainError): Error {
  if (known !== undefined) return new ShrinkError(known.kind, known.code, message);
  const error = new Error(message);
  if (stack !== undefined) error.stack = stack;
  return error;
}
