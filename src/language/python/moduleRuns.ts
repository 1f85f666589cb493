import type { Syntax } from '../syntax';
import { Graph } from './graph';
import { Interpreter } from './interpreter';
import { LIBRARY } from './modules';
import { TargetMade, type Target } from './target';

/** The module of a file, run once for each size that has to be tried and then shared by its models. */
export class ModuleRuns {
  private readonly runs = new Map<number | null, ModuleRun>();

  constructor(readonly root: Syntax) {}

  /** The run that all models share; {@link Interpreter.begin} prepares it for the next one. */
  shared(size: number | null): ModuleRun {
    const run = this.runs.get(size) ?? runModule(this.root, size);
    this.runs.set(size, run);
    return run;
  }

  /** A run that nobody else changes. @param target what to lead it to @param input by the model's hint */
  own(size: number | null, target?: Target, input?: readonly (number | null)[]): ModuleRun {
    return runModule(this.root, size, target, input);
  }
}

export interface ModuleRun {
  readonly graph: Graph;
  readonly interpreter: Interpreter;
  readonly reads: ReadonlySet<number>;
  readonly made: number;
}

function runModule(
  root: Syntax,
  size: number | null,
  target?: Target,
  input?: readonly (number | null)[],
): ModuleRun {
  const graph = new Graph(size);
  graph.inputHint = input;
  const interpreter = new Interpreter(graph, LIBRARY);
  interpreter.target = target;
  try {
    interpreter.runModule(root);
  } catch (thrown) {
    if (!(thrown instanceof TargetMade)) throw thrown;
  }
  graph.keepModule();
  return { graph, interpreter, reads: interpreter.readNames, made: interpreter.made.length };
}
