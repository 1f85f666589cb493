import { findSources } from '../check/findSources';
import { reportsOf } from '../check/reports';
import { EXIT } from '../failure';
import { Output } from '../output';

interface CheckFlags {
  readonly json?: boolean;
}

/** `shrinknets check`: what can be sized, and what is wrong, as `file:line:column`. */
export async function checkCommand(target: string, flags: CheckFlags): Promise<void> {
  const output = new Output();
  const json = flags.json === true;
  const { files, left } = await findSources(target);
  let errors = 0;
  let models = 0;
  for (const { file, why } of left)
    output.line(json ? JSON.stringify({ file, left: why }) : output.colors.dim(`${file}: not read: ${why}`));
  for await (const report of reportsOf(files, json)) {
    models += report.models;
    errors += report.errors;
    for (const line of report.lines) output.line(line);
    if (report.problem !== undefined) output.error(`shrinknets: ${report.problem}`);
  }
  if (!json)
    output.line([count(files.length, 'file'), count(models, 'model'), count(errors, 'error')].join(', '));
  if (errors > 0) process.exitCode = EXIT.failed;
}

const count = (number: number, what: string): string => `${number} ${what}${number === 1 ? '' : 's'}`;
