import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { findEvent, journalOf, runFolders, until } from './support/runs';
import { startServer, type Server } from './support/server';
import { launchBrowser, Workbench } from './support/workbench';

/** A notebook whose model lies in several cells, in the editor's own notebook editor. */

const CELLS = [
  ['code', '%matplotlib inline\nimport keras\nfrom keras import layers\n\nHIDDEN = 96'],
  ['markdown', '# The model\nIts widths are to be learned.'],
  [
    'code',
    '# @shrink-model data=./data.mjs epochs=6 finish=2 budget=40% batchSize=64\n' +
      'model = keras.Sequential([\n' +
      '    keras.Input(shape=(64,)),\n' +
      "    layers.Dense(HIDDEN, activation='relu'),  # wide\n" +
      "    layers.Dense(80, activation='relu'),\n" +
      "    layers.Dense(10, activation='softmax'),\n" +
      '])',
  ],
  ['code', "model.compile(optimizer='adam', loss='sparse_categorical_crossentropy', metrics=['accuracy'])"],
] as const;

const OUTPUT = { output_type: 'stream', name: 'stdout', text: ['kept\n'] };

let server: Server;
let browser: Browser;
let bench: Workbench;
let notebook: string;
let original: string;

beforeAll(async () => {
  server = await startServer();
  notebook = path.join(server.workspace, 'model.ipynb');
  const cells = CELLS.map(([kind, text], index) => ({
    cell_type: kind,
    id: `cell${index}`,
    metadata: {},
    source: text.split(/(?<=\n)/),
    ...(kind === 'code' ? { execution_count: 3, outputs: index === 2 ? [OUTPUT] : [] } : {}),
  }));
  const metadata = { kernelspec: { display_name: 'Python 3', language: 'python', name: 'python3' } };
  original = `${JSON.stringify({ cells, metadata, nbformat: 4, nbformat_minor: 5 }, null, 1)}\n`;
  writeFileSync(notebook, original);
  browser = await launchBrowser();
  bench = await Workbench.open(
    browser,
    server.address(server.workspace, path.join(server.workspace, 'model.js')),
  );
  await bench.waitForLens(/Train with ShrinkNets/);
  // Before its extensions are known, the editor opens a notebook as text.
  await bench.page.locator('.explorer-folders-view .monaco-list-row', { hasText: 'model.ipynb' }).dblclick();
});

afterEach(({ task }) => bench.keepFailure(task));

afterAll(async () => {
  await browser.close();
  await server.stop();
});

/** The text of the notebook's cells on disk. */
function cellsOnDisk(): { source: string; outputs?: unknown[] }[] {
  const { cells } = JSON.parse(readFileSync(notebook, 'utf8')) as {
    cells: { source: string[] | string; outputs?: unknown[] }[];
  };
  return cells.map((cell) => ({ ...cell, source: [cell.source].flat().join('') }));
}

test('the model is found in its cell, though its width stands in another', async () => {
  await bench.page.locator('.notebookOverlay').first().waitFor({ state: 'visible' });
  await bench.waitForLens(/Train with ShrinkNets/);
  expect((await bench.lenses()).filter((title) => /Train with/.test(title))).toHaveLength(1);
  await bench.screenshot('notebook');
});

test('it trains from its lens', async () => {
  await bench.page.locator('.codelens-decoration a', { hasText: 'Train with ShrinkNets' }).first().click();
  await until('a run', () => runFolders(server.workspace).length === 1);
  const [folder = ''] = runFolders(server.workspace);
  await until('its result', () => journalOf(folder).some((event) => event.type === 'result'), 120_000);
  await bench.page.keyboard.press('Control+1');
  await bench.waitForLens(/96 → \d+ \(/);
});

test('the widths are written into the cells; outputs and everything else stay', async () => {
  const [folder = ''] = runFolders(server.workspace);
  const [first, second] = findEvent(journalOf(folder), 'result').layers;
  await bench.command('ShrinkNets: Emit Compact Architecture');
  await bench.page.locator('.monaco-diff-editor').waitFor({ state: 'visible', timeout: 60_000 });
  await bench.screenshot('notebook-diff');
  expect(readFileSync(notebook, 'utf8')).toBe(original);
  await bench.command('ShrinkNets: Apply Shown Widths');
  await bench.waitForLens(/was 96/);
  await bench.page.keyboard.press('Control+s');
  await until('the notebook is saved', () =>
    readFileSync(notebook, 'utf8').includes(`HIDDEN = ${first?.after}`),
  );
  const cells = cellsOnDisk();
  expect(cells.map((cell) => cell.source)).toEqual(
    CELLS.map(([, text]) =>
      text.replace('HIDDEN = 96', `HIDDEN = ${first?.after}`).replace('Dense(80', `Dense(${second?.after}`),
    ),
  );
  expect(cells[2]?.outputs).toEqual([OUTPUT]);
});

test('Revert puts them back', async () => {
  await bench.command('ShrinkNets: Revert Emitted Widths');
  await bench.page.locator('.monaco-diff-editor').waitFor({ state: 'visible', timeout: 60_000 });
  await bench.command('ShrinkNets: Apply Shown Widths');
  await bench.waitForLens(/^apply$/);
  await bench.page.keyboard.press('Control+s');
  await until('the notebook is saved', () =>
    cellsOnDisk().some(({ source }) => source.includes('HIDDEN = 96')),
  );
  expect(cellsOnDisk().map((cell) => cell.source)).toEqual(CELLS.map(([, text]) => text));
});
