import { CommanderError } from 'commander';
import { messageOf, ShrinkError } from '../core/errors';

/** Exit codes of the command line. */
export const EXIT = { done: 0, failed: 1, badInput: 2 } as const;

/** Tells the user what went wrong, in one line. @returns the exit code */
export function reportFailure(thrown: unknown): number {
  // Commander has printed its own message already; --help and --version are no failures.
  if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? EXIT.done : EXIT.badInput;
  process.stderr.write(`shrinknets: ${messageOf(thrown)}\n`);
  if (thrown instanceof ShrinkError) return thrown.kind === 'bad-input' ? EXIT.badInput : EXIT.failed;
  // Anything else is our own mistake: a report needs the place.
  if (process.env['SHRINKNETS_DEBUG'] !== undefined && thrown instanceof Error)
    process.stderr.write(`${thrown.stack ?? ''}\n`);
  return EXIT.failed;
}
