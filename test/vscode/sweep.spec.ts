import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Browser, Locator } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { expectNoSeriousProblem } from './support/axe';
import { cardTable } from './support/panel';
import { findEvent, journalOf, runFolders, until } from './support/runs';
import { startServer, type Server } from './support/server';
import { launchBrowser, Workbench } from './support/workbench';

/** A sweep over λ: from the lens to the picked size in the source, over a reload of the window. */

let server: Server;
let browser: Browser;
let bench: Workbench;
let model: string;
let original: string;

beforeAll(async () => {
  server = await startServer();
  browser = await launchBrowser();
  model = path.join(server.workspace, 'model.js');
  // Long enough that a busy machine sees one trial while it trains.
  original = readFileSync(model, 'utf8').replace('epochs=24', 'epochs=80');
  writeFileSync(model, original);
  bench = await Workbench.open(browser, server.address(server.workspace, model));
  await bench.waitForLens(/Train with ShrinkNets/);
});

afterEach(({ task }) => bench.keepFailure(task));

afterAll(async () => {
  await browser.close();
  await server.stop();
});

async function startSweep(lambdas: string): Promise<void> {
  const { page } = bench;
  await page.locator('.codelens-decoration a', { hasText: 'Sweep λ' }).first().click();
  const asked = page.locator('.quick-input-widget', { hasText: 'Sweep λ of createModel' });
  await asked.waitFor({ state: 'visible' });
  const input = asked.locator('input.input');
  expect(await input.inputValue()).toContain('0.001, 0.002');
  await input.fill('0.001');
  await asked.getByText('a sweep takes 2 to 100').waitFor({ state: 'visible' });
  await input.fill(lambdas);
  await asked.getByText('a sweep takes 2 to 100').waitFor({ state: 'hidden' });
  await page.keyboard.press('Enter');
}

test('the lens asks for a list, trains with each λ, and the panel follows from trial to trial', async () => {
  await startSweep('0.0005, 0.001, 0.002');
  await until('a second trial trains', () =>
    journalOf(runFolders(server.workspace)[1] ?? '').some((event) => event.type === 'epoch'),
  );
  const panel = await bench.livePanel();
  await until('the panel shows it', async () => {
    const text = await panel.evaluate(() => document.querySelector('header')?.textContent ?? '');
    return text.includes(path.basename(runFolders(server.workspace)[1] ?? '-'));
  });
  let rows: string[][] = [];
  await until('its trials are listed', async () => {
    rows = await cardTable(panel, 'sweep');
    return rows.length === 4;
  });
  expect(rows.slice(1).map(([lambda]) => lambda)).toEqual(['0.0005', '0.001', '0.002']);
  expect(rows[1]?.[1]).toBe('done');
  await bench.screenshot('sweep-running');
});

test('a reload in the middle shows the sweep again, and it goes on to its end', async () => {
  await bench.reload(server.address(server.workspace), ...runFolders(server.workspace));
  await until(
    'all trials are done',
    () => {
      const folders = runFolders(server.workspace);
      return folders.length === 3 && folders.every((folder) => journalOf(folder).at(-1)?.type === 'result');
    },
    120_000,
  );
  const panel = await bench.panel();
  await until('the panel shows all of them', async () => {
    const rows = await cardTable(panel, 'sweep');
    return rows.length === 4 && rows.slice(1).every((row) => row[1] === 'done');
  });
});

test('its numbers are those of the journals', async () => {
  const panel = await bench.panel();
  const rows = (await cardTable(panel, 'sweep')).slice(1);
  const results = runFolders(server.workspace).map((folder) => findEvent(journalOf(folder), 'result'));
  expect(rows.map((row) => row[2])).toEqual(results.map((result) => String(result.params.after)));
  expect(rows.map((row) => Number(row[4]))).toEqual(
    results.map((result) => Number((result.metrics.validation.accuracy ?? 0).toPrecision(6))),
  );
  // The stronger the penalty, the smaller the network.
  const sizes = results.map((result) => result.params.after);
  expect([...sizes].sort((a, b) => b - a)).toEqual(sizes);
  await bench.page.setViewportSize({ width: 1700, height: 1700 });
  await bench.clearNotifications();
  await bench.still();
  await bench.screenshot('sweep-done');
  await expectNoSeriousProblem(panel);
  await bench.page.setViewportSize({ width: 1500, height: 950 });
});

test('a size that is picked on the chart is written into the source', async () => {
  const panel = await bench.panel();
  const largest = findEvent(journalOf(runFolders(server.workspace)[0] ?? ''), 'result');
  const dropdown = panel.locator('[data-card="sweep"] vscode-dropdown');
  const canvas = panel.locator('[data-card="sweep"] canvas');
  await canvas.scrollIntoViewIfNeeded();
  // The best one is chosen, and a click on the dot farthest to the right but the start's chooses the largest network.
  expect(await dropdown.evaluate(valueOf)).not.toBe('');
  await until('the largest is picked', async () => {
    for (const position of await colouredPlaces(canvas)) {
      await canvas.click({ position });
      if ((await dropdown.evaluate(valueOf)).endsWith('-1')) return true;
    }
    return false;
  });
  await panel.locator('[data-card="sweep"] vscode-button', { hasText: 'Write this size' }).focus();
  await bench.page.keyboard.press('Enter');
  await bench.page.locator('.monaco-diff-editor').waitFor({ state: 'visible', timeout: 60_000 });
  await bench.command('ShrinkNets: Apply Shown Widths');
  await bench.waitForLens(/was 128/);
  // The source is shown where it was, the panel beside it, and the question is gone.
  await bench.page
    .locator('.notifications-toasts', { hasText: 'changed numbers' })
    .waitFor({ state: 'hidden' });
  await until('the difference is closed', async () => (await bench.tabs()).length === 2);
  expect(await bench.tabs()).toEqual(['model.js', 'ShrinkNets: createModel']);
  await bench.save('it is written', () => !['', original].includes(readFileSync(model, 'utf8')));
  const [first, second] = largest.layers;
  expect(readFileSync(model, 'utf8')).toBe(
    original.replace('units: 128', `units: ${first?.after}`).replace('units: 128', `units: ${second?.after}`),
  );
  // It is no trial of the newest run, and says whose it is.
  const lens = await bench.waitForLens(/was 128/);
  expect(lens).toBe(`${first?.after} was 128 · of run ${largest.run}`);
  await bench.screenshot('trial-emitted');
});

/** Where a chart has colour above its legend, which hides what is clicked, from the right: there are its dots. */
async function colouredPlaces(canvas: Locator): Promise<{ x: number; y: number }[]> {
  return canvas.evaluate((element) => {
    const chart = element as HTMLCanvasElement;
    const { width, height } = chart;
    const pixels = chart.getContext('2d')?.getImageData(0, 0, width, height).data ?? [];
    const scale = chart.getBoundingClientRect().width / width;
    const places: { x: number; y: number }[] = [];
    for (let x = width - 1; x >= 0; x -= 4) {
      let wasColoured = false;
      for (let y = 0; y < height * 0.75; y += 2) {
        const at = (y * width + x) * 4;
        const [red = 0, green = 0, blue = 0] = [pixels[at], pixels[at + 1], pixels[at + 2]];
        const isColoured = Math.max(red, green, blue) - Math.min(red, green, blue) > 60;
        if (isColoured && !wasColoured) places.push({ x: x * scale, y: (y + 2) * scale });
        wasColoured = isColoured;
      }
    }
    return places;
  });
}

test('a sweep that is stopped makes no further trial, and can go on', async () => {
  await bench.focusEditor();
  await bench.replaceLine(4, '// @shrink-model data=./data.mjs epochs=4000 finish=6 batchSize=64');
  await bench.waitForLens(/Sweep λ/);
  await startSweep('0.001, 0.002');
  await until('it trains', () =>
    journalOf(runFolders(server.workspace)[3] ?? '').some((event) => event.type === 'epoch'),
  );
  await bench.command('ShrinkNets: Stop');
  const folder = runFolders(server.workspace)[3] ?? '';
  await until('it stopped', () => journalOf(folder).at(-1)?.type === 'stopped');
  await bench.command('ShrinkNets: Resume Run');
  await until('it goes on', () => journalOf(folder).at(-1)?.type === 'epoch');
  expect(runFolders(server.workspace)).toHaveLength(4);
  await bench.command('ShrinkNets: Kill');
  await bench.page.locator('.monaco-dialog-box').waitFor({ state: 'visible' });
  await bench.page.keyboard.press('Enter');
  await until('it is over', () => !readsAs(path.join(folder, 'lock')));
  expect(runFolders(server.workspace)).toHaveLength(4);
});

function valueOf(element: Element): string {
  return (element as HTMLElement & { value: string }).value;
}

function readsAs(file: string): boolean {
  try {
    readFileSync(file);
    return true;
  } catch {
    return false;
  }
}
