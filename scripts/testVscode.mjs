// Runs the tests in a real VS Code: the packed extension in the oldest supported and the newest version, in Chromium.
//   npm run test:vscode                 the oldest supported version
//   npm run test:vscode -- newest       the newest one (needs Node.js 24, which comes from npm)
//   npm run test:vscode -- desktop      VS Code itself, downloaded by @vscode/test-electron
// Versions are installed into .cache/, which Git ignores.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';

const root = path.dirname(import.meta.dirname);
const SERVERS = {
  oldest: { codeServer: '4.100.3', node: undefined },
  newest: { codeServer: '4.139.1', node: '24' },
};

const [which = 'oldest', ...rest] = process.argv.slice(2);
execFileSync(process.execPath, [path.join(root, 'scripts', 'package.mjs')], { stdio: 'inherit' });
if (which === 'desktop') run([path.join(root, 'scripts', 'testDesktop.mjs'), ...rest]);
else {
  const server = SERVERS[which];
  if (server === undefined) throw new Error(`${which}: give oldest, newest or desktop`);
  const folder = path.join(root, '.cache', `vscode-${which}`);
  const vscode = path.join(folder, 'node_modules', 'code-server', 'lib', 'vscode');
  if (!existsSync(path.join(vscode, 'extensions', 'node_modules'))) {
    await mkdir(folder, { recursive: true });
    await writeFile(path.join(folder, 'package.json'), '{"private":true}\n');
    const packages = [`code-server@${server.codeServer}`];
    if (server.node !== undefined) packages.push(`node-linux-${process.arch}@${server.node}`);
    const npm = (cwd, ...words) =>
      execFileSync('npm', [...words, '--ignore-scripts', '--no-audit', '--no-fund'], {
        cwd,
        stdio: 'inherit',
      });
    npm(folder, 'install', ...packages);
    npm(vscode, 'install', '--omit=dev');
    npm(path.join(vscode, 'extensions'), 'install', '--omit=dev');
  }
  const node =
    server.node === undefined
      ? process.execPath
      : path.join(folder, 'node_modules', `node-linux-${process.arch}`, 'bin', 'node');
  run(
    [
      path.join(root, 'node_modules', 'vitest', 'vitest.mjs'),
      'run',
      '--config',
      'test/vscode/vitest.config.ts',
      ...rest,
    ],
    {
      SHRINKNETS_VSCODE: vscode,
      SHRINKNETS_VSCODE_NODE: node,
      SHRINKNETS_VSCODE_NAME: which,
    },
  );
}

function run(words, env = {}) {
  const { status } = spawnSync(process.execPath, words, {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, ...env },
  });
  process.exit(status ?? 1);
}
