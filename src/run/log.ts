import { open, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { RUN_FILES } from './paths';

/**
 * `backend.log`: what the training process and the author's code print. Bounded, since they may print in a loop for
 * days: the beginning and the end are what tells something.
 */

/** Longest log that is left as it is. */
export const MAX_LOG_BYTES = 4 * 1024 * 1024;
/** What is kept of each end of a longer one. */
const END_BYTES = 1024 * 1024;
const CUT_MARK = '\n[ShrinkNets left out the middle of this log]\n';
/** Enough for what a message quotes. */
const TAIL_BYTES = 64 * 1024;

/**
 * Takes the middle out of a log that has grown too long. Those who print have it open for appending, so they go on at
 * its new end; what they print in this very moment may be lost. Never throws: a log is worth less than its run.
 */
export async function boundLog(folder: string): Promise<void> {
  try {
    const file = await open(join(folder, RUN_FILES.log), 'r+');
    try {
      const { size } = await file.stat();
      if (size > MAX_LOG_BYTES) await cutMiddle(file, size);
    } finally {
      await file.close();
    }
  } catch {
    // No log, or no right to it.
  }
}

async function cutMiddle(file: FileHandle, size: number): Promise<void> {
  const head = wholeLinesBefore(await readPart(file, 0, END_BYTES));
  const tail = wholeLinesAfter(await readPart(file, size - END_BYTES, END_BYTES));
  const rest = Buffer.concat([Buffer.from(CUT_MARK), tail]);
  await file.truncate(head.byteLength);
  // In one call, so that little can come in between.
  await file.write(rest, 0, rest.byteLength, head.byteLength);
}

async function readPart(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, position);
  return buffer.subarray(0, bytesRead);
}

/** A line that is longer than the part is cut. */
function wholeLinesBefore(part: Buffer): Buffer {
  const end = part.lastIndexOf(0x0a);
  return end < 0 ? part : part.subarray(0, end + 1);
}

function wholeLinesAfter(part: Buffer): Buffer {
  return part.subarray(part.indexOf(0x0a) + 1);
}

/** Length of the log in bytes; 0 if there is none. */
export async function logLength(folder: string): Promise<number> {
  return withLog(folder, 0, async (file) => (await file.stat()).size);
}

/** The last lines of the log, empty ones left out. @param start in bytes; what lies before it is not wanted */
export async function readLogLines(folder: string, start = 0): Promise<string[]> {
  return withLog(folder, [], async (file) => {
    const { size } = await file.stat();
    const from = Math.max(start, size - TAIL_BYTES);
    const text = (await readPart(file, from, Math.max(0, size - from))).toString('utf8');
    return text.split('\n').filter((line) => line.trim() !== '');
  });
}

async function withLog<T>(folder: string, none: T, read: (file: FileHandle) => Promise<T>): Promise<T> {
  let file: FileHandle;
  try {
    file = await open(join(folder, RUN_FILES.log), 'r');
  } catch {
    return none;
  }
  try {
    return await read(file);
  } finally {
    await file.close();
  }
}
