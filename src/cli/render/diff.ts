import { createTwoFilesPatch } from 'diff';
import type { Output } from '../output';

/** Prints what would change in a file, as a unified diff. */
export function showDiff(output: Output, file: string, before: string, after: string): void {
  const { green, red, cyan, bold } = output.colors;
  const patch = createTwoFilesPatch(file, file, before, after, undefined, undefined, { context: 2 });
  for (const line of patch.split('\n')) {
    if (line.startsWith('====') || line.startsWith('Index: ') || line === '') continue;
    if (line.startsWith('+++') || line.startsWith('---')) output.line(bold(line.trimEnd()));
    else if (line.startsWith('+')) output.line(green(line));
    else if (line.startsWith('-')) output.line(red(line));
    else output.line(line.startsWith('@@') ? cyan(line) : line);
  }
}
