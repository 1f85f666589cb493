import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** A VS Code server with the packed extension in it, in folders of its own. */

export const ROOT = path.resolve(import.meta.dirname, '../../..');
export const RESULTS = path.join(ROOT, 'test-results', process.env['SHRINKNETS_VSCODE_NAME'] ?? 'oldest');

export interface Server {
  readonly port: number;
  /** A copy of the sample. */
  readonly workspace: string;
  /** Address of a folder, with a file of it open. */
  address(folder: string, file?: string): string;
  /** The same of a workspace file. */
  workspaceAddress(workspace: string, file: string): string;
  /** The same of a folder in another file system, by URIs. */
  virtualAddress(folder: string, file: string): string;
  /** @returns what the window's title holds once the settings are read */
  setSettings(settings: Readonly<Record<string, unknown>>): string;
  /** What the extension host and the extension logged. */
  logs(): string;
  stop(): Promise<void>;
}

const QUIET = {
  'security.workspace.trust.enabled': false,
  'workbench.startupEditor': 'none',
  'workbench.tips.enabled': false,
  'telemetry.telemetryLevel': 'off',
  'update.mode': 'none',
  'extensions.autoCheckUpdates': false,
  'chat.commandCenter.enabled': false,
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
  'editor.minimap.enabled': false,
  'editor.cursorBlinking': 'solid',
  'files.autoSave': 'off',
  'git.enabled': false,
  'workbench.colorTheme': 'Default Dark Modern',
};

const MACHINE_SETTINGS = new Set(['shrinknets.nodePath', 'shrinknets.maxMemory']);

function writeSettings(folder: string, settings: Readonly<Record<string, unknown>>): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, 'settings.json'), JSON.stringify(settings));
}

function environment(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set: run npm run test:vscode`);
  return value;
}

/** Where the debugging port of a desktop window is; set while one runs. */
export let desktopPort: number | undefined;

/** Packs an extension that tests need beside ours. @returns the packed file */
export function packFixture(name: string): string {
  const folder = path.join(ROOT, 'test', 'vscode', 'fixtures', name);
  const out = path.join(mkdtempSync(path.join(tmpdir(), 'shrinknets-fixture-')), `${name}.vsix`);
  const vsce = path.join(ROOT, 'node_modules', '@vscode', 'vsce', 'vsce');
  const flags = ['--no-dependencies', '--allow-missing-repository', '--skip-license', '--out', out];
  execFileSync(process.execPath, [vsce, 'package', ...flags], { cwd: folder, stdio: 'pipe' });
  return out;
}

/** @param others packed extensions to install beside ours */
export async function startServer(
  settings: Readonly<Record<string, unknown>> = {},
  others: readonly string[] = [],
): Promise<Server> {
  const home = mkdtempSync(path.join(tmpdir(), 'shrinknets-vscode-'));
  const workspace = path.join(home, 'ws ünï');
  cpSync(path.join(ROOT, 'media', 'sample'), workspace, { recursive: true });
  let changes = 0;
  const setSettings = (more: Readonly<Record<string, unknown>>): string => {
    const all = { ...QUIET, ...settings, ...more };
    writeSettings(path.join(home, 'data', 'User'), all);
    // A remote machine has settings of its own: those of the scope `machine` are read from there alone, and changes
    // are seen there at once.
    const given = Object.entries(all).filter(([key]) => MACHINE_SETTINGS.has(key) || key in more);
    changes += 1;
    const mark = `settings ${changes}.`;
    // The first window has its own title, as pictures show it.
    const title = changes > 1 ? { 'window.title': mark } : {};
    const ofMachine = { ...Object.fromEntries(given), ...title };
    for (const data of ['data', 'server/data']) writeSettings(path.join(home, data, 'Machine'), ofMachine);
    return mark;
  };
  setSettings({});
  const packed = readdirSync(ROOT).find((name) => name.endsWith('.vsix'));
  if (packed === undefined) throw new Error('there is no .vsix: run npm run package');
  const extensions = [path.join(ROOT, packed), ...others];
  const start = { home, workspace, extensions, port: await freePort() };
  const { port } = start;
  const desktop = process.env['SHRINKNETS_VSCODE_DESKTOP'];
  const { child, logs } = await (desktop === undefined ? startWeb(start) : startDesktop(desktop, start));
  const remote = (file: string): string => `vscode-remote://127.0.0.1:${port}${encodeURI(file)}`;
  const open = (what: Readonly<Record<string, string>>, file: string | undefined): string => {
    const payload = JSON.stringify(file === undefined ? [] : [['openFile', file]]);
    const query = new URLSearchParams({ ...what, payload });
    return `http://127.0.0.1:${port}/?${query.toString().replaceAll('+', '%20')}`;
  };
  return {
    port,
    workspace,
    setSettings,
    address: (folder, file) => open({ folder }, file === undefined ? undefined : remote(file)),
    workspaceAddress: (file, opened) => open({ workspace: file }, remote(opened)),
    virtualAddress: (folder, file) => open({ folder }, file),
    logs,
    async stop() {
      child.kill('SIGTERM');
      await new Promise((resolve) => child.once('exit', resolve));
      rmSync(home, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
    },
  };
}

interface Start {
  readonly home: string;
  readonly workspace: string;
  /** Packed extensions to install. */
  readonly extensions: readonly string[];
  readonly port: number;
}

interface Started {
  readonly child: ChildProcess;
  readonly logs: () => string;
}

function installing(extensions: readonly string[]): string[] {
  return extensions.flatMap((file) => ['--install-extension', file]);
}

/** The server of VS Code, whose workbench a browser opens. */
async function startWeb({ home, extensions, port }: Start): Promise<Started> {
  const vscode = environment('SHRINKNETS_VSCODE');
  const node = environment('SHRINKNETS_VSCODE_NODE');
  const main = path.join(vscode, 'out', 'server-main.js');
  const folders = [
    ...['--user-data-dir', path.join(home, 'data')],
    ...['--extensions-dir', path.join(home, 'extensions')],
    ...['--server-data-dir', path.join(home, 'server')],
    '--accept-server-license-terms',
    ...['--telemetry-level', 'off'],
  ];
  execFileSync(node, [main, ...folders, ...installing(extensions)], { stdio: 'pipe' });
  const child = spawn(
    node,
    [main, ...folders, '--host', '127.0.0.1', '--port', String(port), '--without-connection-token'],
    { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, NODE_OPTIONS: '' } },
  );
  return followUntil(child, 'Extension host agent listening');
}

/** The desktop program, whose window is driven over its debugging port. */
async function startDesktop(
  executable: string,
  { home, workspace, extensions, port }: Start,
): Promise<Started> {
  const folders = [
    `--user-data-dir=${path.join(home, 'data')}`,
    `--extensions-dir=${path.join(home, 'extensions')}`,
  ];
  const [cli = executable, ...words] = JSON.parse(environment('SHRINKNETS_VSCODE_CLI')) as string[];
  execFileSync(cli, [...words, ...folders, ...installing(extensions)], {
    stdio: 'pipe',
    // There it is a script of the shell.
    shell: process.platform === 'win32',
  });
  const child = spawn(
    executable,
    [
      ...folders,
      ...['--no-sandbox', '--disable-updates', '--skip-welcome', '--skip-release-notes'],
      `--remote-debugging-port=${port}`,
      ...[workspace, '--goto', path.join(workspace, 'model.js')],
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  desktopPort = port;
  return followUntil(child, 'DevTools listening');
}

async function followUntil(child: ChildProcess, sign: string): Promise<Started> {
  let log = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => (log += chunk.toString()));
  for (let tries = 0; !log.includes(sign); tries += 1) {
    if (tries > 300 || child.exitCode !== null) throw new Error(`VS Code did not start:\n${log}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return { child, logs: () => log };
}

async function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer();
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
