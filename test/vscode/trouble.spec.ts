import { chmodSync, existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
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

/** Every test begins with the sample as it is, no runs, and its model in the editor. */
beforeEach(async () => {
  endEveryRun();
  await bench.settingsAre(server.setSettings({}));
  writeFileSync(model, original);
  await bench.command('View: Close All Editors');
  await bench.openFile('model.js');
  await bench.waitForLens(/Train with ShrinkNets/);
  await bench.clearNotifications();
});

afterEach(({ task }) => bench.keepFailure(task));

afterAll(async () => {
  endEveryRun();
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

/** Trains with one thing of the model's hint changed. @returns the run's folder, when it trains if `trains` */
async function trainWith(from: string, to: string, trains = true): Promise<string> {
  const known = runFolders(server.workspace);
  await write(original.replace(from, to), 4, to);
  await bench.focusEditor();
  await bench.command('ShrinkNets: Train Model');
  const fresh = (): string => runFolders(server.workspace).find((each) => !known.includes(each)) ?? '';
  await until('a run', () => fresh() !== '');
  const folder = fresh();
  if (trains) await until('it trains', () => journalOf(folder).some((event) => event.type === 'epoch'));
  return folder;
}

/** Kills what trains, and deletes the runs. */
function endEveryRun(): void {
  for (const folder of runFolders(server.workspace)) {
    const { pid, supervisor } = lockOf(folder);
    for (const each of [supervisor.pid, pid]) if (each > 0) killIfThere(each);
    remove(folder);
  }
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

/** A run in training may write while it is deleted: then there is something to delete again. */
function remove(folder: string): void {
  for (let tries = 0; ; tries += 1)
    try {
      rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
      return;
    } catch (thrown) {
      if (tries === 50) throw thrown;
    }
}

/** Who trains a run; process 0 if nobody does. */
function lockOf(folder: string): { readonly pid: number; readonly supervisor: { readonly pid: number } } {
  try {
    return JSON.parse(readFileSync(path.join(folder, 'lock'), 'utf8')) as ReturnType<typeof lockOf>;
  } catch {
    return { pid: 0, supervisor: { pid: 0 } };
  }
}

test('a syntax error is named with its place, and no run is made', async () => {
  await write(original.replace('tf.sequential();', 'tf.sequential(;'), 6, 'sequential(;');
  await bench.focusEditor();
  await bench.command('ShrinkNets: Train Model');
  await expectMessage(/model\.js:6:\d+: syntax error/);
  expect(runFolders(server.workspace)).toEqual([]);
});

test('data that is missing is named, and leaves no run behind', async () => {
  await write(original.replace('./data.mjs', './nowhere.mjs'), 4, 'nowhere');
  await bench.focusEditor();
  await bench.command('ShrinkNets: Train Model');
  await expectMessage(
    /nowhere\.mjs does not exist; correct data= in the model’s hint, or the option or setting/,
  );
  await until('no run is left', () => runFolders(server.workspace).length === 0);
});

test('a model that is renamed and a folder that is deleted during training do no harm to the window', async () => {
  const folder = await trainWith('epochs=24', 'epochs=4000');
  renameSync(model, `${model}.away`);
  const before = journalOf(folder).length;
  await until('it goes on without its source', () => journalOf(folder).length > before + 5);
  renameSync(`${model}.away`, model);
  remove(folder);
  await expectMessage('the folder is not there');
  await bench.screenshot('folder-gone');
  expect(existsSync(model)).toBe(true);
});

test('a model that is deleted during training: the run ends well, and writing its widths says what is missing', async () => {
  const folder = await trainWith('epochs=24', 'epochs=8');
  rmSync(model);
  await bench.command('View: Close All Editors');
  await until('it is done', () => journalOf(folder).at(-1)?.type === 'result', 120_000);
  await bench.clearNotifications();
  await bench.command('ShrinkNets: Emit Compact Architecture');
  await expectMessage('was it moved or deleted since training?');
  expect(existsSync(path.join(folder, 'result.json'))).toBe(true);
  writeFileSync(model, original);
  await bench.openFile('model.js');
  await bench.waitForLens(/^apply$/);
  await bench.clearNotifications();
  await bench.command('ShrinkNets: Emit Compact Architecture');
  await bench.page.locator('.monaco-diff-editor').waitFor({ state: 'visible', timeout: 60_000 });
  await bench.command('ShrinkNets: Discard Shown Widths');
  await bench.page.locator('.monaco-diff-editor').waitFor({ state: 'detached' });
});

test('a folder without data: the question says what is wanted, and backing out leaves nothing', async () => {
  const { page } = bench;
  const files = ['data.mjs', 'digits.csv.gz'].map((name) => path.join(server.workspace, name));
  for (const file of files) renameSync(file, `${file}.away`);
  await write(original.replace('data=./data.mjs ', ''), 4, '@shrink-model epochs');
  await bench.focusEditor();
  await bench.command('ShrinkNets: Train Model');
  const asked = page.locator('.quick-input-widget', { hasText: 'Training data of createModel' });
  await asked.waitFor({ state: 'visible' });
  await asked.locator('.monaco-list-row', { hasText: 'Browse' }).waitFor({ state: 'visible' });
  expect(await asked.locator('.monaco-list-row').count()).toBe(1);
  expect(await asked.locator('input.input').getAttribute('placeholder')).toContain('exports train');
  await bench.screenshot('no-data');
  await page.keyboard.press('Escape');
  await asked.waitFor({ state: 'hidden' });
  expect(runFolders(server.workspace)).toEqual([]);
  for (const file of files) renameSync(`${file}.away`, file);
});

test('a training process that dies is started again; one that is killed with all of its group can be resumed', async () => {
  const folder = await trainWith('epochs=24', 'epochs=4000');
  const panel = await bench.livePanel();
  await until('a checkpoint', () => journalOf(folder).some((event) => event.type === 'checkpoint'));
  const first = lockOf(folder);
  process.kill(first.pid, 'SIGKILL');
  await until('another process trains it', () => ![0, first.pid].includes(lockOf(folder).pid));
  const crashed = journalOf(folder).length;
  await until('it goes on', () => journalOf(folder).length > crashed);
  await until('the panel follows', async () => {
    return Number(await panel.evaluate(() => document.body.dataset['events'])) > crashed;
  });
  await bench.clearNotifications();
  const second = lockOf(folder);
  process.kill(second.supervisor.pid, 'SIGKILL');
  process.kill(second.pid, 'SIGKILL');
  await bench.pressInNotification('Resume', 60_000);
  await until('it is trained again', () => ![0, second.pid].includes(lockOf(folder).pid));
  const resumed = journalOf(folder).length;
  await until('it goes on again', () => journalOf(folder).length > resumed);
});

test('a full disk is said, and the run is kept so that it can go on', async () => {
  // The system's limit on the size of a file stands for the end of the disk: the same path through our code.
  const limited = path.join(server.workspace, '..', 'limited-node');
  writeFileSync(limited, `#!/bin/sh\nulimit -f 200\nexec "${process.execPath}" "$@"\n`);
  chmodSync(limited, 0o755);
  await bench.settingsAre(server.setSettings({ 'shrinknets.nodePath': limited }));
  await bench.clearNotifications();
  const folder = await trainWith('epochs=24', 'epochs=4000', false);
  await expectMessage('the disk is full or a quota is used up. Free some space, then resume the run.');
  await until('it ended', () => journalOf(folder).at(-1)?.type === 'failed');
  await bench.screenshot('disk-full');
  await bench.settingsAre(server.setSettings({}));
  await bench.pressInNotification('Resume');
  await until('it goes on', () => journalOf(folder).some((event) => event.type === 'checkpoint'));
  expect(readFileSync(model, 'utf8')).toContain('epochs=4000');
});

test('two windows on one folder show the same run, and only one process trains it', async () => {
  // A project that has never been trained: the second window has no folder of runs to watch yet.
  rmSync(path.join(server.workspace, '.shrinknets'), { recursive: true, force: true });
  const other = await Workbench.open(browser, server.address(server.workspace, model));
  try {
    await other.waitForLens(/Train with ShrinkNets/);
    const folder = await trainWith('epochs=24', 'epochs=4000');
    await other.waitForLens(/^Stop$/);
    await other.command('ShrinkNets: Stop');
    await until('it stopped', () => journalOf(folder).at(-1)?.type === 'stopped');
    for (const each of [bench, other]) {
      await each.focusEditor();
      await each.waitForLens(/Train with ShrinkNets/);
    }
    await Promise.all([bench, other].map((each) => each.command('ShrinkNets: Resume Run')));
    for (const each of [bench, other]) await each.waitForLens(/^Stop$/);
    const starts = journalOf(folder).filter((event) => event.type === 'start');
    expect(starts).toHaveLength(2);
    await bench.screenshot('two-windows');
  } catch (thrown) {
    await other.screenshot('failed two windows, the other');
    throw thrown;
  } finally {
    await other.page.context().close();
  }
});

test('a damaged journal is shown as far as it is whole', async () => {
  const folder = await trainWith('epochs=24', 'epochs=6');
  await until('it is done', () => journalOf(folder).at(-1)?.type === 'result', 120_000);
  const file = path.join(folder, 'journal.jsonl');
  const whole = readFileSync(file, 'utf8').split('\n');
  writeFileSync(file, `${whole.slice(0, 8).join('\n')}\n{"seq":8,"at":1,"type":"ep`);
  await bench.reload(server.address(server.workspace), folder);
  const panel = await bench.panel();
  await until('eight events are shown', async () => {
    return (await panel.evaluate(() => document.body.dataset['events'])) === '8';
  });
  expect(await panel.evaluate(() => document.body.dataset['state'])).toBe('interrupted');
});
