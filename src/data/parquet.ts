import { fork, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { badInput, ShrinkError } from '../core/errors';
import { sentence } from './openFile';
import type { FromChild, ToChild } from './parquetChild';

/** Cells that are read at once; bounds what is held beside the table. */
const CELLS_AT_ONCE = 2_000_000;
const START_MS = 60_000;
const OPEN_MS = 10_000;
/** JavaScript values of a damaged file that may pile up before its process ends. */
const HEAP_MB = 1024;

/** Some rows of every column: numbers, or cells of any kind. */
export type ColumnSlice = readonly (Float64Array | readonly unknown[])[];

/** A Parquet file that is open in a process of its own. */
export interface ParquetFile {
  readonly names: readonly string[];
  readonly rows: number;
  slices(): AsyncGenerator<{ readonly count: number; readonly columns: ColumnSlice }>;
  /** To be called in any case. */
  close(): void;
}

/**
 * Opens a Parquet file. It is decoded in a process of its own, which is ended when it shows no progress.
 *
 * @throws ShrinkError `data-format`, here and while slices are read
 */
export async function openParquet(file: string): Promise<ParquetFile> {
  const decoder = await Decoder.start(file);
  try {
    const opening = decoder.ask({ open: path.resolve(file) }, OPEN_MS);
    const header = (await opening.next()).value;
    if (header === undefined || !('groups' in header)) throw decoder.wrong('it has no header');
    const { groups, names } = header;
    if (names.length === 0) throw decoder.wrong('it has no columns');
    if (groups.some((count) => !Number.isSafeInteger(count) || count < 0))
      throw decoder.wrong('the rows of its row groups are no counts');
    return {
      names,
      rows: groups.reduce((sum, count) => sum + count, 0),
      slices: () => slicesOf(decoder, groups, names.length),
      close: () => decoder.release(),
    };
  } catch (thrown) {
    decoder.release();
    throw thrown;
  }
}

async function* slicesOf(
  decoder: Decoder,
  groups: readonly number[],
  width: number,
): AsyncGenerator<{ count: number; columns: ColumnSlice }> {
  const atOnce = Math.max(256, Math.floor(CELLS_AT_ONCE / width));
  let groupStart = 0;
  for (const rows of groups) {
    for (let from = 0; from < rows; from += atOnce) {
      const count = Math.min(atOnce, rows - from);
      const columns: (Float64Array | readonly unknown[])[] = [];
      const start = groupStart + from;
      for await (const message of decoder.ask({ read: [start, start + count] }, OPEN_MS))
        if ('column' in message) columns[message.column] = message.cells;
      if (columns.length !== width || columns.some((cells) => cells.length !== count))
        throw decoder.wrong(`rows ${start + 1} to ${start + count} are not all there`);
      yield { count, columns };
    }
    groupStart += rows;
  }
}

/** Kept between files: starting a process takes longer than reading a small file. */
let idle: ChildProcess | undefined;

/** The child's end of a conversation about one file. */
class Decoder {
  private readonly received: FromChild[] = [];
  private wake: () => void = () => undefined;
  private lost: string | undefined;

  private constructor(
    private readonly child: ChildProcess,
    private readonly file: string,
  ) {
    child.on('message', this.onMessage);
    child.on('exit', this.onExit);
    child.on('error', this.onExit);
  }

  static async start(file: string): Promise<Decoder> {
    const waiting = idle;
    idle = undefined;
    if (waiting?.connected === true) {
      hold(waiting, true);
      return new Decoder(waiting, file);
    }
    const child = fork(childScript(), [], {
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      execArgv: [`--max-old-space-size=${HEAP_MB}`],
      // Inside VS Code the executable is Electron; this makes it behave as Node.
      env: { ...process.env, ELECTRON_RUN_AS_NODE: '1' },
    });
    // A damaged file may leave a process that is about to die: it is not kept, and its last error is nobody's.
    const forget = (): void => {
      if (idle === child) idle = undefined;
    };
    child.on('exit', forget);
    child.on('error', forget);
    const decoder = new Decoder(child, file);
    await decoder.next(START_MS);
    return decoder;
  }

  wrong(what: string): ShrinkError {
    return badInput(
      'data-format',
      `${this.file} cannot be read as Parquet: ${what}; write or fetch it again.`,
    );
  }

  /** Sends a request and gives what comes back, without what only says that it goes on. */
  async *ask(request: ToChild, patienceMs: number): AsyncGenerator<FromChild, undefined> {
    this.child.send(request);
    let patience = patienceMs;
    for (;;) {
      const message = await this.next(patience);
      if ('error' in message) throw this.wrong(sentence(new Error(message.error)));
      if ('done' in message) return;
      if ('patienceMs' in message) patience = message.patienceMs;
      else yield message;
      if ('groups' in message) return;
    }
  }

  /** Gives the process back, or ends it if anything went wrong in it. */
  release(): void {
    this.child.off('message', this.onMessage);
    this.child.off('exit', this.onExit);
    this.child.off('error', this.onExit);
    if (this.lost === undefined && idle === undefined && this.child.connected) {
      this.child.send({ close: true } satisfies ToChild);
      hold(this.child, false);
      idle = this.child;
    } else this.child.kill('SIGKILL');
  }

  private async next(patienceMs: number): Promise<FromChild> {
    const deadline = Date.now() + patienceMs;
    for (;;) {
      const message = this.received.shift();
      if (message !== undefined) return message;
      if (this.lost !== undefined) throw this.wrong(this.lost);
      const left = deadline - Date.now();
      if (left <= 0) {
        this.lost = 'decoding it makes no progress, so it is damaged';
        continue;
      }
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  private readonly onMessage = (message: unknown): void => {
    this.received.push(message as FromChild);
    this.wake();
  };

  private readonly onExit = (): void => {
    this.lost = 'decoding it ended its process, so it is damaged or needs more memory than it may have';
    this.wake();
  };
}

/** Whether this process waits for the child before it ends. */
function hold(child: ChildProcess, on: boolean): void {
  if (on) {
    child.ref();
    child.channel?.ref();
  } else {
    child.unref();
    child.channel?.unref();
  }
}

/** The child's bundle: beside ours, or in `dist` where the source itself is run. */
function childScript(): string {
  const beside = typeof __dirname === 'string' ? [__dirname] : [];
  const folders = [...beside, path.dirname(process.argv[1] ?? '.'), path.resolve('dist')];
  const found = folders
    .map((folder) => path.join(folder, 'parquet.cjs'))
    .find((script) => existsSync(script));
  if (found !== undefined) return found;
  throw new ShrinkError(
    'environment',
    'data-reader-missing',
    `The reader of Parquet files, parquet.cjs, is missing; install ShrinkNets again.`,
  );
}
