import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { chromium, type Browser, type Frame, type Locator, type Page } from 'playwright-core';
import type { RunnerTestCase as Test } from 'vitest';
import { until } from './runs';
import { desktopPort, RESULTS, ROOT } from './server';

/** Driving VS Code in Chromium as a person does: by keys and by what is on the screen. */

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export async function launchBrowser(): Promise<Browser> {
  if (desktopPort !== undefined) return chromium.connectOverCDP(`http://127.0.0.1:${desktopPort}`);
  const executablePath = process.env['CHROMIUM'] ?? '/usr/bin/chromium';
  return chromium.launch({ executablePath, args: FLAGS });
}

export class Workbench {
  constructor(readonly page: Page) {}

  static async open(browser: Browser, address: string): Promise<Workbench> {
    const window = desktopPort === undefined ? undefined : browser.contexts()[0]?.pages()[0];
    if (window !== undefined) {
      await window.waitForSelector('.monaco-workbench', { timeout: 60_000 });
      return new Workbench(window);
    }
    const context = await browser.newContext({
      viewport: { width: 1500, height: 950 },
      permissions: ['clipboard-read', 'clipboard-write'],
    });
    const page = await context.newPage();
    const bench = new Workbench(page);
    await bench.goto(address);
    return bench;
  }

  async goto(address: string): Promise<void> {
    // A desktop window knows its folder.
    if (desktopPort === undefined) await this.page.goto(address);
    else await this.page.reload();
    await this.page.waitForSelector('.monaco-workbench', { timeout: 60_000 });
  }

  /**
   * Loads the window again, without a file in its address: the editor then restores what was open.
   * In a browser VS Code writes its open editors down every few seconds, and cannot at the end of a window.
   * @param folders the runs, of one of which the panel is to come back
   */
  async reload(address: string, ...folders: readonly string[]): Promise<void> {
    const runs = folders.map((folder) => path.basename(folder));
    await until('the editor has written down that the panel is open', async () => {
      if (desktopPort !== undefined) return true;
      const kept = await this.page.evaluate(keptEditors);
      return runs.some((run) => kept.includes(run));
    });
    await this.goto(address);
  }

  /** Runs a command of the palette by its title. */
  async command(title: string): Promise<void> {
    const { page } = this;
    const entry = page.locator('.quick-input-list .monaco-list-row', { hasText: title }).first();
    for (let tries = 0; ; tries += 1) {
      const input = await this.quickInput('F1');
      try {
        // Something else that takes the focus closes the list.
        await input.fill(`>${title}`, { timeout: 4000 });
        await entry.waitFor({ state: 'visible', timeout: 4000 });
        break;
      } catch (thrown) {
        // The list is made when it is opened: what became possible since is in the next one.
        await page.keyboard.press('Escape');
        if (tries === 7) throw thrown;
      }
    }
    await page.keyboard.press('Enter');
    await entry.waitFor({ state: 'hidden' });
  }

  /** Answers a question of the quick input, known by its placeholder. */
  async pick(placeholder: string, entry: string): Promise<void> {
    const widget = this.page.locator('.quick-input-widget', {
      has: this.page.locator(`input[placeholder*="${placeholder}"]`),
    });
    const row = widget.locator('.monaco-list-row', { hasText: entry }).first();
    await row.waitFor({ state: 'visible' });
    await row.click();
    await widget.waitFor({ state: 'hidden' });
  }

  /** Opens the fixes at the cursor; an editor that is still asking for them shows none. */
  async quickFix(text: string): Promise<Locator> {
    const fix = this.page.locator('.action-widget .monaco-list-row', { hasText: text }).first();
    for (let tries = 0; ; tries += 1) {
      await this.page.keyboard.press('Control+.');
      try {
        await fix.waitFor({ state: 'visible', timeout: 4000 });
        return fix;
      } catch (thrown) {
        await this.page.keyboard.press('Escape');
        if (tries === 7) throw thrown;
      }
    }
  }

  /** Opens a file of the folder from the explorer. */
  async openFile(name: string): Promise<void> {
    const { page } = this;
    await page.keyboard.press('Control+Shift+e');
    // Away from the rows, whose hovers lie over others.
    await page.mouse.move(750, 500);
    await page.locator('.monaco-hover.workbench-hover').waitFor({ state: 'hidden' });
    await page
      .locator('.explorer-folders-view .monaco-list-row', { has: page.getByText(name, { exact: true }) })
      .first()
      .dblclick({ timeout: 30_000 });
    await page.locator(`.tab.active[data-resource-name="${name}"]`).waitFor({ state: 'visible' });
  }

  /** Opens the quick input by keys; a window that is still busy may miss the first ones. */
  private async quickInput(...keys: string[]): Promise<Locator> {
    const input = this.page.locator('.quick-input-widget input.input');
    for (let tries = 0; ; tries += 1) {
      for (const key of keys) await this.page.keyboard.press(key);
      try {
        await input.waitFor({ state: 'visible', timeout: 6000 });
        return input;
      } catch (thrown) {
        if (tries === 5) throw thrown;
      }
    }
  }

  /** Titles that the palette offers for a text. */
  async offered(text: string): Promise<string[]> {
    const { page } = this;
    const input = await this.quickInput('F1');
    await input.fill(`>${text}`);
    let rows: string[] = [];
    await until('the list is made', async () => {
      const before = rows.join('\n');
      rows = await page.locator('.quick-input-list .monaco-list-row .label-name').allTextContents();
      return rows.length > 0 && rows.join('\n') === before && rows.every((row) => !row.startsWith('>'));
    });
    await page.keyboard.press('Escape');
    return rows;
  }

  /** Puts the cursor somewhere in the active editor. */
  async goToLine(line: number, column = 1): Promise<void> {
    const input = await this.quickInput('Control+g');
    await input.fill(`:${line}:${column}`);
    await this.page.keyboard.press('Enter');
  }

  /** Titles of the open editors, column by column. */
  async tabs(): Promise<string[]> {
    const titles = await this.page.locator('.tabs-container .tab').allTextContents();
    return titles.map((title) => title.trim());
  }

  /** Titles of the code lenses that are visible. */
  async lenses(): Promise<string[]> {
    return this.page.locator('.codelens-decoration a').allTextContents();
  }

  async waitForLens(text: RegExp, timeoutMs = 60_000): Promise<string> {
    const lens = this.page.locator('.codelens-decoration a', { hasText: text }).first();
    await lens.waitFor({ state: 'visible', timeout: timeoutMs });
    return (await lens.textContent()) ?? '';
  }

  /** The panel's page, once it shows a run. */
  async panel(timeoutMs = 60_000): Promise<Frame> {
    for (const deadline = Date.now() + timeoutMs; Date.now() < deadline;) {
      for (const frame of this.page.frames()) {
        const found = await frame
          .evaluate(() => document.getElementById('panel') !== null && document.body.dataset['events'])
          .catch(() => false);
        if (typeof found === 'string') return frame;
      }
      await this.page.waitForTimeout(200);
    }
    throw new Error('no panel shows a run');
  }

  /** A panel of a run that is being trained. */
  async livePanel(timeoutMs = 60_000): Promise<Frame> {
    for (const deadline = Date.now() + timeoutMs; Date.now() < deadline;) {
      for (const frame of this.page.frames()) {
        const state = await frame.evaluate(() => document.body.dataset['state']).catch(() => undefined);
        if (state === 'running') return frame;
      }
      await this.page.waitForTimeout(200);
    }
    throw new Error('no panel shows a run in training');
  }

  /** The text of a line of the active editor that is on the screen. */
  async lineText(line: number): Promise<string> {
    return this.page.evaluate((wanted) => {
      const editor = document.querySelector('.editor-group-container .monaco-editor[data-uri$=".js"]');
      const numbers = [...(editor?.querySelectorAll<HTMLElement>('.margin-view-overlays > div') ?? [])];
      const row = numbers.find((each) => each.textContent.trim() === String(wanted));
      const lines = [...(editor?.querySelectorAll<HTMLElement>('.view-lines > .view-line') ?? [])];
      const text = lines.find((each) => each.style.top === row?.style.top)?.textContent ?? '';
      return text.replaceAll('\u00a0', ' ');
    }, line);
  }

  /** Replaces a line of the active editor, as a person who types. */
  async replaceLine(line: number, text: string): Promise<void> {
    await this.goToLine(line, 1);
    const { keyboard } = this.page;
    await keyboard.press('Home');
    await keyboard.press('Home');
    await keyboard.press('Shift+End');
    await keyboard.press('Delete');
    await keyboard.insertText(text);
    await keyboard.press('Escape');
  }

  /** Notifications cover what a picture is to show. */
  async clearNotifications(): Promise<void> {
    await this.command('Notifications: Clear All Notifications');
  }

  /** Saves the source. What a command does to editors goes on after its entry is gone, so the keys may come too early. */
  async save(what: string, holds: () => boolean): Promise<void> {
    let next = 0;
    await until(what, async () => {
      if (holds()) return true;
      if (Date.now() < next) return false;
      await this.focusEditor();
      await this.page.keyboard.press('Control+s');
      next = Date.now() + 2000;
      return false;
    });
  }

  async focusEditor(): Promise<void> {
    await this.focusGroup(1);
  }

  async focusPanel(): Promise<void> {
    await this.focusGroup(2);
  }

  /** A window that is still busy may miss the keys. */
  private async focusGroup(number: number): Promise<void> {
    await until(`group ${number} of the editors has the focus`, async () => {
      await this.page.keyboard.press(`Control+${number}`);
      return this.page.evaluate((index) => {
        const group = document.querySelectorAll('.editor-group-container')[index];
        const focus = document.activeElement;
        // The page of a panel lies over its group, not in it.
        return (
          group?.classList.contains('active') === true &&
          (group.contains(focus) || focus?.tagName === 'IFRAME')
        );
      }, number - 1);
    });
  }

  /** Waits until the window looks the same twice: what is drawn is there, and nothing moves any more. */
  async still(): Promise<void> {
    let last = '';
    await until('nothing moves', async () => {
      const before = last;
      last = (await this.page.screenshot({ animations: 'disabled' })).toString('base64');
      return last === before;
    });
  }

  /** Waits until the editor has taken up settings. @param mark what `setSettings` gave */
  async settingsAre(mark: string): Promise<void> {
    await until('the settings are read', async () => (await this.page.title()).includes(mark));
  }

  /** @param mark class of the workbench under this theme */
  async setTheme(name: string, mark: string): Promise<void> {
    const { page } = this;
    for (let tries = 0; ; tries += 1) {
      // Not by the palette: it may take the command that browses themes on the net.
      await this.focusEditor();
      const input = await this.quickInput('Control+k', 'Control+t');
      // Something else that takes the focus closes the list.
      await input.fill(name, { timeout: 4000 }).catch(() => undefined);
      const row = page.locator('.quick-input-list .monaco-list-row.focused', { hasText: name });
      await row.waitFor({ state: 'visible', timeout: 5000 }).catch(() => undefined);
      await page.keyboard.press('Enter');
      try {
        await page.locator(`.monaco-workbench.${mark}`).waitFor({ state: 'visible', timeout: 5000 });
        return;
      } catch (thrown) {
        await page.keyboard.press('Escape');
        if (tries === 5) throw thrown;
      }
    }
  }

  /** The button of a notification. */
  async pressInNotification(label: string, timeoutMs = 30_000): Promise<void> {
    const button = this.page.locator('.notifications-toasts .monaco-button', { hasText: label }).first();
    await button.waitFor({ state: 'visible', timeout: timeoutMs });
    await button.click();
  }

  /**
   * A picture of the README, from a real run: kept with the other pictures, and with SHRINKNETS_PICTURES=1 put into
   * docs/images, where the README has it from.
   */
  async picture(name: string): Promise<void> {
    await this.screenshot(name);
    if (process.env['SHRINKNETS_PICTURES'] === undefined) return;
    await this.page.screenshot({ path: path.join(ROOT, 'docs', 'images', `${name}.png`) });
  }

  /** Keeps a picture of a test that failed, and prints what it shows: pictures are not kept everywhere. */
  async keepFailure({ name, result }: Readonly<Test>): Promise<void> {
    if (result?.state !== 'fail') return;
    await this.screenshot(`failed ${name.slice(0, 40)}`);
    const texts = async (selector: string) =>
      (await this.page.locator(selector).allTextContents()).map((text) => text.trim()).join(' | ');
    console.log(`failed: ${name}
title: ${await this.page.title()}
tabs: ${(await this.tabs()).join(' | ')}
unsaved: ${await texts('.tabs-container .tab.dirty')}
messages: ${await texts('.notifications-toasts .notification-list-item-message')}
dialog: ${await texts('.monaco-dialog-box')}
quick input: ${await texts('.quick-input-widget .monaco-list-row')}
lenses: ${(await this.lenses()).join(' | ')}
status: ${await texts('.statusbar-item')}`);
  }

  async screenshot(name: string): Promise<void> {
    mkdirSync(RESULTS, { recursive: true });
    await this.page.screenshot({ path: path.join(RESULTS, `${name}.png`) });
  }
}

/** What the workbench has written down of its open editors, in whichever database of its own. Runs in the page. */
async function keptEditors(): Promise<string> {
  const answer = <Value>(request: IDBRequest<Value>): Promise<Value> =>
    new Promise((resolve, reject) => {
      request.addEventListener('success', () => resolve(request.result));
      request.addEventListener('error', () => reject(request.error ?? new Error('IndexedDB failed')));
    });
  const texts: string[] = [];
  for (const { name = '' } of await indexedDB.databases()) {
    if (!name.startsWith('vscode-web-state-db-')) continue;
    const database = await answer(indexedDB.open(name));
    try {
      if (!database.objectStoreNames.contains('ItemTable')) continue;
      const table = database.transaction('ItemTable').objectStore('ItemTable');
      const kept: unknown = await answer(table.get('memento/workbench.parts.editor'));
      texts.push(typeof kept === 'string' ? kept : '');
    } finally {
      database.close();
    }
  }
  return texts.join('\n');
}
