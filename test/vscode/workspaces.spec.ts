import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { journalOf, runFolders, until } from './support/runs';
import { packFixture, startServer, type Server } from './support/server';
import { launchBrowser, Workbench } from './support/workbench';

/** Windows that are not one folder on this machine: several folders, and a folder that lies in no file system. */

const isDesktop = process.env['SHRINKNETS_VSCODE_DESKTOP'] !== undefined;

let server: Server;
let browser: Browser;
let bench: Workbench;

beforeAll(async () => {
  server = await startServer({}, [packFixture('virtual')]);
  browser = await launchBrowser();
});

afterEach(({ task }) => bench.keepFailure(task));

afterAll(async () => {
  await browser.close();
  await server.stop();
});

// A desktop window is opened once, on the sample.
describe.skipIf(isDesktop)('several folders in one window', () => {
  test('each has its own settings and its own runs, and the view shows them all', async () => {
    const home = path.dirname(server.workspace);
    const other = path.join(home, 'other');
    cpSync(server.workspace, other, { recursive: true });
    mkdirSync(path.join(other, '.vscode'));
    writeFileSync(
      path.join(other, '.vscode', 'settings.json'),
      JSON.stringify({ 'shrinknets.seed': 77, 'shrinknets.openPanel': false, 'editor.lineNumbers': 'off' }),
    );
    const model = path.join(other, 'model.js');
    writeFileSync(model, readFileSync(model, 'utf8').replace('epochs=24 finish=6', 'epochs=2 finish=1'));
    const workspace = path.join(home, 'both.code-workspace');
    writeFileSync(workspace, JSON.stringify({ folders: [{ path: server.workspace }, { path: other }] }));
    bench = await Workbench.open(browser, server.workspaceAddress(workspace, model));
    await bench.waitForLens(/Train with ShrinkNets/);
    // The editor reads the settings of a folder in a workspace after its window is there.
    await bench.page.locator('.monaco-editor .line-numbers').first().waitFor({ state: 'hidden' });
    await bench.page.locator('.codelens-decoration a', { hasText: 'Train with ShrinkNets' }).first().click();
    await until('it is done', () => journalOf(runFolders(other)[0] ?? '').at(-1)?.type === 'result', 120_000);
    const options = readFileSync(path.join(runFolders(other)[0] ?? '', 'options.json'), 'utf8');
    expect(JSON.parse(options)).toMatchObject({ seed: 77, epochs: 2 });
    expect(runFolders(server.workspace)).toEqual([]);
    await bench.command('ShrinkNets: Focus on Runs View');
    const row = bench.page.locator('.pane-body .monaco-list-row', { hasText: 'createModel' });
    await row.first().waitFor({ state: 'visible' });
    await bench.screenshot('runs-view');
    expect(await row.count()).toBe(1);
  });
});

describe.skipIf(isDesktop)('a folder that is not on this machine', () => {
  test('has hints, and offers nothing that would train', async () => {
    const context = await browser.newContext({ viewport: { width: 1500, height: 950 } });
    bench = new Workbench(await context.newPage());
    await bench.goto(server.virtualAddress('virtual:/project', 'virtual:/project/model.js'));
    await bench.page.locator('.squiggly-error').first().waitFor({ state: 'visible', timeout: 60_000 });
    await bench.goToLine(6, 13);
    await bench.quickFix('min');
    await bench.screenshot('virtual-folder');
    await bench.page.keyboard.press('Enter');
    await until('the key is mended', async () => (await bench.lineText(6)).includes('@shrink min=8'));
    const offered = await bench.offered('ShrinkNets:');
    expect(offered).toContain('ShrinkNets: Add Shrink Hint');
    for (const title of ['Train Model', 'Sweep λ', 'Resume Run', 'Emit Compact Architecture'])
      expect(offered).not.toContain(`ShrinkNets: ${title}`);
    expect(await bench.lenses()).toEqual([]);
  });
});
