// Times what a user waits for in the editor: `npm run bench:editor -- lenses` or `panel`.
// What an activation costs is measured by the editor itself: `npm run test:vscode -- oldest activation`.
import { build } from 'esbuild';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '../..');
const [which = 'lenses'] = process.argv.slice(2);
execFileSync(process.execPath, [path.join(root, 'scripts', 'build.mjs')], { stdio: 'inherit' });
await mkdir(path.join(root, 'test-results'), { recursive: true });
// Beside the grammars, which the bundle finds by its own place.
const outfile = path.join(root, 'dist', `bench-${which}.mjs`);
await build({
  entryPoints: [path.join(root, 'bench', 'editor', `${which}.ts`)],
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  outfile,
  alias: { vscode: path.join(root, 'bench', 'editor', 'vscodeStub.ts') },
  external: ['playwright-core'],
  banner: {
    js: "import { createRequire as __make } from 'node:module'; const require = __make(import.meta.url); const __dirname = import.meta.dirname; const __filename = import.meta.filename;",
  },
  logLevel: 'warning',
});
const { status } = spawnSync(process.execPath, [outfile], {
  cwd: root,
  stdio: 'inherit',
  env: { ...process.env, SHRINKNETS_ROOT: root },
});
await rm(outfile, { force: true });
process.exit(status ?? 1);
