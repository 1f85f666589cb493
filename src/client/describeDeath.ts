import { join } from 'node:path';
import { z } from 'zod';
import { ShrinkError } from '../core/errors';
import { describeExit, EXIT_NOT_BEGUN, START_FAILURE_MARK, type ProcessExit } from '../protocol/process';
import { readCrashes } from '../run/crashes';
import { whyNotWritable } from '../run/durable';
import { readTail } from '../run/listRuns';
import { readLogLines } from '../run/log';
import { RUN_FILES } from '../run/paths';

/** What is said of a backend that ended without an event: its own words, or the end of its log. */

/** Enough for the message, the stack and the closing line of an error that Node.js prints. */
const QUOTED_LINES = 16;
const QUOTED_CHARACTERS = 300;

const failureSchema = z.object({
  kind: z.enum(['bad-input', 'training', 'environment']),
  code: z.string(),
  message: z.string(),
});

/** @param logStart length of the log before it was started @param what e.g. "ended with code 1" */
export async function startFailure(folder: string, logStart: number, what: string): Promise<ShrinkError> {
  const lines = await readLogLines(folder, logStart);
  return (
    findStartFailure(lines) ??
    // Where nothing can be written the program could not even say so.
    (await whyNotWritable(folder)) ??
    new ShrinkError('environment', 'backend-start', `The training program ${what}.${quoteLog(folder, lines)}`)
  );
}

/** What a backend that could not begin said of it in its log. */
function findStartFailure(lines: readonly string[]): ShrinkError | undefined {
  const said = lines.findLast((line) => line.startsWith(START_FAILURE_MARK));
  const parsed = failureSchema.safeParse(parseJson(said?.slice(START_FAILURE_MARK.length) ?? ''));
  return parsed.success
    ? new ShrinkError(parsed.data.kind, parsed.data.code, parsed.data.message)
    : undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A sentence on how a run's process ended without an event. @param exit of its supervisor, where it is known */
export async function describeDeath(folder: string, exit: ProcessExit | undefined): Promise<string> {
  const lines = await readLogLines(folder);
  const said = exit?.code === EXIT_NOT_BEGUN ? findStartFailure(lines) : undefined;
  if (said !== undefined) return said.message;
  const crash = (await readCrashes(folder)).at(-1);
  const how = exit === undefined ? 'ended without a word' : describeExit(exit);
  // An older crash is not what ended it now.
  const last = (await readTail(folder)).at(-1);
  const known = crash !== undefined && crash.at >= (last?.at ?? 0) ? crash.how : how;
  return `The training process ${known}; the run can be resumed.${quoteLog(folder, lines)}`;
}

function quoteLog(folder: string, lines: readonly string[]): string {
  if (lines.length === 0) return '';
  // A line of a bundle that is quoted by Node.js may be the whole bundle.
  const tail = lines.slice(-QUOTED_LINES).map((line) => line.slice(0, QUOTED_CHARACTERS));
  return ` The end of ${join(folder, RUN_FILES.log)}:\n${tail.join('\n')}`;
}
