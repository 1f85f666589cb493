import { execFile, spawnSync } from 'node:child_process';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { journalOf, runFolders, until } from './support/runs';
import { ROOT, startServer, type Server } from './support/server';
import { launchBrowser, Workbench } from './support/workbench';

/** Runs that the extension and the command line share, over the death of the extension host. */

const cli = (args: readonly string[], cwd: string) =>
  promisify(execFile)(process.execPath, [path.join(ROOT, 'dist', 'cli.cjs'), ...args], { cwd });

let server: Server;
let browser: Browser;
let bench: Workbench;
let folder = '';

beforeAll(async () => {
  server = await startServer();
  const model = path.join(server.workspace, 'model.js');
  writeFileSync(model, readFileSync(model, 'utf8').replace('epochs=24', 'epochs=100000'));
  browser = await launchBrowser();
  bench = await Workbench.open(browser, server.address(server.workspace, model));
  await bench.waitForLens(/Train with ShrinkNets/);
});

afterEach(({ task }) => bench.keepFailure(task));

afterAll(async () => {
  if (folder !== '') await cli(['stop', '--now', folder], server.workspace).catch(() => undefined);
  await browser.close();
  await server.stop();
});

/** The extension hosts among the processes that this one started. */
function extensionHosts(): number[] {
  const { stdout } = spawnSync('ps', ['-A', '-o', 'pid=,ppid=,args='], { encoding: 'utf8' });
  const all = stdout.split('\n').map((line) => {
    const [pid = '', parent = '', ...args] = line.trim().split(/\s+/);
    return { pid: Number(pid), parent: Number(parent), args: args.join(' ') };
  });
  const isOurs = (pid: number): boolean => {
    if (pid === process.pid) return true;
    const parent = all.find((each) => each.pid === pid)?.parent ?? 0;
    return parent > 1 && isOurs(parent);
  };
  return all
    .filter(({ pid, args }) => args.includes('--type=extensionHost') && isOurs(pid))
    .map(({ pid }) => pid);
}

const epochs = (): number => journalOf(folder).filter((event) => event.type === 'epoch').length;
const heldBy = (): number =>
  (JSON.parse(readFileSync(path.join(folder, 'lock'), 'utf8')) as { pid: number }).pid;

test('an extension host that is killed in mid-training takes nothing with it, and the next one shows the run live', async () => {
  await bench.focusEditor();
  await bench.command('ShrinkNets: Train Model');
  await until('a run', () => runFolders(server.workspace).length === 1);
  [folder = ''] = runFolders(server.workspace);
  await until('it trains', () => epochs() > 0);
  const trainer = heldBy();
  const hosts = extensionHosts();
  expect(hosts.length).toBeGreaterThan(0);
  for (const host of hosts) process.kill(host, 'SIGKILL');
  const before = epochs();
  await until('training goes on', () => epochs() > before + 5);
  await until('another host', () => extensionHosts().some((pid) => !hosts.includes(pid)));
  expect(heldBy()).toBe(trainer);
  await bench.command('ShrinkNets: Open Panel');
  // The page of the dead host stays for a while, then its place is taken by the new one's.
  const shown = async () => {
    const panel = await bench.livePanel();
    return Number(await panel.evaluate(() => document.body.dataset['events']).catch(() => 0));
  };
  // Everything that happened meanwhile, and what happens now.
  const known = journalOf(folder).length;
  await until('it shows everything', async () => (await shown()) >= known);
  const then = await shown();
  await until('it shows what is new', async () => (await shown()) > then);
  await bench.screenshot('host-killed');
});

test('the command line looks on at a run of the extension and stops it, which the window shows', async () => {
  const listed = await cli(['runs'], server.workspace);
  expect(listed.stdout).toMatch(new RegExp(`${path.basename(folder)} +running .* MB`));
  await cli(['stop', 'last'], server.workspace);
  expect(journalOf(folder).at(-1)?.type).toBe('stopped');
  const panel = await bench.panel();
  await until('the panel says so', async () => {
    return (await panel.evaluate(() => document.body.dataset['state'])) === 'stopped';
  });
});

test('the disk space of an ended run is shown and given back', async () => {
  const checkpoints = () => readdirSync(path.join(folder, 'checkpoints')).length;
  expect(checkpoints()).toBeGreaterThan(1);
  const row = bench.page.locator('.monaco-list-row', { hasText: /stopped.* MB/ });
  await bench.command('ShrinkNets: Focus on Runs View');
  await row.first().waitFor({ state: 'visible' });
  await bench.command('ShrinkNets: Free Disk Space of Run');
  await bench.page.locator('.notifications-toasts', { hasText: 'given back' }).first().waitFor();
  expect(checkpoints()).toBe(1);
  await bench.clearNotifications();
});

test('the window looks on at a run of the command line, and stops it', async () => {
  const running = cli(['resume', 'last', '--json'], server.workspace);
  const before = epochs();
  await until('it goes on', () => epochs() > before + 2);
  await bench.command('ShrinkNets: Open Panel');
  const panel = await bench.livePanel();
  const shown = async () => Number(await panel.evaluate(() => document.body.dataset['events']));
  const then = await shown();
  await until('it shows what is new', async () => (await shown()) > then);
  await panel.locator('vscode-button', { hasText: 'Stop' }).first().focus();
  await bench.page.keyboard.press('Enter');
  expect((await running).stdout).toContain('"type":"stopped"');
});
