import { access } from 'node:fs/promises';
import path from 'node:path';
import { badInput } from '../core/errors';
import type { RunContext } from '../core/job';
import type { AnyFeatures, Dataset } from '../data/dataset';
import { readModuleParts, type ModuleParts } from '../data/moduleData';
import { memoryLimit } from '../data/openFile';
import { isModule, readDataFiles } from '../data/readData';
import { completeDataset } from '../data/splitData';
import { standardizeDataset } from '../data/standardize';
import { Conversion } from '../data/stored/conversion';
import type { ReadData } from '../data/tableParts';
import { addTest } from '../data/testPart';
import { loadUserModule } from './userCode';

type Loading = Pick<RunContext, 'plan' | 'options' | 'stop' | 'progress'>;

/**
 * The data that a run's options name: a module is run, anything else is read; then split and standardised.
 *
 * @param withTargets whether predicted values may be standardised as well
 * @throws ShrinkError `data-…`; Stopped
 */
export async function loadData(context: Loading, withTargets = true): Promise<Dataset> {
  const { validation, seed, standardize } = context.options;
  const read = await readAny(context);
  const completed = completeDataset(read.parts, validation, seed);
  const { columns, classes, targets } = read;
  const dataset = {
    ...completed,
    notes: [...read.notes, ...completed.notes],
    origin: {
      shape: completed.train.x.shape,
      ...(columns === undefined ? {} : { columns }),
      ...(classes === undefined ? {} : { classes }),
      ...(targets === undefined ? {} : { targets }),
    },
  };
  const wanted = standardize === 'on' || (standardize === 'auto' && read.measured !== undefined);
  return wanted ? standardizeDataset(dataset, read.measured, withTargets) : dataset;
}

async function readAny(context: Loading): Promise<ReadData<AnyFeatures>> {
  const { data, test, target, dataMemory } = context.options;
  if (data === undefined) {
    const mark = context.plan.language === 'python' ? '#' : '//';
    throw badInput(
      'data-missing',
      `${context.plan.file}: no data for ${context.plan.model}; write ${mark} @shrink-model data=./data.mjs (or .csv, .npz …) above it, or give the option or setting data.`,
    );
  }
  const folder = path.dirname(context.plan.file);
  if (isModule(data))
    return readModules(
      path.resolve(folder, data),
      test === undefined ? undefined : path.resolve(folder, test),
    );
  const names = {
    folder,
    data,
    ...(test === undefined ? {} : { test }),
    ...(target === undefined ? {} : { target }),
  };
  const budget = dataMemory === undefined ? memoryLimit() : dataMemory * 1e6;
  return readDataFiles(names, { budget, conversion: new Conversion(context.stop, showing(context)) });
}

/** Tells whoever watches how far the conversion is. */
function showing(context: Loading): (share: number) => void {
  const started = performance.now();
  return (share) => {
    const elapsed = (performance.now() - started) / 1000;
    context.progress({
      phase: 'loading',
      epoch: 0,
      epochs: context.options.epochs,
      step: Math.round(share * 100),
      steps: 100,
      loss: 0,
      params: 0,
      stepMs: 0,
      secondsLeft: share > 0 ? (elapsed / share) * (1 - share) : 0,
    });
  };
}

async function readModules(file: string, test: string | undefined): Promise<ReadData> {
  const parts = await readModule(file);
  return { parts: test === undefined ? parts : addTest(parts, await readModule(test)), notes: [] };
}

async function readModule(file: string): Promise<ModuleParts> {
  try {
    await access(file);
  } catch (thrown) {
    throw badInput(
      'data-missing',
      `${file} does not exist; correct data= in the model’s hint, or the option or setting data.`,
      thrown,
    );
  }
  return readModuleParts(await loadUserModule(file), file);
}
