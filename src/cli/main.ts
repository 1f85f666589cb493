import { makeProgram } from './program';
import { reportFailure } from './failure';

/** The command line: `shrinknets`. */
makeProgram()
  .parseAsync()
  .catch((thrown: unknown) => {
    process.exitCode = reportFailure(thrown);
  });
