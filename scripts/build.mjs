// Bundles the programs into dist/ and puts the WebAssembly files beside them.
import { build, transform } from 'esbuild';
import { chmod, copyFile, mkdir, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { nodeBundle } from './bundle.mjs';
import { shippedPackages, writeNotices } from './shipped.mjs';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const dist = path.join(root, 'dist');
const require = createRequire(import.meta.url);

const common = {
  ...nodeBundle,
  format: 'cjs',
  outdir: 'dist',
  outExtension: { '.js': '.cjs' },
  minifyWhitespace: true,
  metafile: true,
};

await rm(dist, { recursive: true, force: true });
await mkdir(path.join(dist, 'wasm'), { recursive: true });
const built = await Promise.all([
  build({ ...common, entryPoints: { backend: 'src/backend/main.ts' } }),
  build({ ...common, entryPoints: { parquet: 'src/data/parquetChild.ts' } }),
  build({ ...common, entryPoints: { supervisor: 'src/backend/supervisor/main.ts' } }),
  build({ ...common, entryPoints: { cli: 'src/cli/main.ts' }, banner: { js: '#!/usr/bin/env node' } }),
  buildExtension(),
  build({
    absWorkingDir: root,
    bundle: true,
    platform: 'browser',
    target: 'chrome128',
    format: 'iife',
    entryPoints: { panel: 'webview/main.ts' },
    outdir: 'dist/webview',
    minify: true,
    legalComments: 'none',
    logLevel: 'warning',
    metafile: true,
  }),
]);
await chmod(path.join(dist, 'cli.cjs'), 0o755);

/**
 * The extension in parts, so that a window that opens loads no more than it needs: esbuild can split ES modules only,
 * and the editor's oldest version loads CommonJS only, so each part is turned into CommonJS by itself.
 */
async function buildExtension() {
  const { outExtension: _, ...options } = common;
  const { outputFiles, metafile } = await build({
    ...options,
    entryPoints: { extension: 'src/vscode/main.ts', 'extension-reader': 'src/vscode/reader/thread.ts' },
    format: 'esm',
    splitting: true,
    chunkNames: 'extension-[hash]',
    write: false,
  });
  for (const { path: file, text } of outputFiles) {
    const parts = text
      // As it is: a copy of every name of the editor's, once a part, takes longer than the rest of a start.
      .replaceAll(/\bimport\s*\*\s*as (\w+) from\s*"vscode";/g, 'const $1=require("vscode");')
      .replaceAll(/\bimport\("(\.\/[\w-]+)\.js"\)/g, 'Promise.resolve().then(()=>require("$1.cjs"))')
      .replaceAll(/"(\.\/[\w-]+)\.js"/g, '"$1.cjs"');
    const { code } = await transform(parts, {
      format: 'cjs',
      platform: 'node',
      target: 'node20',
      minifyWhitespace: true,
      legalComments: 'none',
      // The parser's runtime makes its own `require` from it.
      define: { 'import.meta.url': '__filename' },
    });
    await writeFile(file.replace(/\.js$/, '.cjs'), code);
  }
  return { metafile };
}

const tfjsWasm = path.join(
  path.dirname(require.resolve('@tensorflow/tfjs-backend-wasm/package.json')),
  'dist',
);
for (const name of ['tfjs-backend-wasm', 'tfjs-backend-wasm-simd', 'tfjs-backend-wasm-threaded-simd'])
  await copyFile(path.join(tfjsWasm, `${name}.wasm`), path.join(dist, 'wasm', `${name}.wasm`));
const treeSitter = path.join(path.dirname(require.resolve('@vscode/tree-sitter-wasm/package.json')), 'wasm');
for (const name of [
  'tree-sitter',
  'tree-sitter-typescript',
  'tree-sitter-tsx',
  'tree-sitter-javascript',
  'tree-sitter-python',
])
  await copyFile(path.join(treeSitter, `${name}.wasm`), path.join(dist, 'wasm', `${name}.wasm`));

const shipped = await shippedPackages(
  root,
  built.map(({ metafile }) => metafile),
  ['@tensorflow/tfjs-backend-wasm', '@vscode/tree-sitter-wasm'],
);
await writeFile(path.join(dist, 'shipped.json'), `${JSON.stringify(shipped, null, 1)}\n`);
await writeFile(path.join(dist, 'THIRD-PARTY-NOTICES.md'), await writeNotices(root, shipped));
