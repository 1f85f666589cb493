import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { journalOf, runFolders, until } from './support/runs';
import { startServer, type Server } from './support/server';
import { launchBrowser, Workbench } from './support/workbench';

/** Bad input: each ends in a sentence a user can act on, and leaves files and runs as they were. */

let server: Server;
let browser: Browser;
let bench: Workbench;
let model: string;
let original: string;

beforeAll(async () => {
  server = await startServer();
  browser = await launchBrowser();
  model = path.join(server.workspace, 'model.js');
  original = readFileSync(model, 'utf8');
  bench = await Workbench.open(browser, server.address(server.workspace, model));
  await bench.waitForLens(/Train with ShrinkNets/);
});

beforeEach(async () => {
  await bench.clearNotifications();
});

afterEach(async ({ task }) => {
  if (task.result?.state === 'fail') await bench.screenshot(`failed ${task.name.slice(0, 40)}`);
});

afterAll(async () => {
  await browser.close();
  await server.stop();
});

async function write(text: string, line: number, shown: string): Promise<void> {
  writeFileSync(model, text);
  await until('the editor has the change', async () => (await bench.lineText(line)).includes(shown));
}

async function expectMessage(text: string | RegExp): Promise<void> {
  await bench.page.locator('.notifications-toasts', { hasText: text }).first().waitFor({ state: 'visible' });
}

test('a syntax error is named with its place, and no run is made', async () => {
  await write(original.replace('tf.sequential();', 'tf.sequential(;'), 6, 'sequential(;');
  await bench.focusEditor();
  await bench.command('ShrinkNets: Train Model');
  await expectMessage(/model\.js:6:\d+: syntax error/);
  expect(runFolders(server.workspace)).toEqual([]);
  await write(original, 6, 'sequential();');
});

test('data that is missing is named, and leaves no run behind', async () => {
  await write(original.replace('./data.mjs', './nowhere.mjs'), 4, 'nowhere');
  await bench.focusEditor();
  await bench.command('ShrinkNets: Train Model');
  await expectMessage('nowhere.mjs');
  await until('no run is left', () => runFolders(server.workspace).length === 0);
  await write(original, 4, './data.mjs');
});

test('a model that is renamed and a folder that is deleted during training do no harm to the window', async () => {
  await write(original.replace('epochs=24', 'epochs=4000'), 4, '4000');
  await bench.focusEditor();
  await bench.command('ShrinkNets: Train Model');
  await until('it trains', () =>
    journalOf(runFolders(server.workspace)[0] ?? '').some((e) => e.type === 'epoch'),
  );
  const [folder = ''] = runFolders(server.workspace);
  renameSync(model, `${model}.away`);
  const before = journalOf(folder).length;
  await until('it goes on without its source', () => journalOf(folder).length > before + 5);
  renameSync(`${model}.away`, model);
  rmSync(folder, { recursive: true, force: true });
  await expectMessage('the folder is not there');
  await bench.screenshot('folder-gone');
  expect(existsSync(model)).toBe(true);
});

test('a damaged journal is shown as far as it is whole', async () => {
  await write(original.replace('epochs=24', 'epochs=6'), 4, 'epochs=6');
  await bench.clearNotifications();
  await bench.focusEditor();
  await bench.command('ShrinkNets: Train Model');
  await until('a run', () => runFolders(server.workspace).length > 0);
  const [folder = ''] = runFolders(server.workspace);
  await until('it is done', () => journalOf(folder).at(-1)?.type === 'result', 120_000);
  const file = path.join(folder, 'journal.jsonl');
  const whole = readFileSync(file, 'utf8').split('\n');
  writeFileSync(file, `${whole.slice(0, 8).join('\n')}\n{"seq":8,"at":1,"type":"ep`);
  await bench.page.waitForTimeout(2000);
  await bench.goto(server.address(server.workspace));
  const panel = await bench.panel();
  await until('eight events are shown', async () => {
    return (await panel.evaluate(() => document.body.dataset['events'])) === '8';
  });
  expect(await panel.evaluate(() => document.body.dataset['state'])).toBe('interrupted');
});
