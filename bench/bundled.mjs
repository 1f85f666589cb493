// Runs a bench as users get its code: in a bundle, made as those of the programs are (scripts/build.mjs). What is compiled file
// by file goes through the modules' objects for every name, which takes a removal twice as long.
//
//     node bench/bundled.mjs bench/epoch/main.ts [its own options]
import { build } from 'esbuild';
import { spawn } from 'node:child_process';
import path from 'node:path';
import { nodeBundle } from '../scripts/bundle.mjs';

const [entry = '', ...args] = process.argv.slice(2);
const file = path.join('.cache', 'bench', `${path.basename(path.dirname(entry))}.mjs`);
await build({
  ...nodeBundle,
  entryPoints: [entry],
  outfile: file,
  // Benches wait at their top level, which CommonJS cannot.
  format: 'esm',
  banner: {
    js: "import { createRequire as __make } from 'node:module'; const require = __make(import.meta.url); const __dirname = import.meta.dirname; const __filename = import.meta.filename;",
  },
});
// Ctrl-C is for the process that measures.
process.on('SIGINT', () => undefined);
spawn(process.execPath, [file, ...args], { stdio: 'inherit' }).on('exit', (code) => process.exit(code ?? 1));
