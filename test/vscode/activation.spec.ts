import path from 'node:path';
import { expect, test } from 'vitest';
import { startServer } from './support/server';
import { launchBrowser, Workbench } from './support/workbench';

/** What the extension costs a window that opens a model file: as VS Code itself measures it. */

test('activation is measured by the editor itself', async () => {
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
    // Not held against a clock here: what a start may load is held by startup.test.ts.
    expect(activationMs).toBeGreaterThan(0);
  } finally {
    await browser.close();
    await server.stop();
  }
});
