import { isMainThread } from 'node:worker_threads';
import { answerPortions } from './check/reports';
import { reportFailure } from './failure';
import { makeProgram } from './program';

/** The command line: `shrinknets`. Its threads read portions of a folder for `shrinknets check`. */
if (isMainThread)
  makeProgram()
    .parseAsync()
    .catch((thrown: unknown) => {
      process.exitCode = reportFailure(thrown);
    });
else answerPortions();
