import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { badInput, lineAndColumn } from '../../core/errors';
import type { SourceReading } from '../../language';
import { languageOf, whyUnusable } from '../../language';
import { readModelFiles, showOffset } from '../../shell/sources';
import { EXIT } from '../failure';
import { Output } from '../output';

interface CheckFlags {
  readonly json?: boolean;
}

/** Folders that hold no sources of the user's own. */
const SKIPPED = new Set(['node_modules', 'dist', 'out', 'build', '__pycache__', 'venv']);

/** `shrinknets check`: what can be sized, and what is wrong, as `file:line:column`. */
export async function checkCommand(target: string, flags: CheckFlags): Promise<void> {
  const output = new Output();
  const files = await sourcesIn(target);
  let errors = 0;
  let models = 0;
  for await (const { file, reading } of readModelFiles(files)) {
    if (reading instanceof Error) {
      errors += 1;
      if (flags.json === true) process.stdout.write(`${JSON.stringify({ file, error: reading.message })}\n`);
      else output.error(`shrinknets: ${reading.message}`);
      continue;
    }
    models += reading.models.length;
    errors += reading.problems.filter((problem) => problem.severity === 'error').length;
    if (flags.json === true) process.stdout.write(`${JSON.stringify(describe(reading))}\n`);
    else show(output, reading);
  }
  if (flags.json !== true)
    output.line(`${files.length} files, ${models} models, ${errors} ${errors === 1 ? 'error' : 'errors'}`);
  if (errors > 0) process.exitCode = EXIT.failed;
}

/** Source files below a folder, or the file itself. @throws ShrinkError `file-missing` */
async function sourcesIn(target: string): Promise<string[]> {
  let folder: boolean;
  try {
    folder = (await stat(target)).isDirectory();
  } catch (thrown) {
    throw badInput('file-missing', `${target} does not exist; check the path.`, thrown);
  }
  if (!folder) return [target];
  const found: string[] = [];
  for (const entry of await readdir(target, { withFileTypes: true })) {
    const full = path.join(target, entry.name);
    if (entry.isDirectory() && !entry.name.startsWith('.') && !SKIPPED.has(entry.name))
      found.push(...(await sourcesIn(full)));
    else if (entry.isFile() && languageOf(entry.name) !== undefined && !entry.name.endsWith('.d.ts'))
      found.push(full);
  }
  return found.sort();
}

function show(output: Output, reading: SourceReading): void {
  const { bold, dim, red, yellow } = output.colors;
  const at = (offset: number): string => showOffset(reading, offset);
  for (const model of reading.models) {
    output.line(`${at(model.nameRange.start)}: ${bold(model.name)}, ${model.sites.length} layers`);
    for (const site of model.sites) {
      const hint = site.hint === undefined ? '' : `  ${describeHint(site.hint)}`;
      const width = site.width === undefined ? '' : ` ${site.width}`;
      const place =
        site.file === reading.file
          ? at(site.range.start)
          : `${path.relative(process.cwd(), site.file)}:${site.line}:${site.column}`;
      output.line(dim(`  ${place}: ${site.layerType}${width}${hint}`));
    }
  }
  for (const { name, message } of unusable(reading))
    output.line(`${yellow('warning')}: ${name} cannot be trained: ${message}`);
  for (const problem of reading.problems) {
    const paint = problem.severity === 'error' ? red : problem.severity === 'warning' ? yellow : dim;
    output.line(`${at(problem.range.start)}: ${paint(problem.severity)}: ${problem.message}`);
  }
}

/** Models that no plan can be made of, although nothing is wrong where they are read, and why. */
function unusable(reading: SourceReading): { name: string; message: string }[] {
  if (reading.problems.length > 0) return [];
  const wholes = reading.models.filter((model) => model.partOf.length === 0);
  return wholes.flatMap(({ name }) => {
    const message = whyUnusable(reading, name);
    return message === undefined ? [] : [{ name, message }];
  });
}

function describeHint(hint: object): string {
  const words = Object.entries(hint).map(([key, value]) =>
    value === true ? key : `${key}=${String(value)}`,
  );
  return ['@shrink', ...words].join(' ');
}

function describe(reading: SourceReading): object {
  return {
    file: reading.file,
    language: reading.language,
    models: reading.models.map(({ name, kind, sites, modelHint }) => ({ name, kind, sites, modelHint })),
    unusable: unusable(reading),
    problems: reading.problems.map((problem) => ({
      ...problem,
      ...lineAndColumn(reading.text, problem.range.start),
    })),
  };
}
