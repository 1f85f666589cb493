import { badInput, messageOf, type ShrinkError } from '../../core/errors';
import type { Plan, Site } from '../../core/plan';

/**
 * What the user's code threw, as one sentence with its place: the line of the innermost frame in the user's file,
 * or else of the last layer that was made.
 */
export function describeThrown(thrown: unknown, plan: Plan, last: Site | undefined): ShrinkError {
  const modules = plan.program.kind === 'slice' ? (plan.program.modules ?? []) : [];
  const files = [plan.file, ...modules.map((module) => module.file)];
  const place = placeInFiles(thrown, files) ?? placeAfter(last) ?? plan.file;
  const message = messageOf(thrown)
    .trim()
    .replaceAll(/\s*\n\s*/g, ' ');
  return badInput(
    'model-throws',
    `${place}: making ${plan.model} fails: ${message.replace(/[.!]?$/, '.')}`,
    thrown,
  );
}

/** `file:line` of the innermost frame that lies in one of the files. */
function placeInFiles(thrown: unknown, files: readonly string[]): string | undefined {
  const stack = thrown instanceof Error ? (thrown.stack ?? '') : '';
  for (const line of stack.split('\n')) {
    if (!line.trimStart().startsWith('at ')) continue;
    for (const file of files) {
      const at = line.indexOf(file);
      // The column is that of the transformed code, so only the line is told.
      const number = at === -1 ? undefined : /^:(\d+)/.exec(line.slice(at + file.length))?.[1];
      if (number !== undefined) return `${file}:${number}`;
    }
  }
  return undefined;
}

function placeAfter(last: Site | undefined): string | undefined {
  return last === undefined ? undefined : `${last.file}:${last.line}:${last.column}`;
}
