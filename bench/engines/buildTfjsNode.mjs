/**
 * Builds `@tensorflow/tfjs-node` against the libtensorflow of a Python wheel, for machines that reach the npm and
 * Python registries but not the host that tfjs-node downloads its own from.
 *
 *     node bench/engines/buildTfjsNode.mjs <folder> [--gpu]
 *
 * needs: npm, python3.11 with pip, a C++ compiler and Node's headers (npm's bundled node-gyp finds or fetches them;
 * `NODE_HEADERS` names a folder that has them). The folder can then be named as an engine folder.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

const TFJS = '4.22.0';
const WHEEL = 'tensorflow_cpu==2.21.0';

const [folderArgument, flavour] = process.argv.slice(2);
if (folderArgument === undefined) {
  console.error('usage: node bench/engines/buildTfjsNode.mjs <folder> [--gpu]');
  process.exit(2);
}
const folder = resolve(folderArgument);
const name = flavour === '--gpu' ? '@tensorflow/tfjs-node-gpu' : '@tensorflow/tfjs-node';

function run(command, args, cwd = folder, env = {}) {
  console.log(`> ${command} ${args.join(' ')}`);
  execFileSync(command, args, { cwd, stdio: 'inherit', env: { ...process.env, ...env } });
}

function link(target, path) {
  rmSync(path, { force: true, recursive: true });
  symlinkSync(target, path);
}

mkdirSync(folder, { recursive: true });
if (!existsSync(join(folder, 'package.json')))
  writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
run('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', `${name}@${TFJS}`]);

const python = join(folder, 'python');
run('python3', ['-m', 'pip', 'install', '--quiet', '--no-deps', '--upgrade', '--target', python, WHEEL]);
const wheel = join(python, 'tensorflow');

const pack = join(folder, 'node_modules', name);
const lib = join(pack, 'deps', 'lib');
const include = join(pack, 'deps', 'include');
mkdirSync(lib, { recursive: true });
mkdirSync(include, { recursive: true });
const inWheel = (prefix) => {
  const found = readdirSync(wheel).find((file) => file.startsWith(prefix));
  if (found === undefined) throw new Error(`${WHEEL} has no ${prefix}*`);
  return join(wheel, found);
};
const core = inWheel('libtensorflow_cc.so');
const framework = inWheel('libtensorflow_framework.so');
for (const file of ['libtensorflow.so', 'libtensorflow.so.2', 'libtensorflow_cc.so.2'])
  link(core, join(lib, file));
for (const file of ['libtensorflow_framework.so', 'libtensorflow_framework.so.2'])
  link(framework, join(lib, file));
for (const part of ['tensorflow', 'tsl', 'xla']) {
  const headers = join(wheel, 'include', part);
  if (existsSync(headers)) link(headers, join(include, part));
}

const nodeGyp = join(
  dirname(process.execPath),
  '..',
  'lib',
  'node_modules',
  'npm',
  'node_modules',
  'node-gyp',
  'bin',
  'node-gyp.js',
);
const headers = process.env.NODE_HEADERS ?? join(dirname(process.execPath), '..');
run(
  process.execPath,
  [
    nodeGyp,
    'rebuild',
    ...(existsSync(join(headers, 'include', 'node', 'node.h')) ? [`--nodedir=${headers}`] : []),
    '--napi_build_version=8',
    `--module_path=${join(pack, 'lib', 'napi-v8')}`,
    '--module_name=tfjs_binding',
  ],
  pack,
);
console.log(`${name} is built in ${folder}; its libraries are in ${wheel}`);
