import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { badInput, messageOf } from '../../core/errors';
import type { ResultEvent } from '../../core/events';
import type { ModuleLibrary } from '../../language';
import { readPlan } from '../../run/runFolder';
import { changesOf } from '../../shell/changesOf';
import { writeEmission } from '../../shell/emission';
import { MODULE_LIBRARIES, writeCompactModule } from '../../shell/moduleEmission';
import { readCompactTopology } from '../../shell/results';
import { Output } from '../output';
import { showDiff } from '../render/diff';
import { emissionOf } from '../watchRun';
import { findRun } from './runs';

interface EmitFlags {
  readonly diff?: boolean;
  readonly write?: boolean;
  readonly module?: string;
  readonly library?: string;
  readonly out?: string;
}

/** `shrinknets emit`: shows or writes what a finished run learned. */
export async function emitCommand(run: string, flags: EmitFlags): Promise<void> {
  const folder = await findRun(run, flags.out);
  const result = await readResult(folder);
  const output = new Output();
  if (flags.module !== undefined) {
    await emitModule(folder, result, flags.module, flags.library);
    output.line(`The learned architecture is written to ${flags.module}.`);
    return;
  }
  const emission = await emissionOf(folder, result);
  const near = (file: string): string => path.relative(process.cwd(), file);
  const changes = changesOf(emission);
  if (changes.length === 0) {
    output.line(`${near(emission.file)} has the learned widths already.`);
    return;
  }
  if (flags.write !== true || flags.diff === true)
    for (const { file, before, after } of changes) showDiff(output, near(file), before, after);
  if (flags.write !== true) return;
  await writeEmission(emission);
  for (const { file, edits } of changes) output.line(`${edits.length} widths written into ${near(file)}.`);
}

/** Writes a file that is not there yet: nobody's code is overwritten. */
async function emitModule(
  folder: string,
  result: ResultEvent,
  file: string,
  wanted: string | undefined,
): Promise<void> {
  const library = MODULE_LIBRARIES.find((candidate) => candidate === wanted);
  if (wanted !== undefined && library === undefined)
    throw badInput('bad-option', `--library is ${wanted}; it can be ${MODULE_LIBRARIES.join(', ')}.`);
  const text = await moduleText(folder, result, file, library);
  if (existsSync(file))
    throw badInput('file-exists', `${file} exists already; name a new file or delete it first.`);
  try {
    await writeFile(file, text, { flag: 'wx' });
  } catch (thrown) {
    throw badInput('file-unwritable', `${file} cannot be written: ${messageOf(thrown)}.`, thrown);
  }
}

async function moduleText(
  folder: string,
  result: ResultEvent,
  file: string,
  library: ModuleLibrary | undefined,
): Promise<string> {
  const [plan, compact] = [await readPlan(folder), await readCompactTopology(folder)];
  return writeCompactModule(plan, result, compact, file, library);
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
