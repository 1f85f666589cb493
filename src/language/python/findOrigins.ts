import type { Syntax } from '../syntax';
import { isModelValue, moduleClasses, type PythonOrigin } from './evaluateModel';
import type { ModuleRuns } from './moduleRuns';

/** Whether a file has to do with Keras or PyTorch at all. */
export function namesLibrary(root: Syntax): boolean {
  return /\b(?:torch|keras|tensorflow|lightning)\b/.test(root.text);
}

/** Finds what may be models of a file: classes of modules, functions that make models, variables that hold them. */
export function findOrigins(runs: ModuleRuns): PythonOrigin[] {
  const { root } = runs;
  if (!namesLibrary(root)) return [];
  const probe = runs.shared(null).interpreter;
  const classes = moduleClasses(probe).map((value): PythonOrigin => ({
    kind: 'class',
    name: value.name,
    node: value.node,
  }));
  const names = classes.map((origin) => origin.name);
  const functions = topLevel(root).flatMap((statement): PythonOrigin[] => {
    const node = statement.type === 'decorated_definition' ? statement.field('definition') : statement;
    const name = node?.field('name')?.text;
    if (node?.type !== 'function_definition' || name === undefined || !makesModels(node, names)) return [];
    return [{ kind: 'function', name, node }];
  });
  const makers = functions.map((origin) => origin.name);
  const variables = assignments(root).flatMap((statement): PythonOrigin[] => {
    const name = statement.field('left')?.text ?? '';
    const value = probe.globals.names.get(name);
    const callee = statement.field('right')?.field('function')?.text ?? '';
    const isOwn = value?.kind === 'sequence' || value?.kind === 'model';
    if (!isOwn || !isModelValue(value) || makers.includes(callee)) return [];
    return [{ kind: 'variable', name, node: statement }];
  });
  const firsts = variables.filter(
    (origin, index) => variables.findIndex((other) => other.name === origin.name) === index,
  );
  return [...classes, ...functions, ...firsts].sort((a, b) => a.node.start - b.node.start);
}

/** Statements of the module, those under `if __name__ == '__main__'` included. */
function topLevel(root: Syntax): Syntax[] {
  return root.namedChildren.flatMap((statement) => {
    const blocks = statement.type === 'if_statement' ? [statement.field('consequence')] : [];
    return [statement, ...blocks.flatMap((block) => block?.namedChildren ?? [])];
  });
}

function assignments(root: Syntax): Syntax[] {
  return topLevel(root).flatMap((statement) => {
    const inner = statement.type === 'expression_statement' ? statement.namedChildren[0] : undefined;
    return inner?.type === 'assignment' && inner.field('left')?.type === 'identifier' ? [inner] : [];
  });
}

/** Whether a function calls something that makes a model. */
function makesModels(node: Syntax, classes: readonly string[]): boolean {
  return node.walk().some((inner) => {
    const callee = inner.type === 'call' ? inner.field('function') : undefined;
    if (callee === undefined) return false;
    const name = callee.field('attribute')?.text ?? callee.text;
    return name === 'Sequential' || name === 'Model' || classes.includes(name);
  });
}
