import path from 'node:path';
import type { Colors } from 'picocolors/types';
import { lineAndColumn } from '../../core/errors';
import { whyUnusable, type SourceReading } from '../../language';
import { showOffset } from '../../shell/sources';

/** What `shrinknets check` says of one file. */
export interface Report {
  /** Lines for stdout. */
  readonly lines: readonly string[];
  /** What kept the file from being read, for stderr. */
  readonly problem?: string;
  readonly models: number;
  readonly errors: number;
}

/** @param json one line of JSON instead of lines for people */
export function reportOn(
  file: string,
  reading: SourceReading | Error,
  json: boolean,
  colors: Colors,
): Report {
  if (reading instanceof Error) {
    const { message } = reading;
    return json
      ? { lines: [JSON.stringify({ file, error: message })], models: 0, errors: 1 }
      : { lines: [], problem: message, models: 0, errors: 1 };
  }
  return {
    lines: json ? [JSON.stringify(describe(reading))] : show(reading, colors),
    models: reading.models.length,
    errors: reading.problems.filter((problem) => problem.severity === 'error').length,
  };
}

/** What is said of a file that was read, line by line. */
function show(reading: SourceReading, { bold, dim, red, yellow }: Colors): string[] {
  const lines: string[] = [];
  const at = (offset: number): string => showOffset(reading, offset);
  for (const model of reading.models) {
    lines.push(`${at(model.nameRange.start)}: ${bold(model.name)}, ${model.sites.length} layers`);
    for (const site of model.sites) {
      const hint = site.hint === undefined ? '' : `  ${describeHint(site.hint)}`;
      const width = site.width === undefined ? '' : ` ${site.width}`;
      const place =
        site.file === reading.file
          ? at(site.range.start)
          : `${path.relative(process.cwd(), site.file)}:${site.line}:${site.column}`;
      lines.push(dim(`  ${place}: ${site.layerType}${width}${hint}`));
    }
  }
  for (const { name, message } of unusable(reading))
    lines.push(`${yellow('warning')}: ${name} cannot be trained: ${message}`);
  for (const problem of reading.problems) {
    const paint = problem.severity === 'error' ? red : problem.severity === 'warning' ? yellow : dim;
    lines.push(`${at(problem.range.start)}: ${paint(problem.severity)}: ${problem.message}`);
  }
  return lines;
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
