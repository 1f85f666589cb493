import path from 'node:path';

/** The folder of the bundle that is running: the others and the grammars lie beside it. */
export function programFolder(): string {
  return __dirname;
}

/** The bundle that trains. */
export function backendScript(): string {
  return path.join(programFolder(), 'backend.cjs');
}
