import { badInput, messageOf, type ShrinkError } from '../../core/errors';
import type { Plan, Site } from '../../core/plan';

/**
 * What the user's code threw, as one sentence with its place: the line of the innermost frame in the user's file,
 * or else of the last layer that was made.
 */
export function describeThrown(thrown: unknown, plan: Plan, last: Site | undefined): ShrinkError {
  const place = placeInFile(thrown, plan.file) ?? placeAfter(last);
  const message = messageOf(thrown)
    .trim()
    .replaceAll(/\s*\n\s*/g, ' ');
  return badInput(
    'model-throws',
    `${plan.file}${place}: making ${plan.model} fails: ${message.replace(/[.!]?$/, '.')}`,
    thrown,
  );
}

function placeInFile(thrown: unknown, file: string): string | undefined {
  const stack = thrown instanceof Error ? (thrown.stack ?? '') : '';
  for (const line of stack.split('\n')) {
    const at = line.indexOf(file);
    if (at === -1 || !line.trimStart().startsWith('at ')) continue;
    // The column is that of the transformed code, so only the line is told.
    const number = /^:(\d+)/.exec(line.slice(at + file.length))?.[1];
    if (number !== undefined) return `:${number}`;
  }
  return undefined;
}

function placeAfter(last: Site | undefined): string {
  return last === undefined ? '' : `:${last.line}:${last.column}`;
}
