import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { expectNoSeriousProblem } from './support/axe';
import { cardTable, tileOf } from './support/panel';
import { findEvent, journalOf, runFolders, until } from './support/runs';
import { startServer, type Server } from './support/server';
import { launchBrowser, Workbench } from './support/workbench';

/** The main path of a user, from the first hint to the emitted widths, with the keyboard alone. */

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

afterAll(async () => {
  await browser.close();
  await server.stop();
});

afterEach(({ task }) => bench.keepFailure(task));

describe('hints', () => {
  test('complete inside a comment', async () => {
    const { page } = bench;
    await bench.goToLine(7, 100);
    await page.keyboard.type(' mu');
    await page.keyboard.press('Control+Space');
    const row = page.locator('.suggest-widget .monaco-list-row', { hasText: 'multiple' });
    await row.first().waitFor({ state: 'visible' });
    await page.keyboard.press('Tab');
    await page.keyboard.type('8');
    await until('the hint is completed', async () =>
      (await bench.lineText(7)).includes('@shrink multiple=8'),
    );
  });

  test('a misspelt key is marked and mended by its quick fix', async () => {
    const { page } = bench;
    await page.keyboard.press('Control+z');
    await bench.replaceLine(7, '  // @shrink mni=8');
    await page.locator('.squiggly-error').first().waitFor({ state: 'visible' });
    await bench.goToLine(7, 14);
    await bench.quickFix('min');
    await bench.screenshot('quick-fix');
    await page.keyboard.press('Enter');
    await until('the key is mended', async () => (await bench.lineText(7)).includes('@shrink min=8'));
    await bench.replaceLine(7, '  // @shrink');
    await bench.save('the file is as it was', () => readFileSync(model, 'utf8') === original);
  });

  test('stay right while somebody types: lenses move with the text', async () => {
    await bench.goToLine(1, 1);
    await bench.page.keyboard.type('\n\n');
    await bench.waitForLens(/Train with ShrinkNets/);
    for (let i = 0; i < 2; i += 1) await bench.page.keyboard.press('Backspace');
    await bench.save('the file is as it was', () => readFileSync(model, 'utf8') === original);
  });

  test('add Shrink Hint puts one above a layer', async () => {
    await bench.replaceLine(9, '');
    await bench.goToLine(10, 20);
    await bench.command('ShrinkNets: Add Shrink Hint');
    await until('the hint is there', async () => (await bench.lineText(10)).includes('// @shrink'));
    await bench.page.keyboard.press('Control+z');
    await bench.page.keyboard.press('Control+z');
    await until('undone', async () => (await bench.lineText(9)).includes('// @shrink'));
    await bench.page.keyboard.press('Control+s');
  });
});

describe('training', () => {
  test('from the palette; the panel is live and the status bar tells', async () => {
    await bench.command('ShrinkNets: Train Model');
    // All at once: the sample trains in seconds, and each of these is there only meanwhile.
    const { page } = bench;
    const told = page.locator('.statusbar-item', { hasText: 'channels' }).first();
    await Promise.all([
      bench.waitForLens(/so far/),
      told.waitFor({ state: 'visible', timeout: 60_000 }),
      bench.livePanel().then(() => bench.screenshot('training-dark')),
    ]);
    const panel = await bench.panel();
    await until('epochs come', async () => (await cardTable(panel, 'loss')).length > 1);
  });

  test('the lens shows the learned width when it is done', async () => {
    const lens = await bench.waitForLens(/128 → \d+ \(−\d+ %\)$/, 120_000);
    await bench.waitForLens(/^apply$/, 120_000);
    const [folder] = runFolders(server.workspace);
    const result = findEvent(journalOf(folder ?? ''), 'result');
    expect(lens).toContain(`128 → ${result.layers[0]?.after}`);
    await bench.screenshot('done-dark');
    // Nothing has changed the panel's size since it was opened.
    const chart = (await bench.panel()).locator('[data-card="widths"] .chart');
    const [box, drawn] = await chart.evaluate((element) => [
      element.clientHeight,
      element.querySelector('canvas')?.clientHeight,
    ]);
    expect(drawn).toBe(box);
  });

  test('pictures of the README', async () => {
    const { page } = bench;
    await bench.clearNotifications();
    await bench.command('View: Close Primary Side Bar');
    await page.setViewportSize({ width: 1440, height: 900 });
    await bench.focusEditor();
    await bench.goToLine(2, 1);
    await bench.still();
    await bench.picture('editor-and-panel');
    await page.setViewportSize({ width: 1500, height: 950 });
  });

  test('inlay hints, once they are on, stand behind the widths', async () => {
    const [folder] = runFolders(server.workspace);
    const [first] = findEvent(journalOf(folder ?? ''), 'result').layers;
    const shown = bench.page.locator('.view-lines .view-line', { hasText: `→ ${first?.after}` });
    expect(await shown.count()).toBe(0);
    server.setSettings({ 'shrinknets.inlayHints': true });
    await shown.first().waitFor({ state: 'visible' });
    server.setSettings({});
    await shown.first().waitFor({ state: 'hidden' });
  });

  test('the numbers of the panel are those of the journal', async () => {
    const panel = await bench.panel();
    const [folder] = runFolders(server.workspace);
    const events = journalOf(folder ?? '');
    const result = findEvent(events, 'result');
    await until('all events are shown', async () => {
      return (await panel.evaluate(() => document.body.dataset['events'])) === String(events.length);
    });
    expect(await tileOf(panel, 'params')).toBe(result.params.after.toLocaleString('en-US'));
    expect(await tileOf(panel, 'macs')).toBe(result.macs.after.toLocaleString('en-US'));
    expect(await tileOf(panel, 'quality')).toBe(
      `${((result.metrics.test.accuracy ?? 0) * 100).toFixed(2)} %`,
    );
    const epochs = events.filter((event) => event.type === 'epoch');
    const loss = await cardTable(panel, 'loss');
    expect(loss.length - 1).toBe(epochs.length);
    epochs.forEach((epoch, i) => {
      const shown = Number(loss[i + 1]?.[4]);
      expect(shown).toBeCloseTo(epoch.validation.loss, 4);
    });
    const now = await cardTable(panel, 'now');
    for (const layer of result.layers)
      expect(now.find(([name]) => name === layer.name)?.slice(1, 3)).toEqual([
        String(layer.before),
        String(layer.after),
      ]);
    const sizes = await cardTable(panel, 'sizes');
    const points = [...(result.baseline === undefined ? [] : [result.baseline]), ...result.points];
    expect(sizes.slice(1).map((row) => row[1])).toEqual(points.map((point) => String(point.params)));
    expect(sizes.slice(1).map((row) => row[7])).toEqual(
      points.map((point) => String(Math.round(point.epochs ?? Number.NaN))),
    );
    const widths = await cardTable(panel, 'widths');
    const trunk = events.flatMap((event) =>
      event.type === 'collection' || (event.type === 'epoch' && event.phase === 'trunk') ? [event] : [],
    );
    const names = result.layers.map((layer) => layer.name);
    expect(widths.length - 2).toBe(trunk.length);
    trunk.forEach((event, i) => {
      expect(widths[i + 2]?.slice(1, 1 + names.length)).toEqual(
        names.map((name) => String(event.widths[name])),
      );
    });
  });

  test('the switches of a layer come from a checkpoint', async () => {
    const panel = await bench.panel();
    await until('θ is shown', async () => (await cardTable(panel, 'channels')).length > 2);
  });
});

describe('the panel', () => {
  for (const [theme, name, mark, ofWorkbench] of [
    ['Light Modern', 'light', 'vscode-light', 'vs'],
    ['Dark High Contrast', 'high-contrast', 'vscode-high-contrast', 'hc-black'],
    ['Light High Contrast', 'high-contrast-light', 'vscode-high-contrast-light', 'hc-light'],
    ['Dark Modern', 'dark', 'vscode-dark', 'vs-dark'],
  ] as const)
    test(`has no serious problem for axe, and a picture: ${name}`, async () => {
      await bench.setTheme(theme, ofWorkbench);
      const panel = await bench.panel();
      await until('the panel has the theme', () =>
        panel.evaluate((is) => document.body.classList.contains(is), mark),
      );
      await bench.clearNotifications();
      await bench.page.setViewportSize({ width: 1700, height: 2600 });
      await bench.focusPanel();
      await bench.still();
      await bench.screenshot(`panel-${name}`);
      await expectNoSeriousProblem(panel);
      await bench.page.setViewportSize({ width: 1500, height: 950 });
    });

  test('works by keyboard: a table is opened and an export asks for its place', async () => {
    const { page } = bench;
    const panel = await bench.panel();
    await bench.focusPanel();
    const button = panel.locator('[data-card="widths"] vscode-button').first();
    await button.focus();
    await page.keyboard.press('Enter');
    await panel.locator('[data-card="widths"] .table table').waitFor({ state: 'visible' });
    await bench.screenshot('panel-table');
    await page.keyboard.press('Enter');
    await panel.locator('[data-card="widths"] canvas').waitFor({ state: 'visible' });
    const exported = async (format: string): Promise<Buffer> => {
      await panel.locator('[data-card="widths"] summary').focus();
      await page.keyboard.press('Enter');
      await panel.locator('[data-card="widths"] .menu-list vscode-button', { hasText: format }).focus();
      await page.keyboard.press('Enter');
      const input = page.locator('.quick-input-widget input.input');
      const file = path.join(server.workspace, `shrinknets-widths.${format.toLowerCase()}`);
      await until('the place is proposed', async () =>
        (await input.inputValue()).endsWith(path.basename(file)),
      );
      await until('the export is written', async () => {
        // Keys that come while the place is looked at are lost.
        if (await input.isVisible()) await page.keyboard.press('Enter');
        await page.waitForTimeout(300);
        return exists(file) && readFileSync(file).length > 0;
      });
      return readFileSync(file);
    };
    const csv = (await exported('CSV')).toString().split('\r\n');
    expect(csv[0]).toContain('dense_Dense1');
    const json = JSON.parse((await exported('JSON')).toString()) as Record<string, number>[];
    expect(json).toHaveLength(csv.length - 2);
    expect(json[0]?.['dense_Dense1']).toBe(128);
    expect((await exported('PNG')).subarray(1, 4).toString()).toBe('PNG');
    const svg = (await exported('SVG')).toString();
    const problem = await panel.evaluate(
      (text) =>
        new DOMParser().parseFromString(text, 'image/svg+xml').querySelector('parsererror')?.textContent,
      svg,
    );
    expect(problem).toBeUndefined();
    expect(svg.match(/<path [^>]*fill="none"/g)).toHaveLength(2);
  });
});

describe('emission', () => {
  let emitted = '';

  test('shows the difference first, then writes only the numbers', async () => {
    await bench.focusEditor();
    await bench.command('ShrinkNets: Emit Compact Architecture');
    await bench.page.locator('.monaco-diff-editor').waitFor({ state: 'visible', timeout: 60_000 });
    await bench.still();
    await bench.screenshot('emission-diff');
    expect(readFileSync(model, 'utf8')).toBe(original);
    await bench.command('ShrinkNets: Apply Shown Widths');
    await bench.waitForLens(/was 128/);
    // The editor empties a file before it writes it.
    await bench.save('the file is written', () => !['', original].includes(readFileSync(model, 'utf8')));
    emitted = readFileSync(model, 'utf8');
    const [folder] = runFolders(server.workspace);
    const [first, second] = findEvent(journalOf(folder ?? ''), 'result').layers;
    const wanted = original
      .replace('units: 128', `units: ${first?.after}`)
      .replace('units: 128', `units: ${second?.after}`);
    expect(emitted).toBe(wanted);
    await bench.screenshot('emitted');
  });

  test('one undo takes it back', async () => {
    await bench.focusEditor();
    await bench.page.keyboard.press('Control+z');
    await bench.save('the file is as it was', () => readFileSync(model, 'utf8') === original);
    await bench.page.keyboard.press('Control+y');
    await bench.save('the file is emitted again', () => readFileSync(model, 'utf8') === emitted);
  });

  test('Revert Emitted Widths works after a save and other edits', async () => {
    await bench.goToLine(1, 1);
    await bench.page.keyboard.insertText('const mine = 1;\n');
    await bench.save('the file has the line', () => readFileSync(model, 'utf8').startsWith('const mine'));
    await bench.command('ShrinkNets: Revert Emitted Widths');
    await bench.page.locator('.monaco-diff-editor').waitFor({ state: 'visible', timeout: 60_000 });
    await bench.command('ShrinkNets: Apply Shown Widths');
    await bench.waitForLens(/^apply$/);
    await bench.save(
      'the widths are back',
      () => readFileSync(model, 'utf8') === `const mine = 1;\n${original}`,
    );
  });
});

describe('a run outlives the window', () => {
  test('reloaded in mid-training, the panel is live again; stop keeps what was learned', async () => {
    await bench.focusEditor();
    await bench.replaceLine(5, '// @shrink-model data=./data.mjs epochs=4000 finish=6 batchSize=64');
    await bench.save('the file has the change', () => readFileSync(model, 'utf8').includes('epochs=4000'));
    await bench.command('ShrinkNets: Train Model');
    await until('a second run', () => runFolders(server.workspace).length === 2);
    const folder = runFolders(server.workspace)[1] ?? '';
    await until('it trains', () => journalOf(folder).some((event) => event.type === 'epoch'));
    await bench.livePanel();
    await bench.reload(server.address(server.workspace), folder);
    const panel = await bench.livePanel();
    const before = Number(await panel.evaluate(() => document.body.dataset['events']));
    await until('new events arrive', async () => {
      return Number(await panel.evaluate(() => document.body.dataset['events'])) > before;
    });
    await bench.screenshot('reloaded');
    await panel.locator('vscode-button', { hasText: 'Stop' }).first().focus();
    await bench.page.keyboard.press('Enter');
    await until('it stopped', () => journalOf(folder).at(-1)?.type === 'stopped');
    await until('the panel says so', async () => {
      return (await panel.evaluate(() => document.body.dataset['state'])) === 'stopped';
    });
  });

  test('resume goes on; kill ends it at once', async () => {
    const folder = runFolders(server.workspace)[1] ?? '';
    const events = journalOf(folder).length;
    await bench.focusEditor();
    await bench.command('ShrinkNets: Resume Run');
    await until(
      'it goes on',
      () => journalOf(folder).length > events && journalOf(folder).at(-1)?.type === 'epoch',
    );
    await bench.command('ShrinkNets: Kill');
    await bench.page.locator('.monaco-dialog-box').waitFor({ state: 'visible' });
    await bench.page.keyboard.press('Enter');
    await until('its process is gone', () => !exists(path.join(folder, 'lock')), 15_000);
  });
});

describe('questions before a training', () => {
  test('which of two models, and where the data is: the answer is written as a hint', async () => {
    const { page } = bench;
    const file = path.join(server.workspace, 'two.js');
    const makes = (name: string, units: number): string =>
      `export function ${name}() {\n  const model = tf.sequential();\n  model.add(tf.layers.dense({ inputShape: [64], units: ${units}, activation: 'relu' }));\n  model.add(tf.layers.dense({ units: 10, activation: 'softmax' }));\n  return model;\n}\n`;
    const source = `import * as tf from '@tensorflow/tfjs';\n\n${makes('first', 24)}\n// @shrink-model epochs=2 finish=1\n${makes('second', 48)}`;
    writeFileSync(file, source);
    const before = runFolders(server.workspace).length;
    await bench.openFile('two.js');
    await bench.waitForLens(/Train with ShrinkNets/);
    await bench.command('ShrinkNets: Train Model');
    await bench.pick('Which model shall be trained?', 'second');
    await bench.pick('A module that exports', 'data.mjs');
    await bench.pick('Keep data=./data.mjs?', 'Write it into');
    await until('a run', () => runFolders(server.workspace).length === before + 1);
    expect(readFileSync(file, 'utf8')).toBe(
      source.replace('@shrink-model epochs', '@shrink-model data=./data.mjs epochs'),
    );
    const folder = runFolders(server.workspace).at(-1) ?? '';
    await until('it is done', () => journalOf(folder).at(-1)?.type === 'result', 120_000);
    expect(findEvent(journalOf(folder), 'result')).toMatchObject({ model: 'second' });
    await page.keyboard.press('Escape');
  });
});

function exists(file: string): boolean {
  try {
    readFileSync(file);
    return true;
  } catch {
    return false;
  }
}
