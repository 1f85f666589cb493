import { access } from 'node:fs/promises';
import path from 'node:path';
import { badInput } from '../core/errors';
import type { RunContext } from '../core/job';
import type { Dataset } from '../data/dataset';
import { readModuleParts, type ModuleParts } from '../data/moduleData';
import { addTest, isModule, readDataFiles } from '../data/readData';
import { completeDataset } from '../data/splitData';
import { standardizeDataset } from '../data/standardize';
import type { ReadData } from '../data/tableParts';
import { loadUserModule } from './userCode';

/** The data that a run's options name: a module is run, anything else is read; then split and standardised. */
export async function loadData(context: Pick<RunContext, 'plan' | 'options'>): Promise<Dataset> {
  const { data, test, target, validation, seed, standardize } = context.options;
  if (data === undefined)
    throw badInput(
      'data-missing',
      `${context.plan.file}: no data for ${context.plan.model}; write // @shrink-model data=./data.mjs (or .csv, .npz …) above it, or give --data.`,
    );
  const folder = path.dirname(context.plan.file);
  const read = isModule(data)
    ? await readModules(
        path.resolve(folder, data),
        test === undefined ? undefined : path.resolve(folder, test),
      )
    : await readDataFiles({
        folder,
        data,
        ...(test === undefined ? {} : { test }),
        ...(target === undefined ? {} : { target }),
      });
  const completed = completeDataset(read.parts, validation, seed);
  const dataset = { ...completed, notes: [...read.notes, ...completed.notes] };
  const wanted = standardize === 'on' || (standardize === 'auto' && read.measured !== undefined);
  return wanted ? standardizeDataset(dataset, read.measured) : dataset;
}

async function readModules(file: string, test: string | undefined): Promise<ReadData> {
  const parts = await readModule(file);
  return { parts: test === undefined ? parts : addTest(parts, await readModule(test)), notes: [] };
}

async function readModule(file: string): Promise<ModuleParts> {
  try {
    await access(file);
  } catch (thrown) {
    throw badInput('data-missing', `${file} does not exist; correct data= or --data.`, thrown);
  }
  return readModuleParts(await loadUserModule(file), file);
}
