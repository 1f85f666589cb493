import type { FromPanel, PanelWords } from '../src/protocol/webview';
import { makeCard, type Card, type CardEvents } from './card';
import {
  accuracyCard,
  channelsCard,
  costCard,
  lambdaCard,
  lossCard,
  nowCard,
  sizesCard,
  stepCard,
  widthsCard,
} from './charts/cards';
import type { CardSpec } from './charts/spec';
import type { Theme } from './charts/theme';
import { make, makeButton, makeSelect } from './elements';
import type { PanelState } from './state';
import { count, percent } from './words';

type MakeSpec = (state: PanelState, words: PanelWords) => CardSpec;

/** In the order in which they stand. */
const SPECS: readonly (readonly [id: string, make: MakeSpec])[] = [
  ['widths', widthsCard],
  ['now', nowCard],
  ['sizes', sizesCard],
  ['accuracy', accuracyCard],
  ['loss', lossCard],
  ['cost', costCard],
  ['step', stepCard],
  ['lambda', lambdaCard],
  ['channels', channelsCard],
];

/** All cards of the panel. */
export interface Cards {
  readonly element: HTMLElement;
  show(state: PanelState): void;
  /** Another run, or this one from its start. */
  reset(state: PanelState): void;
  /** Draws one card. @returns false if none was due */
  drawNext(theme: Theme): boolean;
  redraw(): void;
}

export function makeCards(
  words: PanelWords,
  context: {
    readonly send: (message: FromPanel) => void;
    readonly onProblem: (thrown: unknown) => void;
    readonly onDue: () => void;
  },
): Cards {
  const { send, onProblem, onDue } = context;
  const events: CardEvents = {
    onExport: (format, name, content) =>
      send({ type: 'export', format, name: `shrinknets-${name}`, content }),
    onProblem,
    onDue,
  };
  const sizes = sizePicker(words, (budget) => send({ type: 'emitPoint', budget }));
  const cards = SPECS.map(
    ([id, spec]): { readonly id: string; readonly card: Card; readonly spec: MakeSpec } => ({
      id,
      card: makeCard(id, words, id === 'sizes' ? { ...events, onPick: sizes.pick } : events),
      spec,
    }),
  );
  const find = (id: string): Card | undefined => cards.find((each) => each.id === id)?.card;
  const layer = makeSelect(words.layer, (name) => send({ type: 'channels', layer: name }));
  find('channels')?.foot.append(layer.element);
  find('sizes')?.foot.append(...sizes.elements);
  let next = 0;
  return {
    element: make('div', 'cards', ...cards.map(({ card }) => card.element)),
    show(state) {
      for (const { id, card, spec } of cards) {
        card.element.hidden = isEmpty(id, state);
        if (!card.element.hidden) card.set(spec(state, words));
      }
      sizes.show(state);
    },
    reset(state) {
      const learned = state.header.layers.filter((each) => each.learned);
      layer.setChoices(learned.map(({ name }) => ({ value: name, label: name })));
      const [first] = learned;
      if (first !== undefined) send({ type: 'channels', layer: first.name });
    },
    drawNext(theme) {
      for (let tried = 0; tried < cards.length; tried += 1) {
        const card = cards[next]?.card;
        next = (next + 1) % cards.length;
        if (card?.element.hidden === false && card.draw(theme)) return true;
      }
      return false;
    },
    redraw() {
      for (const { card } of cards) card.redraw();
    },
  };
}

/** Cards that have nothing to say yet, or never will for this run. */
function isEmpty(id: string, state: PanelState): boolean {
  const epochs = state.epochs.kept;
  switch (id) {
    case 'sizes':
      return state.points.length === 0;
    case 'accuracy':
      return epochs.length === 0 || epochs.every((row) => row.validationAccuracy === null);
    case 'loss':
    case 'step':
    case 'lambda':
      return epochs.length === 0;
    default:
      return state.header.layers.length === 0;
  }
}

/** The list of sizes and the button that writes the chosen one into the source. */
function sizePicker(words: PanelWords, emit: (budget: number) => void) {
  let state: PanelState | undefined;
  let touched = false;
  const select = makeSelect(words.size, () => (touched = true));
  const button = makeButton(words.emitThis, () => {
    if (select.value !== '') emit(Number(select.value));
  });
  return {
    elements: [select.element, button],
    show(shown: PanelState): void {
      state = shown;
      const sizes = shown.points.filter((point) => point.kind === 'size');
      select.setChoices(
        sizes.map((point) => ({
          value: String(point.budget),
          label: `${count(point.params)} ${words.parameters}, ${point.accuracy === null ? point.loss.toFixed(4) : percent(point.accuracy)}`,
        })),
      );
      const chosen = shown.points[shown.chosen];
      if (!touched && chosen !== undefined) select.value = String(chosen.budget);
      // Only a finished run can be written: before, weights and checks are not there.
      for (const element of [select.element, button]) element.hidden = shown.result === undefined;
    },
    /** A click on the chart: its lines are the chosen size, the other sizes, the start. */
    pick: (line: number, index: number): void => {
      if (state === undefined) return;
      const { points, chosen } = state;
      const others = points.filter((point, i) => i !== chosen && point.kind === 'size');
      const groups = [points.slice(chosen, chosen + 1), others].filter((group) => group.length > 0);
      const point = groups[line]?.[index];
      if (point === undefined) return;
      touched = true;
      select.value = String(point.budget);
    },
  };
}
