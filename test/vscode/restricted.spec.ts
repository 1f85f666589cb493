import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { runFolders, until } from './support/runs';
import { startServer, type Server } from './support/server';
import { launchBrowser, Workbench } from './support/workbench';

/** A folder that is not trusted: hints work, nothing of it is run. */

let server: Server;
let browser: Browser;
let bench: Workbench;

beforeAll(async () => {
  server = await startServer({
    'security.workspace.trust.enabled': true,
    'security.workspace.trust.startupPrompt': 'never',
    'security.workspace.trust.banner': 'never',
    'security.workspace.trust.untrustedFiles': 'open',
  });
  // Whoever runs this file leaves a trace.
  const trap =
    "import { writeFileSync } from 'node:fs';\nwriteFileSync(new URL('./was-run', import.meta.url), '');\n";
  for (const name of ['data.mjs', 'model.js']) {
    const file = path.join(server.workspace, name);
    writeFileSync(file, trap + readFileSync(file, 'utf8'));
  }
  browser = await launchBrowser();
  bench = await Workbench.open(
    browser,
    server.address(server.workspace, path.join(server.workspace, 'model.js')),
  );
});

afterEach(({ task }) => bench.keepFailure(task));

afterAll(async () => {
  await browser.close();
  await server.stop();
});

test('Restricted Mode shows hints and lenses', async () => {
  await bench.page.locator('.statusbar-item', { hasText: 'Restricted Mode' }).waitFor({ state: 'visible' });
  await bench.waitForLens(/Train with ShrinkNets/);
});

test('Restricted Mode runs nothing, from the palette or a lens', async () => {
  const { page } = bench;
  expect((await bench.offered('ShrinkNets: Train')).filter((title) => title.includes('Train Model'))).toEqual(
    [],
  );
  await page.locator('.codelens-decoration a', { hasText: 'Train with ShrinkNets' }).click();
  const told = page.locator('.notifications-toasts', { hasText: 'trusted folder' });
  await told.waitFor({ state: 'visible' });
  await bench.screenshot('restricted');
  // Whatever the command had begun would be there by the time another command has come and gone.
  await bench.command('ShrinkNets: Show Log');
  expect(runFolders(server.workspace)).toEqual([]);
  expect(readdirSync(server.workspace)).not.toContain('was-run');
  expect(readdirSync(server.workspace)).not.toContain('.shrinknets');
});

test('once the folder is trusted, the same lens trains', async () => {
  const { page } = bench;
  await bench.clearNotifications();
  await bench.command('Workspaces: Manage Workspace Trust');
  await page.locator('.workspace-trust-editor .monaco-button', { hasText: 'Trust' }).first().click();
  await page.locator('.statusbar-item', { hasText: 'Restricted Mode' }).waitFor({ state: 'hidden' });
  // Newer versions show the page of trust over the window.
  const over = page.locator('.monaco-modal-editor-block');
  if (await over.isVisible()) {
    await over.locator('.codicon-close').first().click();
    await over.waitFor({ state: 'hidden' });
  }
  await bench.openFile('model.js');
  await bench.waitForLens(/Train with ShrinkNets/);
  await page.locator('.codelens-decoration a', { hasText: 'Train with ShrinkNets' }).click();
  await until('a run', () => runFolders(server.workspace).length === 1);
  await until('the data was read', () => readdirSync(server.workspace).includes('was-run'));
});
