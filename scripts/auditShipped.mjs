// Asks `npm audit` about what ships: the packages in the bundles (`npm run build` lists them) and the engine that can be
// installed. Exit codes: 0 nothing of high severity, 1 something, 3 the registry does not answer such questions.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';

const NOT_ANSWERED = 3;
const root = path.dirname(path.dirname(new URL(import.meta.url).pathname));
const list = path.join(root, 'dist', 'shipped.json');
if (!existsSync(list)) {
  console.error(`${list} is not there: npm run build`);
  process.exit(2);
}
const bundled = JSON.parse(await readFile(list, 'utf8'));
const { packages: locked } = JSON.parse(await readFile(path.join(root, 'package-lock.json'), 'utf8'));

/** Folders of a package of the lockfile and of all that it needs at run time. */
function closure(name, found = new Set()) {
  const folder = `node_modules/${name}`;
  if (locked[folder] === undefined || found.has(folder)) return found;
  found.add(folder);
  for (const needed of Object.keys(locked[folder].dependencies ?? {})) closure(needed, found);
  return found;
}

const shipped = new Set([
  ...bundled.map(({ folder }) => folder),
  ...Object.keys(locked[''].optionalDependencies ?? {}).flatMap((name) => [...closure(name)]),
]);
for (const folder of [...shipped].sort())
  console.log(
    `${folder.replace(/^.*node_modules\//, '')} ${locked[folder].version} (${locked[folder].license ?? '?'})`,
  );

const { stdout } = spawnSync('npm', ['audit', '--json'], { cwd: root, encoding: 'utf8' });
const answer = parse(stdout);
if (answer?.vulnerabilities === undefined) {
  console.error(
    `The registry does not say whether packages are vulnerable (${answer?.message ?? 'no answer'}): nothing is known of these ${shipped.size}.`,
  );
  process.exit(NOT_ANSWERED);
}
const grave = Object.values(answer.vulnerabilities)
  .filter(({ severity }) => severity === 'high' || severity === 'critical')
  .filter(({ nodes }) => nodes.some((node) => shipped.has(node)));
for (const { name, severity, via } of grave)
  console.error(`${name}: ${severity}: ${via.map((one) => one.title ?? `by ${one}`).join('; ')}`);
console.log(`${shipped.size} packages ship; of high or critical severity: ${grave.length}`);
process.exit(grave.length > 0 ? 1 : 0);

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
