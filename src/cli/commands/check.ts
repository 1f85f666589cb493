import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { badInput, lineAndColumn, messageOf } from '../../core/errors';
import type { SourceReading } from '../../language';
import { languageOf, whyUnusable } from '../../language';
import { isNotebook } from '../../shell/notebooks';
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
  const { files, left } = await sourcesIn(target);
  let errors = 0;
  let models = 0;
  for (const { file, why } of left)
    if (flags.json === true) process.stdout.write(`${JSON.stringify({ file, left: why })}\n`);
    else output.line(output.colors.dim(`${file}: not read: ${why}`));
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

/** Nobody writes a model by hand in more; notebooks hold pictures as well. */
const MOST_BYTES = { source: 1e6, notebook: 1e8 };

interface Sources {
  readonly files: string[];
  /** What was not read, and why. */
  readonly left: { readonly file: string; readonly why: string }[];
}

/** Source files below a folder, or the file itself. @throws ShrinkError `file-missing` */
async function sourcesIn(target: string): Promise<Sources> {
  const sources: Sources = { files: [], left: [] };
  try {
    if ((await stat(target)).isDirectory()) await walk(target, sources);
    else sources.files.push(target);
  } catch (thrown) {
    throw badInput('file-missing', `${target} cannot be read: ${messageOf(thrown)}; check the path.`, thrown);
  }
  sources.files.sort();
  return sources;
}

/** Links are not followed: they may lead in a circle, and what is in the folder itself is met anyway. */
async function walk(folder: string, sources: Sources): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true });
  // An environment of Python holds other people's code.
  if (entries.some((entry) => entry.name === 'pyvenv.cfg')) return;
  for (const entry of entries) {
    const full = path.join(folder, entry.name);
    try {
      if (entry.isDirectory() && !entry.name.startsWith('.') && !SKIPPED.has(entry.name))
        await walk(full, sources);
      else if (entry.isFile() && languageOf(entry.name) !== undefined && !entry.name.endsWith('.d.ts'))
        await take(full, sources);
    } catch (thrown) {
      sources.left.push({ file: full, why: messageOf(thrown) });
    }
  }
}

async function take(file: string, { files, left }: Sources): Promise<void> {
  const { size } = await stat(file);
  const most = isNotebook(file) ? MOST_BYTES.notebook : MOST_BYTES.source;
  if (size <= most) files.push(file);
  else
    left.push({ file, why: `${(size / 1e6).toFixed(1)} MB; models are written in at most ${most / 1e6} MB` });
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
