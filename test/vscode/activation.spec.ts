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
  server = await startServer();
  browser = await launchBrowser();
  const model = path.join(server.workspace, 'model.js');
  bench = await Workbench.open(browser, server.address(server.workspace, model));
  await bench.waitForLens(/Train with ShrinkNets/);
});

afterAll(async () => {
  await browser.close();
  await server.stop();
});

test('the walkthrough is offered, and its sample trains', async () => {
  await bench.command('Welcome: Open Walkthrough');
  const { page } = bench;
  await page.locator('.quick-input-list .monaco-list-row', { hasText: 'ShrinkNets' }).first().click();
  const steps = page.locator('.getting-started-step');
  await steps.first().waitFor({ state: 'visible' });
  await page.waitForTimeout(1000);
  await bench.screenshot('walkthrough');
  expect(await steps.count()).toBe(5);
  await bench.command('ShrinkNets: Open Sample');
  const sample = path.join(server.workspace, 'shrinknets-sample');
  await bench.waitForLens(/Train with ShrinkNets/);
  server.setSettings({ 'shrinknets.engine': 'wasm' });
  await page.waitForTimeout(1000);
  await bench.command('ShrinkNets: Train Model');
  const journal = (): ReturnType<typeof journalOf> => journalOf(runFolders(sample)[0] ?? '');
  await until('it is done', () => journal().at(-1)?.type === 'result', 120_000);
  const events = journal();
  const took = (events.at(-1)?.at ?? 0) - (events[0]?.at ?? 0);
  console.log(`the sample on wasm: ${(took / 1000).toFixed(1)} s`);
  expect(findEvent(events, 'engine').name).toBe('wasm');
});

// The last: its page takes the keys.
test('activation is measured by the editor itself', async () => {
  await bench.command('Developer: Show Running Extensions');
  const row = bench.page.locator('.runtime-extensions-editor .monaco-list-row', { hasText: 'ShrinkNets' });
  await row.first().waitFor({ state: 'visible' });
  await bench.screenshot('running-extensions');
  const text = (await row.first().textContent()) ?? '';
  const activationMs = Number(/(\d+)\s*ms/.exec(text)?.[1]);
  console.log(`activation: ${activationMs} ms`);
  // Not held against a clock here: what a start may load is held by startup.test.ts.
  expect(activationMs).toBeGreaterThan(0);
});
