/** Finds engines that are not part of the program: in its own node_modules, the user's project, an install folder. */
import { createRequire } from 'node:module';
import { delimiter, dirname, join } from 'node:path';

/** Further folders may be named in the environment, separated as in PATH. */
const folders: string[] = (process.env['SHRINKNETS_ENGINES'] ?? '')
  .split(delimiter)
  .filter((folder) => folder !== '');

/** Also looks for engines in this folder's `node_modules` and those above it: the user's project, the install folder. */
export function addEngineFolder(folder: string): void {
  if (!folders.includes(folder)) folders.push(folder);
}

/** A package that was found. */
export interface LocatedPackage {
  /** Absolute path of its entry file. */
  readonly entry: string;
  readonly version: string;
  /** Loads its entry. */
  load(): unknown;
}

/** Looks for a package without loading it. */
export function locatePackage(name: string): LocatedPackage | null {
  const script = process.argv[1];
  const starts = [
    ...(typeof __filename === 'string' ? [__filename] : []),
    ...(script === undefined ? [] : [script, join(dirname(script), 'package.json')]),
    join(process.cwd(), 'package.json'),
    ...folders.map((folder) => join(folder, 'package.json')),
  ];
  for (const start of starts) {
    const require = createRequire(start);
    try {
      const entry = require.resolve(name);
      const manifest = require(`${name}/package.json`) as { version?: string };
      return { entry, version: manifest.version ?? 'unknown', load: () => require(name) as unknown };
    } catch {
      // Not here; look in the next place.
    }
  }
  return null;
}
