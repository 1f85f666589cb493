import { PANEL_VERSION, type FromPanel, type ToPanel } from '../src/protocol/webview';
import { makeCards } from './cards';
import { readTheme, type Theme } from './charts/theme';
import { make, makeRing } from './elements';
import { makeHeader } from './header';
import './panel.css';
import { applyChange, newState, type PanelState } from './state';
import { readBoot } from './words';

interface Editor {
  postMessage(message: FromPanel): void;
  setState(state: { readonly folder: string }): void;
}
declare function acquireVsCodeApi(): Editor;

/** Drawing takes at most this share of the time, so that the page stays quick on slow machines. */
const DRAWING_SHARE = 0.25;

/** The panel: shows what the extension sends, and asks it for what is to be done. */
function start(): void {
  const editor = acquireVsCodeApi();
  const { folder, words } = readBoot();
  // What the editor gives back to the extension after a reload.
  editor.setState({ folder });
  const send = (message: FromPanel): void => editor.postMessage(message);
  const problem = (thrown: unknown): void =>
    send({
      type: 'problem',
      message: thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown),
    });

  const root = document.getElementById('panel') ?? document.body;
  root.append(make('div', 'loading', makeRing(), words.loading));
  const header = makeHeader(words, (action) => send({ type: 'action', action }));
  let state: PanelState | undefined;
  let theme: Theme = readTheme();
  let waiting = false;

  const cards = makeCards(words, { send, onProblem: problem, onDue: () => drawSoon(0) });

  /** One chart a frame, and pauses in between: a long task would hold up the keyboard. */
  const drawSoon = (delay: number): void => {
    if (waiting) return;
    waiting = true;
    setTimeout(() => {
      requestAnimationFrame(() => {
        waiting = false;
        const began = performance.now();
        if (!cards.drawNext(theme)) return;
        const took = performance.now() - began;
        drawSoon(Math.min(1000, took * (1 / DRAWING_SHARE - 1)));
      });
    }, delay);
  };

  const show = (): void => {
    if (state === undefined) return;
    header.show(state);
    cards.show(state);
    document.body.dataset['events'] = String(state.events);
    document.body.dataset['state'] = state.state;
    drawSoon(0);
  };

  const receive = (message: ToPanel): void => {
    switch (message.type) {
      case 'reset':
        editor.setState({ folder: message.folder });
        state = newState(message.header);
        applyChange(state, message.change);
        cards.reset(state);
        if (header.element.parentElement !== null) break;
        root.replaceChildren(header.element);
        // In a task of its own: to lay out ten cards takes as long as to take in a long run.
        setTimeout(() => {
          if (header.element.parentElement === root) root.append(cards.element);
        });
        break;
      case 'delta':
        if (state !== undefined) applyChange(state, message.change);
        break;
      case 'channels':
        if (state === undefined) break;
        state.channels = message.channels ?? undefined;
        state.channelsMessage = message.message;
        break;
      case 'sweep':
        if (state !== undefined) state.trials = message.trials;
        break;
      case 'gone':
        state = undefined;
        header.element.remove();
        root.replaceChildren(make('p', 'gone', message.message));
        break;
    }
    show();
  };

  window.addEventListener('message', (event: MessageEvent<unknown>) => {
    try {
      if (isToPanel(event.data)) receive(event.data);
    } catch (thrown) {
      problem(thrown);
    }
  });
  window.addEventListener('error', (event) => problem(event.error));
  new MutationObserver(() => {
    theme = readTheme();
    cards.redraw();
    drawSoon(0);
  }).observe(document.body, { attributes: true, attributeFilter: ['class', 'data-vscode-theme-id'] });
  send({ type: 'ready', version: PANEL_VERSION });
}

const KINDS: Readonly<Record<ToPanel['type'], true>> = {
  reset: true,
  delta: true,
  channels: true,
  sweep: true,
  gone: true,
};

/** Frames around the page send messages of their own. */
function isToPanel(message: unknown): message is ToPanel {
  return (
    typeof message === 'object' &&
    message !== null &&
    'type' in message &&
    Object.hasOwn(KINDS, String(message.type))
  );
}

start();
