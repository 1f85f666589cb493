import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { badInput } from '../../core/errors';
import type { ResultEvent } from '../../core/events';
import { replaceFile } from '../../shell/emission';
import { Output } from '../output';
import { showDiff } from '../render/diff';
import { emissionOf } from '../watchRun';
import { findRun } from './runs';

interface EmitFlags {
  readonly diff?: boolean;
  readonly write?: boolean;
  readonly out?: string;
}

/** `shrinknets emit`: shows or writes what a finished run learned. */
export async function emitCommand(run: string, flags: EmitFlags): Promise<void> {
  const folder = await findRun(run, flags.out);
  const emission = await emissionOf(folder, await readResult(folder));
  const output = new Output();
  const shown = path.relative(process.cwd(), emission.file);
  if (emission.edits.length === 0) {
    output.line(`${shown} has the learned widths already.`);
    return;
  }
  if (flags.write !== true || flags.diff === true) showDiff(output, shown, emission.before, emission.after);
  if (flags.write !== true) return;
  await replaceFile(emission.file, emission.after);
  output.line(`${emission.edits.length} widths written into ${shown}.`);
}

/** @throws ShrinkError `run-unfinished` */
async function readResult(folder: string): Promise<ResultEvent> {
  try {
    return JSON.parse(await readFile(path.join(folder, 'result.json'), 'utf8')) as ResultEvent;
  } catch (thrown) {
    throw badInput(
      'run-unfinished',
      `${path.basename(folder)} has no result yet; go on with: shrinknets resume ${path.basename(folder)}.`,
      thrown,
    );
  }
}
