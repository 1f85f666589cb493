import path from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { findEvent, journalOf, runFolders, until } from './support/runs';
import { startServer, type Server } from './support/server';
import { launchBrowser, Workbench } from './support/workbench';

/** The extension as the editor's own pages show it. */

let server: Server;
let browser: Browser;
let bench: Workbench;

beforeAll(async () => {
  server = await startServer({ 'shrinknets.engine': 'wasm' });
  browser = await launchBrowser();
  bench = await openWindow();
});

async function openWindow(): Promise<Workbench> {
  const model = path.join(server.workspace, 'model.js');
  const opened = await Workbench.open(browser, server.address(server.workspace, model));
  await opened.waitForLens(/Train with ShrinkNets/);
  return opened;
}

afterAll(async () => {
  await browser.close();
  await server.stop();
});

test('the walkthrough is offered, and its sample trains', async () => {
  await bench.command('Welcome: Open Walkthrough');
  const { page } = bench;
  await page.locator('.quick-input-list .monaco-list-row', { hasText: 'ShrinkNets' }).first().click();
  const steps = page.locator('.getting-started-step');
  await steps.nth(4).waitFor({ state: 'visible' });
  // Its pictures are in.
  await page
    .locator('.getting-started-media img, .getting-started-media webview, .getting-started-media iframe')
    .first()
    .waitFor();
  await bench.screenshot('walkthrough');
  expect(await steps.count()).toBe(5);
  await bench.command('ShrinkNets: Open Sample');
  const sample = path.join(server.workspace, 'shrinknets-sample');
  await bench.waitForLens(/Train with ShrinkNets/);
  await bench.command('ShrinkNets: Train Model');
  const journal = (): ReturnType<typeof journalOf> => journalOf(runFolders(sample)[0] ?? '');
  await until('it is done', () => journal().at(-1)?.type === 'result', 120_000);
  const events = journal();
  const took = (events.at(-1)?.at ?? 0) - (events[0]?.at ?? 0);
  console.log(`the sample on wasm: ${(took / 1000).toFixed(1)} s`);
  expect(findEvent(events, 'engine').name).toBe('wasm');
});

/** Windows that are opened, one after the other, to see how activations are spread. */
const WINDOWS = Number(process.env['SHRINKNETS_ACTIVATIONS'] ?? 1);

// The last: its pages take the keys.
test(
  'activation is measured by the editor itself',
  async () => {
    const own: number[] = [];
    const withOthers: number[] = [];
    for (let window = 0; window < WINDOWS; window += 1) {
      if (window > 0) {
        await bench.page.context().close();
        bench = await openWindow();
      }
      const { loadMs, callMs, shownMs } = await activationOf('shrinknets.shrinknets');
      own.push(loadMs + callMs);
      withOthers.push(shownMs);
    }
    await bench.command('Developer: Show Running Extensions');
    const rows = bench.page.locator('.runtime-extensions-editor .monaco-list-row');
    await rows.filter({ hasText: 'ShrinkNets' }).first().waitFor({ state: 'visible' });
    await bench.screenshot('running-extensions');
    console.log(`activation, loading and calling: ${own.join(', ')} ms`);
    console.log(
      `as Running Extensions shows it, with what others load for the same event: ${withOthers.join(', ')} ms`,
    );
    // Not held against a clock here: what a start may load is held by startup.test.ts.
    for (const ms of [...own, ...withOthers]) expect(ms).toBeGreaterThan(0);
  },
  60_000 * (WINDOWS + 1),
);

/**
 * The editor's own figures. Its table has the load since the event, in which every other extension of the language loads
 * before ours; its marks are set around our own code.
 */
async function activationOf(
  extension: string,
): Promise<{ readonly loadMs: number; readonly callMs: number; readonly shownMs: number }> {
  const { page } = bench;
  await bench.command('Developer: Startup Performance');
  let text = '';
  await until('the marks of its activation', async () => {
    await page.keyboard.press('Control+a');
    await page.keyboard.press('Control+c');
    text = await page.evaluate(() => navigator.clipboard.readText());
    return text.includes(`didActivateExtension/${extension}`);
  });
  const mark = (name: string): number =>
    Number(new RegExp(`code/extHost/${name}/${extension}\\t(\\d+)`).exec(text)?.[1]);
  const row = text.split('\n').find((line) => line.startsWith(`| ${extension} `)) ?? '';
  const [, , , load = '', call = ''] = row.split('|');
  const loadMs = mark('didLoadExtensionCode') - mark('willLoadExtensionCode');
  return { loadMs, callMs: Number(call), shownMs: Number(load) + Number(call) };
}
