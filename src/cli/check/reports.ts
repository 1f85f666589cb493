import { availableParallelism } from 'node:os';
import path from 'node:path';
import { parentPort, Worker, workerData } from 'node:worker_threads';
import colors from 'picocolors';
import { messageOf } from '../../core/errors';
import { programFolder } from '../../shell/programs';
import { readModelFiles } from '../../shell/sources';
import { reportOn, type Report } from './report';

/** Reading many files: threads of this program, each with files of its own, where there are enough to pay for them. */

/** A thread takes as long to start as this many files to read. */
const FILES_PER_THREAD = 60;
const MOST_THREADS = 4;
/** Syntax trees live for one file: with room for several of them, few are copied before they are garbage. */
const YOUNG_MB = 192;
/** Files that a thread is given at once. */
const PORTION = 8;

interface Setup {
  readonly json: boolean;
  readonly isColored: boolean;
}

interface Answer {
  readonly index: number;
  readonly report: Report;
}

/** What is said of files, in their order. */
export function reportsOf(files: readonly string[], json: boolean): AsyncGenerator<Report> {
  const threads = Math.min(availableParallelism(), MOST_THREADS, Math.floor(files.length / FILES_PER_THREAD));
  const setup = { json, isColored: colors.isColorSupported };
  return threads < 2 ? reportsHere(files, setup) : new Threads(files, setup).run(threads);
}

async function* reportsHere(files: readonly string[], setup: Setup): AsyncGenerator<Report> {
  const paint = colors.createColors(setup.isColored);
  for await (const { file, reading } of readModelFiles(files))
    yield reportOn(file, reading, setup.json, paint);
}

/** The part of a thread: answers portions of files, one report after the other. */
export function answerPortions(): void {
  const port = parentPort;
  port?.on('message', ({ files, from }: { files: readonly string[]; from: number }) => {
    void (async () => {
      let index = from;
      for await (const report of reportsHere(files, workerData as Setup))
        port.postMessage({ index: index++, report } satisfies Answer);
    })();
  });
}

class Threads {
  private readonly reports: (Report | undefined)[];
  private next = 0;
  private running: Worker[] = [];
  private wake: () => void = () => undefined;

  constructor(
    private readonly files: readonly string[],
    private readonly setup: Setup,
  ) {
    this.reports = files.map(() => undefined);
  }

  async *run(threads: number): AsyncGenerator<Report> {
    for (let count = 0; count < threads; count += 1) this.start();
    try {
      for (let index = 0; index < this.files.length; index += 1) {
        while (this.reports[index] === undefined) await new Promise<void>((resolve) => (this.wake = resolve));
        const report = this.reports[index];
        if (report !== undefined) yield report;
      }
    } finally {
      await Promise.all(this.running.map((worker) => worker.terminate()));
    }
  }

  private start(): void {
    const worker = new Worker(path.join(programFolder(), 'cli.cjs'), {
      workerData: this.setup,
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB },
    });
    this.running.push(worker);
    let [from, done, end] = [0, 0, 0];
    const give = (): void => {
      if (done < end) return;
      [from, end] = [this.next, Math.min(this.next + PORTION, this.files.length)];
      [done, this.next] = [from, end];
      if (from < end) worker.postMessage({ files: this.files.slice(from, end), from });
    };
    worker.on('message', ({ index, report }: Answer) => {
      done = index + 1;
      this.keep(index, report);
      give();
    });
    worker.on('error', (thrown) => {
      this.running = this.running.filter((other) => other !== worker);
      this.breakDown(done, end, messageOf(thrown));
    });
    give();
  }

  /** A file that a thread broke down at is named; the rest of its portion goes to another thread. */
  private breakDown(at: number, end: number, why: string): void {
    const file = this.files[at] ?? '';
    const problem = new Error(`${file} cannot be read: ${why}.`);
    if (at < end) this.keep(at, reportOn(file, problem, this.setup.json, colors));
    const rest = Array.from({ length: Math.max(0, end - at - 1) }, (_, i) => at + 1 + i);
    void (async () => {
      for (const index of rest)
        for await (const report of reportsHere(this.files.slice(index, index + 1), this.setup))
          this.keep(index, report);
    })();
    if (this.next < this.files.length) this.start();
  }

  private keep(index: number, report: Report): void {
    this.reports[index] = report;
    this.wake();
  }
}
