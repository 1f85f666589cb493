import type { Frame } from 'playwright-core';

/** Reading the panel as a person does: its tiles, and the tables beside its charts. */

export async function tileOf(panel: Frame, id: string): Promise<string> {
  return (await panel.locator(`[data-tile="${id}"] .value`).textContent()) ?? '';
}

/** The rows of a card's table, headings first; opens and closes it as its button does. */
export async function cardTable(panel: Frame, card: string): Promise<string[][]> {
  return panel.evaluate(async (id) => {
    const element = document.querySelector<HTMLElement>(`[data-card="${id}"]`);
    const toggle = element?.querySelector<HTMLElement>('vscode-button');
    if (element === null || toggle === null || toggle === undefined || element.hidden) return [];
    element.scrollIntoView();
    await new Promise((resolve) => setTimeout(resolve, 150));
    toggle.click();
    let rows: string[][] = [];
    for (let tries = 0; tries < 400 && rows.length === 0; tries += 1) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      rows = [...element.querySelectorAll('.table tr')].map((row) =>
        [...row.children].map((cell) => cell.textContent),
      );
    }
    toggle.click();
    window.scrollTo(0, 0);
    return rows;
  }, card);
}
