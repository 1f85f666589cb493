import path from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { until } from './support/runs';
import { startServer, type Server } from './support/server';
import { launchBrowser, Workbench } from './support/workbench';

/** The page that the editor shows of the extension. */

/**
 * Since some version VS Code shows pictures of an extension's README from https alone, and the words for others. Ours
 * are in the text: there is no public place that they could be had from.
 */
const TAKES_HTTPS_ONLY = process.env['SHRINKNETS_VSCODE_NAME'] === 'newest';

let server: Server;
let browser: Browser;
let bench: Workbench;

beforeAll(async () => {
  server = await startServer();
  browser = await launchBrowser();
  const model = path.join(server.workspace, 'model.js');
  bench = await Workbench.open(browser, server.address(server.workspace, model));
  await bench.waitForLens(/Train with ShrinkNets/);
});

afterEach(({ task }) => bench.keepFailure(task));

afterAll(async () => {
  await browser.close();
  await server.stop();
});

test('it has the README with its pictures', async () => {
  const { page } = bench;
  await page.keyboard.press('Control+Shift+x');
  await page
    .locator('.extensions-list .monaco-list-row', { hasText: 'ShrinkNets' })
    .first()
    .click({ timeout: 60_000 });
  await page.locator('.extension-editor .name', { hasText: 'ShrinkNets' }).waitFor({ state: 'visible' });
  let pictures: { readonly width: number; readonly alt: string }[] = [];
  await until('its pictures are loaded', async () => {
    for (const frame of page.frames()) {
      const found = await frame
        .evaluate(() =>
          document.body.textContent.includes('ShrinkNets')
            ? [...document.querySelectorAll('img')].map(({ naturalWidth, alt }) => ({
                width: naturalWidth,
                alt,
              }))
            : [],
        )
        .catch(() => []);
      if (frame !== page.mainFrame() && found.length > 0) pictures = found;
    }
    return pictures.length > 0 && pictures.every(({ width }) => width > 0 || TAKES_HTTPS_ONLY);
  });
  for (const { alt } of pictures) expect(alt).toContain('learned widths');
  await bench.still();
  await bench.screenshot('extension-page');
});
