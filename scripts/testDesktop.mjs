// Downloads VS Code with @vscode/test-electron and runs the same tests in it: they drive its window over the
// debugging port as they drive the web workbench. Needs a network, and a display or xvfb-run.
import { downloadAndUnzipVSCode, resolveCliArgsFromVSCodeExecutablePath } from '@vscode/test-electron';
import { spawnSync } from 'node:child_process';
import path from 'node:path';

const root = path.dirname(import.meta.dirname);
const version = process.env.SHRINKNETS_VSCODE_VERSION ?? 'stable';
if (process.platform === 'linux' && !process.env.DISPLAY && !process.env.WAYLAND_DISPLAY)
  giveUp('There is no display', 'run it under xvfb-run, which Debian has in the package xvfb');
const executable = await downloadAndUnzipVSCode({
  version,
  cachePath: path.join(root, '.cache', 'vscode-desktop'),
}).catch((thrown) =>
  giveUp(
    `VS Code (${version}) could not be downloaded: ${thrown.message}`,
    'use a machine that reaches update.code.visualstudio.com, or the workbench in a browser: npm run test:vscode -- oldest',
  ),
);
const [cli, ...cliWords] = resolveCliArgsFromVSCodeExecutablePath(executable);
const { status } = spawnSync(
  process.execPath,
  [
    path.join(root, 'node_modules', 'vitest', 'vitest.mjs'),
    'run',
    '--config',
    'test/vscode/vitest.config.ts',
    ...process.argv.slice(2),
  ],
  {
    cwd: root,
    stdio: 'inherit',
    env: {
      ...process.env,
      SHRINKNETS_VSCODE_NAME: 'desktop',
      SHRINKNETS_VSCODE_DESKTOP: executable,
      SHRINKNETS_VSCODE_CLI: JSON.stringify([
        cli,
        ...cliWords.filter((word) => !/^--(user-data|extensions)-dir/.test(word)),
      ]),
    },
  },
);
process.exit(status ?? 1);

function giveUp(what, advice) {
  console.error(`${what}; ${advice}.`);
  process.exit(2);
}
