import path from 'node:path';
import { expect, test } from 'vitest';
import { startServer } from './support/server';
import { launchBrowser, Workbench } from './support/workbench';

/** What the extension costs a window that opens a model file: as VS Code itself measures it. */

/** The budget on a quiet machine; SHRINKNETS_SLOW=4 allows four times as much on a busy one. */
const BUDGET_MS = 100 * Number(process.env['SHRINKNETS_SLOW'] ?? 1);

test('activation stays within its budget', async () => {
  const server = await startServer();
  const browser = await launchBrowser();
  try {
    const bench = await Workbench.open(
      browser,
      server.address(server.workspace, path.join(server.workspace, 'model.js')),
    );
    await bench.waitForLens(/Train with ShrinkNets/);
    await bench.command('Developer: Show Running Extensions');
    const row = bench.page.locator('.runtime-extensions-editor .monaco-list-row', { hasText: 'ShrinkNets' });
    await row.first().waitFor({ state: 'visible' });
    await bench.screenshot('running-extensions');
    const text = (await row.first().textContent()) ?? '';
    const activationMs = Number(/(\d+)\s*ms/.exec(text)?.[1]);
    console.log(`activation: ${activationMs} ms`);
    expect(activationMs).toBeLessThan(BUDGET_MS);
  } finally {
    await browser.close();
    await server.stop();
  }
});
