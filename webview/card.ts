import type { ExportFormat, PanelWords } from '../src/protocol/webview';
import { CanvasChart } from './charts/canvas';
import { toCsv, toJson, type CardSpec } from './charts/spec';
import { toSvg } from './charts/svg';
import { fillTable } from './charts/table';
import type { Theme } from './charts/theme';
import { make, makeButton } from './elements';

/** A chart with its title, its table and its exports. */
export interface Card {
  readonly element: HTMLElement;
  /** Below the chart, for controls of its own. */
  readonly foot: HTMLElement;
  /** Takes what to show; it is made and drawn when there is time and somebody can see it. */
  set(make: () => CardSpec): void;
  /** Draws what is due. @returns whether there was anything to draw */
  draw(theme: Theme): boolean;
  redraw(): void;
}

export interface CardEvents {
  readonly onExport: (format: ExportFormat, name: string, content: string) => void;
  readonly onProblem: (thrown: unknown) => void;
  /** Something became due without new data: a table was opened, the card scrolled into view. */
  readonly onDue: () => void;
  readonly onPick?: (ref: string) => void;
}

export function makeCard(id: string, heading: string, words: PanelWords, events: CardEvents): Card {
  const title = make('h2', '', heading);
  title.id = `${id}-title`;
  const about = make('p', 'about');
  const canvas = make('canvas', '');
  canvas.setAttribute('role', 'img');
  canvas.setAttribute('aria-label', heading);
  const chartBox = make('div', 'chart', canvas);
  const table = make('div', 'table');
  table.tabIndex = 0;
  table.setAttribute('role', 'region');
  table.setAttribute('aria-labelledby', title.id);
  table.hidden = true;
  const foot = make('div', 'foot');
  const toggle = makeButton(words.table, () => setTable(table.hidden), { title: words.table });
  const menu = exportMenu(words, (format) => {
    const shown = specNow();
    if (shown !== undefined) events.onExport(format, shown.id, contentOf(format, shown));
  });
  const head = make('div', 'card-head', make('div', '', title, about), make('div', 'tools', toggle, menu));
  const element = make('section', 'card', head, chartBox, table, foot);
  element.dataset['card'] = id;
  element.setAttribute('aria-labelledby', title.id);

  let makeSpec: (() => CardSpec) | undefined;
  let spec: CardSpec | undefined;
  const specNow = (): CardSpec | undefined => {
    spec ??= makeSpec?.();
    return spec;
  };
  let drawn: CanvasChart | undefined;
  let due = false;
  let visible = false;
  let theme: Theme | undefined;
  new IntersectionObserver((entries) => {
    // Several may have come together, oldest first.
    visible = entries.at(-1)?.isIntersecting === true;
    if (visible && due) events.onDue();
  }).observe(element);

  const setTable = (shown: boolean): void => {
    table.hidden = !shown;
    // What is shown when it is opened again is of then.
    table.replaceChildren();
    chartBox.hidden = shown;
    toggle.textContent = shown ? words.chart : words.table;
    toggle.title = toggle.textContent;
    due = true;
    events.onDue();
  };

  const contentOf = (format: ExportFormat, shown: CardSpec): string => {
    switch (format) {
      case 'png':
        return drawn?.png ?? '';
      case 'svg':
        return theme === undefined ? '' : toSvg(shown.title, shown.chart, theme);
      case 'csv':
        return toCsv(shown.table());
      case 'json':
        return toJson(shown.table());
    }
  };

  return {
    element,
    foot,
    set(next) {
      makeSpec = next;
      spec = undefined;
      due = true;
    },
    draw(current) {
      theme = current;
      if (!due || !visible || makeSpec === undefined) return false;
      if (drawn === undefined && table.hidden) {
        // The chart first, in a task of its own; what it shows when its turn comes again.
        drawn = new CanvasChart(canvas, events.onPick);
        return true;
      }
      due = false;
      try {
        const shown = makeSpec();
        spec = shown;
        about.textContent = shown.about;
        canvas.setAttribute('aria-label', shown.chart.summary);
        if (!table.hidden) fillTable(table, shown.table());
        else {
          const bars = shown.chart.labels?.length;
          chartBox.style.height = bars === undefined ? '' : `${Math.max(180, 70 + bars * 22)}px`;
          drawn?.draw(shown.chart, current);
        }
      } catch (thrown) {
        about.textContent = words.failedToDraw;
        events.onProblem(thrown);
      }
      return true;
    },
    redraw() {
      due = true;
    },
  };
}

/** Opens and closes by keyboard as by mouse, since it is the browser's own. */
function exportMenu(words: PanelWords, choose: (format: ExportFormat) => void): HTMLElement {
  const menu = make('details', 'menu', make('summary', '', words.export));
  const list = make('div', 'menu-list');
  for (const format of ['png', 'svg', 'csv', 'json'] as const)
    list.append(
      makeButton(format.toUpperCase(), () => {
        menu.open = false;
        choose(format);
      }),
    );
  menu.append(list);
  menu.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape') return;
    menu.open = false;
    menu.querySelector('summary')?.focus();
  });
  menu.addEventListener('focusout', (event) => {
    if (event.relatedTarget instanceof Node && !menu.contains(event.relatedTarget)) menu.open = false;
  });
  return menu;
}
