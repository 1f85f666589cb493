import { existsSync, lstatSync, realpathSync } from 'node:fs';
import { dirname, join, resolve, sep } from 'node:path';
import { ShrinkError } from '../core/errors';

/** Names inside a run's folder (DESIGN.md, Runs). */
export const RUN_FILES = {
  plan: 'plan.json',
  options: 'options.json',
  journal: 'journal.jsonl',
  checkpoints: 'checkpoints',
  result: 'result.json',
  weights: 'weights',
  lock: 'lock',
  log: 'backend.log',
} as const;

/** What a project's own folder is called. */
export const PROJECT_FOLDER = '.shrinknets';

/**
 * The folder that holds the runs of a source file: `runs` in `out`, or in `.shrinknets` beside the nearest
 * package.json or repository root. Makes nothing.
 *
 * @param sourceFile absolute path
 * @param out folder chosen by the user, relative to the working directory
 */
export function runsFolderFor(sourceFile: string, out?: string): string {
  if (out !== undefined) return join(resolve(out), 'runs');
  return join(projectRoot(dirname(resolve(sourceFile))), PROJECT_FOLDER, 'runs');
}

function projectRoot(start: string): string {
  for (let folder = start; ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'package.json')) || existsSync(join(folder, '.git'))) return folder;
    if (dirname(folder) === folder) return start;
  }
}

// A drive letter, a backslash or a NUL means something else on another system or in another layer.
// eslint-disable-next-line no-control-regex -- control characters are exactly what is refused
const FORBIDDEN = /[\\\u0000-\u001f:]/;

/**
 * The absolute path of a file named in a journal, a checkpoint or by a job.
 *
 * @param relative forward slashes, inside `folder`
 * @throws ShrinkError `path-outside` if it leaves the folder, by its text or through a link
 */
export function resolveInside(folder: string, relative: string): string {
  const parts = relative.split('/');
  if (FORBIDDEN.test(relative) || parts.some((part) => part === '' || part === '.' || part === '..'))
    throw outside(relative);
  let path = folder;
  for (const part of parts) {
    path = join(path, part);
    if (isLink(path)) {
      const root = realpathSync(folder);
      if (!existsSync(path) || !realpathSync(path).startsWith(root + sep)) throw outside(relative);
    }
  }
  return path;
}

function isLink(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() ?? false;
}

function outside(relative: string): ShrinkError {
  return new ShrinkError(
    'environment',
    'path-outside',
    `${JSON.stringify(relative)} does not lie inside the run's folder; it is neither read nor written.`,
  );
}
