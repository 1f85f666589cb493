import { rm } from 'node:fs/promises';
import path from 'node:path';
import { startRun, type StartSettings } from '../../client/runs';
import { MODEL_OPTIONS } from '../../core/optionTable';
import { makePlan } from '../../language';
import { runsFolderFor } from '../../run/paths';
import { resolveRunOptions } from '../../shell/runOptions';
import { readModelFile } from '../../shell/sources';
import { attachedBackend } from '../backend';
import { kebab } from '../flagNames';
import { watchRun } from '../watchRun';

export interface TrainFlags {
  readonly model?: string;
  readonly out?: string;
  readonly json?: boolean;
  readonly write?: boolean;
  readonly data?: string;
  readonly test?: string;
  readonly [option: string]: string | boolean | undefined;
}

/** `shrinknets train`: reads, plans, trains in a child process, and shows what was learned. */
export async function trainCommand(file: string, flags: TrainFlags): Promise<void> {
  const handle = await startRun(await prepareTraining(file, flags));
  const end = await watchRun(handle, { json: flags.json === true, write: flags.write === true });
  // Input that cannot be used leaves nothing behind.
  if (end.nothingLearned) await rm(handle.folder, { recursive: true, force: true });
  process.exitCode = end.exitCode;
}

/** What a run of a file's model needs, from its hints and the command line. @throws ShrinkError */
export async function prepareTraining(file: string, flags: TrainFlags): Promise<StartSettings> {
  const reading = await readModelFile(file);
  const plan = makePlan(reading, flags.model);
  const given: Record<string, string> = {};
  for (const { key } of MODEL_OPTIONS) {
    const value = flags[key];
    if (typeof value === 'string') given[key] = fromWorkingDirectory(key, value);
  }
  const options = resolveRunOptions(plan, [
    { name: (key) => `${plan.file}: ${key}`, values: plan.modelHint },
    { name: (key) => `--${kebab(key)}`, values: given },
  ]);
  return { runsFolder: runsFolderFor(plan.file, flags.out), plan, options, ...attachedBackend() };
}

/** Paths in hints are relative to the model file, paths on the command line to where it is typed. */
function fromWorkingDirectory(key: string, value: string): string {
  return key === 'data' || key === 'test' ? path.resolve(value) : value;
}
