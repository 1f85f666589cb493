import type { PanelAction, PanelRunState, PanelWords } from '../src/protocol/webview';
import { make, makeButton, makeRing, makeTag } from './elements';
import { currentWidths, type PanelState } from './state';
import { change, count, percent, seconds } from './words';

/** The top of the panel: which run, how it stands, what can be done, and the numbers that matter. */
export interface Header {
  readonly element: HTMLElement;
  show(state: PanelState): void;
}

export function makeHeader(words: PanelWords, act: (action: PanelAction) => void): Header {
  const title = make('h1', '');
  const tag = makeTag();
  const ring = makeRing();
  const sub = make('p', 'about');
  const live = make('p', 'live');
  live.setAttribute('role', 'status');
  const bar = make('progress', '');
  bar.max = 1;
  bar.setAttribute('aria-label', words.training);
  const buttons = {
    stop: makeButton(words.stop, () => act('stop'), { title: words.stopTitle, kind: 'primary' }),
    kill: makeButton(words.kill, () => act('kill'), { title: words.killTitle }),
    resume: makeButton(words.resume, () => act('resume'), { kind: 'primary' }),
    emit: makeButton(words.emit, () => act('emit'), { title: words.emitTitle, kind: 'primary' }),
    source: makeButton(words.openSource, () => act('openSource')),
    export: makeButton(words.exportAll, () => act('exportRun')),
  };
  const actions = make('div', 'actions', ...Object.values(buttons));
  const tiles = make('div', 'tiles');
  const notes = makeNotes(words.notes);
  const choice = makeNotes(words.engineChoice);
  const top = make('div', 'top', title, tag, ring, actions);
  const element = make('header', '', top, sub, live, bar, tiles, choice.element, notes.element);
  let spoken = '';

  return {
    element,
    show(state) {
      const { header } = state;
      title.textContent = header.model;
      tag.textContent = words[state.state];
      tag.dataset['state'] = state.state;
      sub.textContent = [header.run, header.engine, header.training]
        .filter((part) => part !== '')
        .join(' · ');
      const running = state.state === 'running';
      ring.hidden = !running;
      buttons.stop.hidden = !running;
      buttons.kill.hidden = !running;
      buttons.resume.hidden = !canResume(state.state);
      buttons.emit.hidden = state.state !== 'done';
      const { progress } = state;
      bar.hidden = !running;
      if (progress !== undefined && progress.steps > 0) bar.value = progress.step / progress.steps;
      else bar.removeAttribute('value');
      // Only changes of state are spoken: numbers that change ten times a second are no message.
      const said = [words[state.state], state.message].filter((part) => part !== '').join(': ');
      if (said !== spoken) live.textContent = state.message === '' ? '' : said;
      spoken = said;
      fillTiles(tiles, tilesOf(state, words));
      choice.show(header.engineChoice);
      notes.show([...header.notes, ...state.warnings]);
    },
  };
}

/** A list that is opened to be read. */
function makeNotes(heading: string): {
  readonly element: HTMLElement;
  show(texts: readonly string[]): void;
} {
  const list = make('ul', '');
  const element = make('details', 'notes', make('summary', '', heading), list);
  let shown = '';
  return {
    element,
    show(texts) {
      element.hidden = texts.length === 0;
      const key = texts.join('\n');
      if (key === shown) return;
      shown = key;
      list.replaceChildren(...texts.map((text) => make('li', '', text)));
    },
  };
}

function canResume(state: PanelRunState): boolean {
  return state === 'stopped' || state === 'failed' || state === 'interrupted';
}

interface Tile {
  readonly id: string;
  readonly label: string;
  readonly value: string;
  readonly more: string;
}

function tilesOf(state: PanelState, words: PanelWords): Tile[] {
  const { header, result, progress } = state;
  const row = state.widths.last ?? state.widths.kept.at(-1);
  const epoch = state.epochs.last ?? state.epochs.kept.at(-1);
  const params = result?.params.after ?? row?.params ?? header.params;
  const macs = result?.macs.after ?? row?.macs ?? header.macs;
  const widths = currentWidths(state);
  const learned = header.layers.map((layer, i) => ({ ...layer, now: widths[i] ?? layer.start }));
  const channels = learned.filter((layer) => layer.learned);
  const sum = (read: (layer: (typeof channels)[number]) => number): number =>
    channels.reduce((total, layer) => total + read(layer), 0);
  const tile = (id: string, label: string, value: string, more = ''): Tile => ({ id, label, value, more });
  const before = (now: number, start: number): string =>
    now === start ? '' : `${words.was} ${count(start)}, ${change(start, now)}`;
  const accuracy = result?.metrics.test.accuracy ?? epoch?.validationAccuracy ?? null;
  const loss = result?.metrics.test.loss ?? epoch?.validationLoss;
  const quality =
    accuracy !== null
      ? tile(
          'quality',
          result === undefined ? words.validationAccuracy : words.testAccuracy,
          percent(accuracy),
        )
      : tile(
          'quality',
          result === undefined ? words.validationLoss : words.testLoss,
          loss?.toFixed(4) ?? '–',
        );
  const stepMs = progress?.stepMs ?? epoch?.stepMs;
  return [
    tile(
      'channels',
      words.channels,
      count(sum((layer) => layer.now)),
      before(
        sum((layer) => layer.now),
        sum((layer) => layer.start),
      ),
    ),
    tile('params', words.parameters, count(params), before(params, header.params)),
    tile('macs', words.macs, count(macs), before(macs, header.macs)),
    quality,
    tile('step', words.stepTime, stepMs === undefined ? '–' : stepMs.toFixed(stepMs < 10 ? 2 : 1)),
    ...(progress === undefined
      ? []
      : [
          tile(
            'left',
            words.timeLeft,
            progress.secondsLeft >= 1 ? seconds(progress.secondsLeft) : '–',
            progress.epochs > 0 ? `${words.epoch} ${progress.epoch}/${progress.epochs}` : '',
          ),
        ]),
  ];
}

function fillTiles(box: HTMLElement, tiles: readonly Tile[]): void {
  for (const { id, label, value, more } of tiles) {
    const known = box.querySelector<HTMLElement>(`[data-tile="${id}"]`);
    const element = known ?? make('div', 'tile');
    if (known === null) {
      element.dataset['tile'] = id;
      element.append(make('span', 'label'), make('span', 'value'), make('span', 'more'));
      box.append(element);
    }
    const texts = [label, value, more];
    texts.forEach((text, i) => {
      const part = element.children[i];
      if (part !== undefined && part.textContent !== text) part.textContent = text;
    });
  }
  for (const element of [...box.children])
    if (element instanceof HTMLElement && !tiles.some((tile) => tile.id === element.dataset['tile']))
      element.remove();
}
