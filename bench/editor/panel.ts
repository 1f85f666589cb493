import { readFileSync } from 'node:fs';
import path from 'node:path';
import { chromium, type Page } from 'playwright-core';
import type { ToPanel } from '../../src/protocol/webview';
import { RunView } from '../../src/shell/runView';
import { ViewDelta } from '../../src/shell/viewDelta';
import { BATCH_SIZE, eachEvent } from '../../test/webview/support/madeRun';

/**
 * Whether the panel stays smooth in Chromium: a run of 100,000 events and 200 layers is replayed, its last part
 * arrives live, ten messages a second, and every task over 50 ms is written down.
 */

const root = process.env['SHRINKNETS_ROOT'] ?? process.cwd();
const LAYERS = 200;
const EPOCHS = 20_000;
const COLLECTIONS = 4;
/** Events that arrive live. */
const LIVE = 3_000;
const MESSAGES = 100;
const PERIOD_MS = 100;

async function openPanel(page: Page): Promise<void> {
  const css = readFileSync(path.join(root, 'dist/webview/panel.css'), 'utf8');
  const script = readFileSync(path.join(root, 'dist/webview/panel.js'), 'utf8');
  const source = readFileSync(path.join(root, 'src/vscode/panel/panelWords.ts'), 'utf8');
  const pairs: [string, string][] = [...source.matchAll(/^ {4}(\w+): vscode\.l10n\.t\('(.*)'\),$/gm)].map(
    ([, key, text]) => [key ?? '', text ?? ''],
  );
  const boot = JSON.stringify({ folder: '/made', words: Object.fromEntries<string>(pairs) });
  await page.setContent(
    `<body class="vscode-dark" style="--vscode-foreground:#ccc;--vscode-editor-background:#1f1f1f"><main id="panel"></main><script id="boot" type="application/json">${boot}</script></body>`,
  );
  await page.addStyleTag({ content: css });
  await page.evaluate(() => {
    const state = window as unknown as { tasks: number[]; acquireVsCodeApi: unknown };
    state.tasks = [];
    state.acquireVsCodeApi = () => ({ postMessage: () => undefined, setState: () => undefined });
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) state.tasks.push(entry.duration);
    }).observe({ type: 'longtask' });
  });
  await page.addScriptTag({ content: script });
}

async function send(page: Page, message: ToPanel): Promise<void> {
  await page.evaluate((data) => window.postMessage(data, '*'), message);
}

const browser = await chromium.launch({
  executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--disable-background-networking'],
});
try {
  const page = await browser.newPage({ viewport: { width: 1200, height: 1400 } });
  await openPanel(page);
  const view = new RunView(BATCH_SIZE);
  const delta = new ViewDelta();
  const all = EPOCHS * (COLLECTIONS + 1) + 4;
  const live = [];
  const began = performance.now();
  let replayMs = 0;
  for (const event of eachEvent({
    layers: LAYERS,
    epochs: EPOCHS,
    collections: COLLECTIONS,
    finished: false,
  })) {
    if (event.seq >= all - LIVE) live.push(event);
    else {
      const start = performance.now();
      view.take(event);
      replayMs += performance.now() - start;
    }
  }
  console.error(`made and replayed ${view.events} events in ${Math.round(performance.now() - began)} ms`);
  await send(page, { type: 'reset', folder: '/made', ...delta.whole(view) });
  await page.waitForTimeout(4000);
  const opening = await page.evaluate(() => (window as unknown as { tasks: number[] }).tasks.splice(0));
  for (let i = 0; i < MESSAGES; i += 1) {
    for (const event of live.slice((i * LIVE) / MESSAGES, ((i + 1) * LIVE) / MESSAGES)) view.take(event);
    if (delta.isNew(view)) throw new Error('the view was replaced');
    await send(page, { type: 'delta', change: delta.change(view) });
    // Somebody scrolls through the panel meanwhile.
    if (i % 10 === 0) await page.mouse.wheel(0, i % 40 < 20 ? 700 : -700);
    await page.waitForTimeout(PERIOD_MS);
  }
  await page.waitForTimeout(1500);
  const running = await page.evaluate(() => (window as unknown as { tasks: number[] }).tasks);
  const shown = await page.evaluate(() => document.body.dataset['events']);
  await page.evaluate(() => window.scrollTo(0, 0));
  await page.waitForTimeout(500);
  await page.screenshot({ path: path.join(root, 'test-results', 'panel-200-layers.png') });
  const longest = (tasks: number[]): number => Math.round(Math.max(0, ...tasks));
  const report = {
    events: Number(shown),
    layers: LAYERS,
    replayMs: Math.round(replayMs),
    opening: { tasksOver50ms: opening.map(Math.round), longestMs: longest(opening) },
    live: { messages: MESSAGES, tasksOver50ms: running.length, longestMs: longest(running) },
  };
  console.log(JSON.stringify(report, null, 1));
  if (longest([...opening, ...running]) > 100 || Number(shown) !== all) process.exitCode = 1;
} finally {
  await browser.close();
}
